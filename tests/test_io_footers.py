"""Footers: the compact protocol, schemas and statistics, compared with pyarrow's own reading of the same files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyflare.errors import Unsupported
from pyflare.io.cache import ColumnCache
from pyflare.io.chunktable import ChunkTable
from pyflare.io.footers import Footer, read_footer
from pyflare.io.schema import Field
from pyflare.io.thrift import flatten
from tests.test_io_parquet import TYPES, WRITERS, column

if TYPE_CHECKING:
    from pathlib import Path

OLD_HIGH, OLD_LOW, HIGH, LOW = 7, 8, 9, 10


def footer_of(path: Path) -> Footer:
    """A file's footer."""
    return read_footer(str(path), ColumnCache(0))


def varint(number: int) -> bytes:
    """An unsigned number of the compact protocol."""
    data = b""
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return data + bytes([number])


def flat(data: bytes) -> list[tuple[int, int, int]] | None:
    """The events in some bytes."""
    events = flatten(np.frombuffer(data, np.uint8))
    if events is None:
        return None
    return list(zip(events.paths.tolist(), events.values.tolist(), events.lengths.tolist(), strict=True))


@pytest.mark.parametrize("writer", WRITERS)
def test_what_pyarrow_says(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "t.parquet"
    nested = {"list": [[1]] * 100, "struct": [{"x": 1}] * 100}
    table = pa.table({kind: column(kind, 100, 0.2) for kind in TYPES} | nested)
    pq.write_table(table, path, row_group_size=30, **WRITERS[writer])
    metadata, footer = pq.read_metadata(path), footer_of(path)
    assert footer.rows == tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    assert footer.properties == (metadata.metadata or {})
    assert footer.writer == metadata.created_by
    assert footer.schema.nested == {"struct"}
    assert [field.name for field in footer.schema.fields if field.is_list] == ["list"]
    assert footer.schema.leaves == tuple(metadata.schema.column(leaf).physical_type for leaf in range(len(TYPES) + 2))
    for field in footer.schema.fields:
        if field.is_list:
            assert metadata.schema.column(field.leaf).path == "list.list.element"
            assert {(i.rows, i.nulls, i.low) for i in footer.chunks(field)} == {(30, None, None), (10, None, None)}
            continue
        assert field.name == metadata.schema.column(field.leaf).name
        assert _logical(field.logical) == metadata.schema.column(field.leaf).logical_type.type
        for group, info in enumerate(footer.chunks(field)):
            _compare(info, metadata.row_group(group).column(field.leaf))


def _logical(name: str) -> str:
    return name.upper()


def _compare(info: Any, chunk: Any) -> None:
    assert info.compressed == chunk.total_compressed_size
    assert info.codec == {"LZ4": "LZ4_RAW"}.get(chunk.compression, chunk.compression) or info.codec == chunk.compression
    found = chunk.statistics
    assert info.nulls == (found.null_count if found is not None and found.has_null_count else None)
    if found is not None and found.has_min_max:
        assert (info.low, info.high) == (found.min_raw, found.max_raw)
    else:
        assert (info.low, info.high) == (None, None)


def test_files_of_one_schema_share_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pq.write_table(pa.table({"x": [name]}), tmp_path / name)
    assert footer_of(tmp_path / "a").schema is footer_of(tmp_path / "b").schema


def test_dictionaries_count_only_if_they_hold_every_value(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    few, many = ["x", "y"] * 20_000, [str(number) * 10 for number in range(40_000)]
    pq.write_table(pa.table({"few": few, "many": many}), path, dictionary_pagesize_limit=10_000)
    infos = [footer_of(path).chunks(field)[0] for field in footer_of(path).schema.fields]
    assert infos[0].dictionary is not None
    assert infos[1].dictionary is None


def test_encryption_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1" + bytes(20) + b"PARE")
    with pytest.raises(Unsupported, match="encrypted"):
        footer_of(path)


def test_footers_longer_than_one_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    schema = pa.schema([pa.field("a", pa.int64())], metadata={"note": "x" * 200_000})
    pq.write_table(pa.table({"a": [1]}, schema=schema), path)
    assert len(footer_of(path).properties[b"note"]) == 200_000


def test_structs_lists_and_numbers() -> None:
    number, text, inner = b"\x15\x05", b"\x18\x02hi", b"\x1c\x15\x02\x00"
    assert flat(number + b"\x00") == [(1, -3, 0)]
    assert flat(text + b"\x00") == [(1, 2, 2)]
    assert flat(inner + b"\x00") == [(1, 0, 0), (65, 1, 0)]
    assert flat(b"\x11\x12\x00") == [(1, 1, 0), (2, 0, 0)]
    assert flat(b"\x19\x2c\x15\x02\x00\x15\x04\x00\x00") == [(1, 0, 0), (65, 1, 0), (1, 0, 0), (65, 2, 0)]
    assert flat(b"\x19\xf5" + varint(20) + b"\x02" * 20 + b"\x00") == [(1, 1, 0)] * 20
    assert flat(b"\x05\xfe\xff\x03\x02\x00") == [(-1, 1, 0)]
    assert flat(b"\x17" + bytes(8) + b"\x00") == [(1, 1, 8)]


MALFORMED: Final = [
    *(b"", b"\x15", b"\x15\x80", b"\x15" + b"\xff" * 11, b"\x18\x7fshort"),
    b"\x09\x01\x00\xc0",  # a list in a field with a negative id
    *(b"\x19\xf5", b"\x19\x2c\x00", b"\x1b\x00", b"\x1e\x00"),
]


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed_structs(data: bytes) -> None:
    assert flat(data) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    flat(data)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_footers_are_parsed_or_refused(flips: list[tuple[int, int]]) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"], "c": [[1], [2]]}), sink, row_group_size=1)
    whole = sink.getvalue()
    length = int.from_bytes(whole[-8:-4], "little")
    footer = bytearray(whole[-8 - length : -8])
    for position, byte in flips:
        footer[position % length] = byte
    flat(bytes(footer))


INT32: Final = Field("c", 0, "INT32", 0, "None", (), False)
UINT32: Final = Field("c", 0, "INT32", 0, "Int", (("bitWidth", 32), ("isSigned", False)), False)
TEXT: Final = Field("c", 0, "BYTE_ARRAY", 0, "String", (), False)
FIXED: Final = Field("c", 0, "FIXED_LEN_BYTE_ARRAY", 4, "None", (), False)


@pytest.mark.parametrize(
    ("field", "kinds", "trusts_order", "bounds"),
    [
        (INT32, (LOW, HIGH), True, (1, 2)),
        (INT32, (LOW, HIGH), False, (None, None)),
        (INT32, (OLD_LOW, OLD_HIGH), False, (1, 2)),
        (INT32, (LOW, OLD_HIGH), True, (None, None)),
        (UINT32, (OLD_LOW, OLD_HIGH), True, (None, None)),
        (TEXT, (LOW, HIGH), True, (b"\1\0\0\0", b"\2\0\0\0")),
        (TEXT, (OLD_LOW, OLD_HIGH), True, (None, None)),
        (FIXED, (LOW, HIGH), True, (b"\1\0\0\0", b"\2\0\0\0")),
    ],
)
def test_which_bounds_count(field: Field, kinds: tuple[int, int], trusts_order: bool, bounds: tuple[Any, Any]) -> None:
    items = np.full((1, 11, 2), -1, np.int64)
    items[0, 2:4, 0] = 5
    items[0, kinds[0]], items[0, kinds[1]] = (0, 4), (4, 4)
    info = ChunkTable(items, np.zeros(1, np.bool_), b"\1\0\0\0\2\0\0\0", 1).info(field, 0, 5, trusts_order)
    assert (info.low, info.high) == bounds


def test_bounds_of_the_wrong_length_do_not_count() -> None:
    items = np.full((1, 11, 2), -1, np.int64)
    items[0, 2:4, 0] = 5
    items[0, LOW], items[0, HIGH] = (0, 3), (4, 4)
    info = ChunkTable(items, np.zeros(1, np.bool_), bytes(8), 1).info(INT32, 0, 5, True)
    assert info.low is None
