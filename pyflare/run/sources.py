"""A fragment's leaves as tables or scans: what its kernels read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyflare.compile import sources
from pyflare.io.arrow import read_stream
from pyflare.io.cache import ColumnCache
from pyflare.io.columns import Batch, Column, Layout
from pyflare.io.parquet import Scan, open_scan
from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference
from pyflare.run.table import Table
from pyflare.types import DataType, Kind


@dataclass(frozen=True)
class Numbers:
    """The numbers of a range, made when they are asked for."""

    values: range

    def batch(self, start: int, stop: int) -> Batch:
        """The numbers at positions `start … stop`."""
        part = self.values[start:stop]
        return Batch(len(part), (Column(np.arange(part.start, part.stop, part.step, dtype=np.int64)),))


Source = Scan | Table | Numbers


class Scans:
    """The open scans of some operators; a scan is opened again when one of its files has changed."""

    def __init__(self, operators: Sequence[ops.Operator]) -> None:
        self._leaves = [leaf for op in operators for leaf in sources(op) if isinstance(leaf, ops.Scan)]
        self._open: dict[int, tuple[Any, Scan]] = {}

    def current(self, cache: ColumnCache) -> dict[int, Scan]:
        """Each scan by its wire node, for the files as they are now."""
        return {leaf.node: self._scan(leaf, cache) for leaf in self._leaves}

    def _scan(self, leaf: ops.Scan, cache: ColumnCache) -> Scan:
        found = self._open.get(leaf.node)
        state = _state_of_files(leaf)
        if found is None or found[0] != state:
            found = self._open[leaf.node] = (state, open_scan(leaf.spec, cache))
        return found[1]


def _state_of_files(leaf: ops.Scan) -> Any:
    """What changes when a file of the scan is written again; None, never equal to itself, if one is gone."""
    try:
        return [(s.st_mtime_ns, s.st_ino, s.st_size) for s in (Path(file.path).stat() for file in leaf.spec.files)]
    except OSError:
        return float("nan")


def open_tables(operators: Sequence[ops.Operator], inputs: Mapping[int, str]) -> dict[int, Table | Numbers]:
    """Every other leaf: Spark's rows from the files in `inputs`, local relations, ranges."""
    tables: dict[int, Table | Numbers] = {}
    for leaf in (leaf for operator in operators for leaf in sources(operator)):
        if isinstance(leaf, ops.Input):
            tables[leaf.node] = _input(leaf, inputs[leaf.node])
        elif isinstance(leaf, ops.Values):
            tables[leaf.node] = _values(leaf)
        elif isinstance(leaf, ops.Range):
            tables[leaf.node] = Numbers(range(leaf.start, leaf.end, leaf.step))
    return tables


def general_layouts(attrs: Sequence[AttributeReference]) -> tuple[Layout, ...]:
    """The layouts of columns that nothing is known of."""
    return tuple(Layout(attr.type) for attr in attrs)


def _input(leaf: ops.Input, path: str) -> Table:
    schema = [(attr.label, attr.type, True) for attr in leaf.attrs]
    return Table(general_layouts(leaf.attrs), tuple(read_stream(path, schema)))


def _values(leaf: ops.Values) -> Table:
    columns = tuple(column_of([row[index] for row in leaf.rows], attr.type) for index, attr in enumerate(leaf.attrs))
    return Table(general_layouts(leaf.attrs), (Batch(len(leaf.rows), columns),))


def column_of(values: Sequence[Any], type_: DataType) -> Column:
    """A plain column of kernel-form values."""
    missing = np.array([value is None for value in values], np.bool_)
    ok = None if not missing.any() else (~missing).astype(np.uint8)
    if type_.is_stringlike:
        texts = [value or b"" for value in values]
        offsets = np.zeros(len(texts) + 1, np.int32)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        return Column(offsets, ok, np.frombuffer(b"".join(texts) + bytes(8), np.uint8))
    if type_.kind is Kind.WIDE:
        words = [word for value in values for word in words_of(value or 0)]
        return Column(np.array(words, np.int64), ok)
    return Column(np.array([0 if value is None else value for value in values]).astype(type_.storage), ok)


def words_of(value: int) -> tuple[int, int]:
    """The low and the high 64-bit word of a 128-bit integer, both signed."""
    low = value & (2**64 - 1)
    return low - ((low >> 63) << 64), value >> 64
