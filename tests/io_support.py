"""What the tests of `pyflare.io` share: whole scans as Python values, and the same values from Arrow arrays."""

from __future__ import annotations

import decimal
import struct
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pyflare.io.cache import ColumnCache
from pyflare.io.columns import Column, Encoding, Layout
from pyflare.io.parquet import Prune, Scan, ScanColumn, ScanFile, ScanSpec, open_scan
from pyflare.types import DataType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EXACT: Final = decimal.Context(prec=60)


def listed(path: Path, *partition_values: Any) -> ScanFile:
    """A file as Spark would list it."""
    stat = path.stat()
    return ScanFile(str(path), stat.st_size, partition_values)


def scan(
    files: Path | Sequence[ScanFile],
    columns: Mapping[str, DataType] | Sequence[ScanColumn],
    *prune: Prune,
    cache: ColumnCache | None = None,
    case_sensitive: bool = False,
    conf: Mapping[str, str] | None = None,
) -> Scan:
    """Open a scan of one file or of several."""
    listing = (listed(files),) if isinstance(files, Path) else tuple(files)
    wanted = [ScanColumn(*item) for item in columns.items()] if hasattr(columns, "items") else list(columns)
    spec = ScanSpec(listing, tuple(wanted), prune, case_sensitive, conf or {})
    return open_scan(spec, ColumnCache(1 << 30) if cache is None else cache)


def rows(opened: Scan) -> list[list[Any]]:
    """Every column of a scan as Python values in kernel form, checked against what the layouts promise."""
    indices = range(len(opened.layouts))
    columns: list[list[Any]] = [[] for _ in indices]
    for morsel in opened.morsels:
        batch = opened.read(morsel, indices)
        assert batch.length == morsel.length
        for index in indices:
            columns[index] += values(batch.columns[index], opened.layouts[index], batch.length)
    return columns


def values(column: Column, layout: Layout, length: int) -> list[Any]:
    """A column as Python values: unscaled decimals, days, microseconds, bytes, None."""
    assert column.data.flags.c_contiguous
    valid = [True] * length if column.ok is None else [bool(flag) for flag in column.ok]
    assert len(valid) == length
    assert layout.nullable or all(valid)
    found = [value if good else None for value, good in zip(_raw(column, layout, length), valid, strict=True)]
    if layout.low is not None and layout.high is not None:
        assert all(value is None or layout.low <= value <= layout.high for value in found)
    return found


def _raw(column: Column, layout: Layout, length: int) -> list[Any]:
    if layout.type.kind is Kind.STR:
        return _strings(column, layout, length)
    assert column.data.dtype == layout.type.storage
    if layout.type.kind is Kind.WIDE:
        words = column.data.tolist()
        return [(high << 64) | (low & (2**64 - 1)) for low, high in zip(words[::2], words[1::2], strict=True)]
    assert len(column.data) == length
    return [bool(value) if layout.type.kind is Kind.BOOL else value for value in column.data.tolist()]


def _strings(column: Column, layout: Layout, length: int) -> list[bytes | None]:
    assert column.data.dtype == "int32"
    if layout.encoding is Encoding.CODES:
        assert len(column.data) == length
        dictionary = column.dictionary
        assert dictionary is not None
        assert column.ok is None or not column.data[column.ok == 0].any()
        return [dictionary[code] if len(dictionary) else None for code in column.data.tolist()]
    assert column.bytes is not None
    assert len(column.data) == length + 1
    assert column.ok is None or not np.diff(column.data)[column.ok == 0].any()
    ends = column.data.tolist()
    text = column.bytes.tobytes()
    return [text[start:end] for start, end in pairwise(ends)]


def expected(array: pa.ChunkedArray | pa.Array, type_: DataType) -> list[Any]:
    """The values of an Arrow array as `values` gives them."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    match type_.kind:
        case Kind.INT | Kind.WIDE:
            return _integers(array, type_)
        case Kind.STR:
            return list(array.cast(pa.binary()).to_pylist())
        case _:
            return list(array.to_pylist())


def _integers(array: pa.Array, type_: DataType) -> list[int | None]:
    if pa.types.is_decimal(array.type):
        found = array.to_pylist()
        return [None if value is None else int(value.scaleb(type_.scale, _EXACT)) for value in found]
    width = array.type.bit_width
    plain = array.view(pa.int32() if width == 32 else pa.int64()) if pa.types.is_temporal(array.type) else array
    return list(plain.to_pylist())


def same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Equality that tells -0.0 from 0.0 and takes NaN for equal to itself."""
    return [_bits(value) for value in left] == [_bits(value) for value in right]


def _bits(value: Any) -> Any:
    return struct.pack("d", value) if isinstance(value, float) else value
