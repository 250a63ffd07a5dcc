"""Join tables: one side of a join with its rows grouped by key, and how a probe finds a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyflare.codegen.generate import Generated
from pyflare.codegen.joins import JoinSpec
from pyflare.io.columns import Array, Batch, Column, Encoding, Layout
from pyflare.run.table import Table, codes_as_views, concatenated, empty_column, taken
from pyflare.runtime.aggregation import find_or_insert
from pyflare.runtime.joins import hash_keys, rows_by_group
from pyflare.types import Kind


@dataclass(frozen=True)
class JoinTable:
    """Rows grouped by key: those of group g are at `starts[g] … starts[g + 1]` of `batch`.

    The batch has one row more, for outer joins. `arrays` is what the probing kernel's parameters are bound to:
    `starts`, the hash table's `slots`, `hashes` and `keys`, `hit` (one byte a row, set by the probes of a full join),
    and facts as numbers.
    """

    batch: Batch
    rows: int
    arrays: dict[str, Any]

    @property
    def nbytes(self) -> int:
        parts = [c.data.nbytes for c in self.batch.columns]
        return sum(parts) + sum(a.nbytes for a in self.arrays.values() if isinstance(a, np.ndarray))


def build_table(table: Table, build: Generated) -> JoinTable:
    """Group a table's rows by the keys of a build node."""
    spec = build.spec
    assert isinstance(spec, JoinSpec)
    batch = concatenated(table)
    layouts = build.shape.layouts
    keys = [(batch.columns[index], layouts[index]) for index in spec.keys]
    valid = _valid(keys, batch.length)
    places, groups, arrays = (
        _dense(spec, keys, batch.length) if spec.dense else _hashed(spec, keys, batch.length, valid)
    )
    if valid is not None:
        places = np.where(valid, places, -1)
    starts, order = rows_by_group(places, groups)
    arrays["starts"] = starts[: groups + 1]
    arrays["rows"] = batch.length
    arrays["has_null"] = int(valid is not None and not valid.all())
    arrays["hit"] = np.zeros(batch.length if spec.marks else 0, np.uint8)
    return JoinTable(_grouped(batch, layouts, order), batch.length, arrays)


def _grouped(batch: Batch, layouts: tuple[Layout, ...], order: Array) -> Batch:
    """The rows in order, and one more: what an outer join reads, and ignores, where nothing matches."""
    if batch.length == 0:
        columns = tuple(_one_row(layout) for layout in layouts)
        return Batch(1, columns)
    return taken(batch, layouts, np.append(order, 0))


def _one_row(layout: Layout) -> Column:
    width = 2 if layout.type.kind is Kind.WIDE else 1
    column = empty_column(layout)
    lengths = None if column.lengths is None else np.zeros(1, np.int32)
    return Column(np.zeros(width, column.data.dtype), np.zeros(1, np.uint8), None, lengths, column.dictionary)


def _valid(keys: list[tuple[Column, Layout]], length: int) -> Array | None:
    nullable = [column.ok for column, _ in keys if column.ok is not None]
    if not nullable:
        return None
    valid = np.ones(length, np.bool_)
    for ok in nullable:
        valid &= ok != 0
    return valid


def _dense(spec: JoinSpec, keys: list[tuple[Column, Layout]], length: int) -> tuple[Array, int, dict[str, Any]]:
    """The group is the key's distance from the smallest."""
    if not keys:
        return np.zeros(length, np.int64), 1, {}
    column, layout = keys[0]
    values = column.data[::2] if layout.type.kind is Kind.WIDE else column.data
    places = values.astype(np.int64) - spec.low
    return places, spec.span, {}


def _hashed(
    spec: JoinSpec, keys: list[tuple[Column, Layout]], length: int, valid: Array | None
) -> tuple[Array, int, dict[str, Any]]:
    """The group is the key's number in an open-addressing table."""
    texts = np.array(spec.texts, np.uint8)
    words = np.ascontiguousarray(np.stack([word for key in keys for word in _words(*key)], axis=1)).ravel()
    rows = np.arange(length) if valid is None else np.flatnonzero(valid)
    if len(rows) < length:
        words = np.ascontiguousarray(words.reshape(length, -1)[rows]).ravel()
    hashes = hash_keys(words, texts, len(rows))
    capacity = max(16, 1 << (2 * len(rows)).bit_length())
    slots = np.full(capacity, -1, np.int32)
    kept_hashes, kept_keys = np.zeros(max(len(rows), 1), np.uint64), np.zeros(max(len(words), 1), np.int64)
    found, groups = find_or_insert(slots, kept_hashes, kept_keys, texts, 0, hashes, words, len(rows))
    places = np.full(length, -1, np.int64)
    places[rows] = found
    return places, int(groups), {"slots": slots, "hashes": kept_hashes, "keys": kept_keys}


def _words(column: Column, layout: Layout) -> list[Array]:
    """A key column as int64 words."""
    kind = layout.type.kind
    if kind is Kind.STR:
        views = codes_as_views(column) if layout.encoding is Encoding.CODES else column
        assert views.lengths is not None
        return [views.data.view(np.int64), views.lengths.astype(np.int64)]
    if kind is Kind.WIDE:
        pairs = column.data.reshape(-1, 2)
        return [pairs[:, 0], pairs[:, 1]]
    if kind is Kind.F64:
        return [column.data.view(np.int64)]
    if kind is Kind.F32:
        return [column.data.view(np.int32).astype(np.int64)]
    return [column.data.astype(np.int64)]


def unmatched(table: JoinTable, program: Generated) -> Table:
    """The rows that no probe has hit, after nulls for the probe's columns."""
    rows = np.flatnonzero(table.arrays["hit"] == 0)
    layouts = program.shape.layouts
    kept = len(program.inputs[0].shape.layouts)
    missing = tuple(_nulls(layout, len(rows)) for layout in layouts[: len(layouts) - kept])
    found = taken(table.batch, layouts[len(layouts) - kept :], rows)
    return Table(layouts, (Batch(len(rows), (*missing, *found.columns), (table.batch,)),))


def _nulls(layout: Layout, rows: int) -> Column:
    width = 2 if layout.type.kind is Kind.WIDE else 1
    if layout.encoding is Encoding.VIEWS:
        return Column(np.zeros(rows, np.uint64), np.zeros(rows, np.uint8), None, np.zeros(rows, np.int32))
    return Column(np.zeros(rows * width, layout.type.storage), np.zeros(rows, np.uint8))
