"""Files that pyarrow writes, read by `pyflare.io.parquet`: types, encodings, row groups, damage, change, threads."""

from __future__ import annotations

import datetime
import decimal as decimals
import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflare.errors import ExecutionError, Unsupported
from pyflare.io import parquet
from pyflare.io.cache import ColumnCache
from pyflare.io.columns import Encoding
from pyflare.io.pages import kernels
from pyflare.io.parquet import ScanColumn
from pyflare.types import DataType, decimal
from tests.io_support import expected, listed, rows, same, scan

if TYPE_CHECKING:
    from pathlib import Path

TYPES: Final[dict[str, tuple[DataType, pa.DataType]]] = {
    "boolean": (DataType("boolean"), pa.bool_()),
    "byte": (DataType("byte"), pa.int8()),
    "short": (DataType("short"), pa.int16()),
    "integer": (DataType("integer"), pa.int32()),
    "long": (DataType("long"), pa.int64()),
    "unsigned8": (DataType("short"), pa.uint8()),
    "unsigned16": (DataType("integer"), pa.uint16()),
    "unsigned32": (DataType("long"), pa.uint32()),
    "unsigned64": (decimal(20, 0), pa.uint64()),
    "float": (DataType("float"), pa.float32()),
    "double": (DataType("double"), pa.float64()),
    "date": (DataType("date"), pa.date32()),
    "timestamp": (DataType("timestamp"), pa.timestamp("us", "UTC")),
    "timestamp_ntz": (DataType("timestamp_ntz"), pa.timestamp("us")),
    "decimal5": (decimal(5, 2), pa.decimal128(5, 2)),
    "decimal15": (decimal(15, 2), pa.decimal128(15, 2)),
    "decimal18": (decimal(18, 0), pa.decimal128(18, 0)),
    "decimal19": (decimal(19, 4), pa.decimal128(19, 4)),
    "decimal38": (decimal(38, 10), pa.decimal128(38, 10)),
    "string": (DataType("string"), pa.string()),
    "large_string": (DataType("string"), pa.large_string()),
    "string_view": (DataType("string"), pa.string_view()),
    "binary": (DataType("binary"), pa.binary()),
    "fixed": (DataType("binary"), pa.binary(7)),
    "category": (DataType("string"), pa.dictionary(pa.int16(), pa.string())),
}

WRITERS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "plain": {"use_dictionary": False, "compression": "none"},
    "v2": {"data_page_version": "2.0", "compression": "zstd"},
    "v2 plain": {"data_page_version": "2.0", "use_dictionary": False, "compression": "gzip"},
    "small pages": {"data_page_size": 256, "dictionary_pagesize_limit": 512, "compression": "lz4"},
    "integer decimals": {"store_decimal_as_integer": True, "compression": "brotli"},
    "no statistics": {"write_statistics": False, "store_schema": False},
    "old": {"version": "1.0", "use_deprecated_int96_timestamps": True},
}


@pytest.fixture(scope="module", autouse=True)
def page_decoder() -> None:
    """What our own decoder can read, it reads."""
    kernels.prepare()


def column(kind: str, length: int, nulls: float, seed: int = 1) -> pa.Array:
    """Random values of a kind: few distinct ones in strings, extremes among the numbers."""
    chance = random.Random(f"{kind}{seed}")
    arrow = TYPES[kind][1]
    found = [None if chance.random() < nulls else _value(kind, arrow, chance) for _ in range(length)]
    return pa.array(found, arrow)


def _value(kind: str, arrow: pa.DataType, chance: random.Random) -> Any:
    if pa.types.is_boolean(arrow):
        return chance.random() < 0.5
    if pa.types.is_integer(arrow):
        signed = pa.types.is_signed_integer(arrow)
        top = 2 ** (arrow.bit_width - signed) - 1
        return chance.choice(
            [0, top, -top - 1 if signed else 1, chance.randint(0, min(top, 99)), chance.randint(0, top)]
        )
    if pa.types.is_floating(arrow):
        return chance.choice([0.0, -0.0, float("nan"), float("inf"), -float("inf"), chance.randint(-9, 9) / 4])
    if pa.types.is_date(arrow):
        return datetime.date(1970, 1, 1) + datetime.timedelta(chance.randint(-140000, 30000))
    if pa.types.is_timestamp(arrow):
        return datetime.datetime(1970, 1, 1) + datetime.timedelta(
            0, chance.randint(-(10**9), 10**9), chance.randint(0, 9**6)
        )
    if pa.types.is_decimal(arrow):
        top = 10**arrow.precision - 1
        unscaled = chance.choice([0, top, -top, chance.randint(-99, 99), chance.randint(-top, top)])
        return decimals.Decimal(unscaled).scaleb(-arrow.scale, decimals.Context(prec=50))
    length = 7 if kind == "fixed" else chance.choice([0, 1, 5, 30])
    text = "".join(chance.choice("aé") for _ in range(length))
    return text.encode()[:length].ljust(length, b"x") if "binary" in str(arrow) else text


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
def test_reads_what_pyarrow_wrote(tmp_path: Path, writer: str, nulls: float) -> None:
    table = pa.table({kind: column(kind, 1000, nulls) for kind in TYPES})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=300, **WRITERS[writer])
    found = rows(scan(tmp_path / "t.parquet", {kind: type_ for kind, (type_, _) in TYPES.items()}))
    for kind, values in zip(TYPES, found, strict=True):
        assert same(values, expected(table[kind], TYPES[kind][0])), kind


@pytest.mark.parametrize("kind", TYPES)
def test_required_columns_are_not_nullable(tmp_path: Path, kind: str) -> None:
    type_, arrow = TYPES[kind]
    array = column(kind, 500, 0)
    schema = pa.schema([pa.field("c", arrow, nullable=False)])
    pq.write_table(pa.table([array], schema=schema), tmp_path / "t.parquet", write_statistics=False)
    opened = scan(tmp_path / "t.parquet", {"c": type_})
    assert not opened.layouts[0].nullable
    assert same(rows(opened)[0], expected(array, type_))


@pytest.mark.parametrize("kind", ["integer", "decimal38", "string", "boolean", "double", "decimal5"])
@pytest.mark.parametrize("codes", [True, False])
def test_large_row_groups_are_read_in_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, codes: bool
) -> None:
    monkeypatch.setattr(parquet, "SLICE_ROWS", 100)
    type_, _ = TYPES[kind]
    array = column(kind, 1000, 0.2)
    pq.write_table(pa.table({"c": array}), tmp_path / "t.parquet", row_group_size=450, use_dictionary=codes)
    cache = ColumnCache(0)
    opened = scan(tmp_path / "t.parquet", {"c": type_}, cache=cache)
    assert [morsel.length for morsel in opened.morsels] == [113, 113, 113, 111, 113, 113, 113, 111, 100]
    assert same(rows(opened)[0], expected(array, type_))
    assert cache.stats().misses == 3


def test_empty_files_and_row_groups(tmp_path: Path) -> None:
    empty = pa.table({kind: pa.array([], arrow) for kind, (_, arrow) in TYPES.items()})
    columns = {kind: type_ for kind, (type_, _) in TYPES.items()}
    pq.write_table(empty, tmp_path / "none.parquet")
    pq.ParquetWriter(tmp_path / "groupless.parquet", empty.schema).close()
    (tmp_path / "nothing.parquet").touch()
    opened = scan([listed(tmp_path / f"{name}.parquet") for name in ("none", "groupless", "nothing")], columns)
    assert (opened.rows, opened.morsels, opened.bytes) == (0, (), 0)
    assert scan([], columns).morsels == ()


def test_strings_become_codes_where_dictionaries_pay(tmp_path: Path) -> None:
    few = [f"kind {index % 7}" for index in range(20_000)]
    many = [f"row {index}" for index in range(20_000)]
    pq.write_table(pa.table({"few": few, "many": many}), tmp_path / "t.parquet", row_group_size=5_000)
    opened = scan(tmp_path / "t.parquet", {"few": DataType("string"), "many": DataType("string")})
    assert [layout.encoding for layout in opened.layouts] == [Encoding.CODES, Encoding.PLAIN]
    assert rows(opened) == [[text.encode() for text in few], [text.encode() for text in many]]
    dictionaries = [opened.read(morsel, [0]).columns[0].dictionary for morsel in opened.morsels]
    assert all(dictionary is dictionaries[0] for dictionary in dictionaries)


def test_codes_agree_between_files(tmp_path: Path) -> None:
    files: dict[str, list[str | None]] = {"a": ["x", "y"], "b": ["y", "z"], "c": ["z", None]}
    for name, texts in files.items():
        pq.write_table(pa.table({"c": texts * 5_000}), tmp_path / f"{name}.parquet")
    opened = scan([listed(tmp_path / f"{name}.parquet") for name in "abc"], {"c": DataType("string")})
    codes: dict[int, bytes] = {}
    for morsel in opened.morsels:
        part = opened.read(morsel, [0]).columns[0]
        assert part.dictionary is not None
        for code in np.unique(part.data).tolist():
            assert codes.setdefault(code, part.dictionary[code]) == part.dictionary[code]
    assert sorted(codes.values()) == [b"x", b"y", b"z"]


def test_missing_columns_are_null(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"a": [3, 4], "b": ["x", None], "d": [1.5, 2.5]}), tmp_path / "new.parquet")
    columns = {"a": DataType("long"), "b": DataType("string"), "c": DataType("string"), "d": DataType("double")}
    opened = scan([listed(tmp_path / "old.parquet"), listed(tmp_path / "new.parquet")], columns)
    assert rows(opened) == [[1, 2, 3, 4], [None, None, b"x", None], [None] * 4, [None, None, 1.5, 2.5]]
    assert [layout.nullable for layout in opened.layouts] == [False, True, True, True]


def test_partition_values(tmp_path: Path) -> None:
    kinds = [DataType("integer"), DataType("string"), decimal(25, 2), DataType("date"), DataType("double")]
    files = []
    for number, text in enumerate([b"x", None, b"y"]):
        path = tmp_path / f"p={number}" / "t.parquet"
        path.parent.mkdir()
        pq.write_table(pa.table({"a": [number]}), path)
        files.append(listed(path, number, text, -(10**20) * number, None, -0.0))
    columns = [ScanColumn("a", DataType("long"))] + [ScanColumn(f"p{i}", kind, i) for i, kind in enumerate(kinds)]
    opened = scan(files, columns)
    found = rows(opened)
    assert found[:5] == [[0, 1, 2], [0, 1, 2], [b"x", None, b"y"], [0, -(10**20), -2 * 10**20], [None] * 3]
    assert same(found[5], [-0.0] * 3)
    assert [layout.nullable for layout in opened.layouts] == [False, False, True, False, True, False]
    assert [(layout.low, layout.high) for layout in opened.layouts[1:5]] == [
        (0, 2),
        (None, None),
        (-2 * 10**20, 0),
        (None, None),
    ]


def test_names_are_matched_as_the_session_says(tmp_path: Path) -> None:
    pq.write_table(pa.table({"Key": [1], "a.b": [2]}), tmp_path / "t.parquet")
    assert rows(scan(tmp_path / "t.parquet", {"kEY": DataType("long"), "A.B": DataType("long")})) == [[1], [2]]
    assert rows(scan(tmp_path / "t.parquet", {"kEY": DataType("long")}, case_sensitive=True)) == [[None]]
    pq.write_table(pa.table({"Key": [1], "key": [2]}), tmp_path / "two.parquet")
    assert rows(scan(tmp_path / "two.parquet", {"key": DataType("long")}, case_sensitive=True)) == [[2]]
    with pytest.raises(Unsupported, match="ambiguous"):
        scan(tmp_path / "two.parquet", {"key": DataType("long")})


def test_nested_columns_are_refused_only_when_asked_for(tmp_path: Path) -> None:
    table = pa.table(
        {"a": [1], "list": [[[1]]], "x.y": [{"z": 1}], "map": pa.array([[(1, 2)]], pa.map_(pa.int8(), pa.int8()))}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    assert rows(scan(tmp_path / "t.parquet", {"a": DataType("long")})) == [[1]]
    for name in ("list", "x.y", "map", "LIST"):
        with pytest.raises(Unsupported, match=f"column {name} is nested"):
            scan(tmp_path / "t.parquet", {name: DataType("long")})


def test_settings_that_cannot_be_matched_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(Unsupported, match="field id"):
        scan(tmp_path / "t.parquet", {"a": DataType("long")}, conf={"spark.sql.parquet.fieldId.read.enabled": "true"})
    with pytest.raises(Unsupported, match="vectorized"):
        scan(
            tmp_path / "t.parquet", {"a": DataType("long")}, conf={"spark.sql.parquet.enableVectorizedReader": "false"}
        )
    with pytest.raises(Unsupported, match="row index"):
        scan(tmp_path / "t.parquet", {"_tmp_metadata_row_index": DataType("long")})


def test_files_that_are_missing_or_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(10_000))}), path)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:-8] + b"\xff\xff\xff\x7fPAR1", b"PAR1", b"no"):
        path.write_bytes(damaged)
        with pytest.raises(ExecutionError, match=r"t\.parquet"):
            scan(path, {"a": DataType("long")})
    gone = listed(path)
    path.unlink()
    with pytest.raises(ExecutionError, match=r"t\.parquet"):
        scan([gone], {"a": DataType("long")})


def test_flipped_bytes_never_crash(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({kind: column(kind, 400, 0.2) for kind in ("integer", "string", "decimal15", "boolean", "double")})
    columns = {kind: TYPES[kind][0] for kind in table.column_names}
    chance = random.Random(7)
    for writer in ("default", "v2", "small pages", "plain"):
        pq.write_table(table, path, **WRITERS[writer])
        whole = path.read_bytes()
        for _ in range(60):
            damaged = bytearray(whole)
            for _ in range(3):
                damaged[chance.randrange(4, len(damaged))] = chance.randrange(256)
            path.write_bytes(damaged)
            try:
                rows(scan(path, columns))
            except (ExecutionError, Unsupported):
                continue


def test_a_file_cut_off_after_opening(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": np.random.default_rng(1).integers(0, 2**60, 100_000)}), path)
    opened = scan(path, {"a": DataType("long")})
    os.truncate(path, 1000)
    with pytest.raises(ExecutionError, match="changed"):
        rows(opened)


def test_a_rewritten_file_is_never_stale(tmp_path: Path) -> None:
    path, cache = tmp_path / "t.parquet", ColumnCache(1 << 30)
    for number in range(20):
        pq.write_table(pa.table({"a": [number]}), tmp_path / "next")
        if number % 2:
            path.write_bytes((tmp_path / "next").read_bytes())
        else:
            (tmp_path / "next").replace(path)
        os.utime(path, ns=(0, 0))
        assert rows(scan(path, {"a": DataType("long")}, cache=cache)) == [[number]]
        assert rows(scan(path, {"a": DataType("long")}, cache=cache)) == [[number]]
    assert cache.stats().hits == 20


def test_decimals_beyond_their_precision_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    options: dict[str, Any] = {"store_decimal_as_integer": True, "use_dictionary": False, "compression": "none"}
    pq.write_table(pa.table({"a": pa.array([10**17], pa.decimal128(18, 0))}), path, write_statistics=False, **options)
    assert rows(scan(path, {"a": decimal(18, 0)})) == [[10**17]]
    data = path.read_bytes()
    pq.write_table(pa.table({"a": pa.array([1], pa.decimal128(10, 0))}), path, write_statistics=False, **options)
    footer = path.read_bytes()
    path.write_bytes(data[: _footer_start(data)] + footer[_footer_start(footer) :])
    with pytest.raises(ExecutionError, match="beyond"):
        rows(scan(path, {"a": decimal(10, 0)}))


def test_names_with_dots_are_read_as_codes(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a.b": ["x", "y"] * 5_000, "a": ["z"] * 10_000}), path)
    opened = scan(path, {"a.b": DataType("string"), "a": DataType("string")})
    assert [layout.encoding for layout in opened.layouts] == [Encoding.CODES, Encoding.CODES]
    assert rows(opened) == [[b"x", b"y"] * 5_000, [b"z"] * 10_000]


def test_a_file_of_another_size_than_listed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    before = listed(path)
    pq.write_table(pa.table({"a": [1, 2, 3], "b": [1, 2, 3]}), path)
    with pytest.raises(ExecutionError, match="listed"):
        scan([before], {"a": DataType("long")})


def test_statistics_that_lie_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    low, high = 1_000_003, 1_000_007
    honest = _file_bytes(path, [low, high])
    other = _file_bytes(path, [low, high + 1])
    path.write_bytes(other[: _footer_start(other)] + honest[_footer_start(honest) :])
    opened = scan(path, {"a": DataType("long")})
    assert (opened.layouts[0].low, opened.layouts[0].high) == (low, high)
    with pytest.raises(ExecutionError, match="statistics"):
        rows(opened)


def test_nulls_that_the_statistics_deny_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    honest = _file_bytes(path, [1, 2, 3, 4])
    other = _file_bytes(path, [1, None, 3, 4])
    path.write_bytes(other[: _footer_start(other)] + honest[_footer_start(honest) :])
    opened = scan(path, {"a": DataType("long")})
    assert not opened.layouts[0].nullable
    with pytest.raises(ExecutionError):
        rows(opened)


def _file_bytes(path: Path, numbers: list[int | None]) -> bytes:
    pq.write_table(pa.table({"a": numbers}), path, use_dictionary=False, compression="none")
    return path.read_bytes()


def _footer_start(whole: bytes) -> int:
    return len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")


def test_threads_read_the_same_and_decode_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "SLICE_ROWS", 1_000)
    table = pa.table({kind: column(kind, 20_000, 0.1) for kind in ("integer", "string", "decimal15", "double")})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=5_000)
    columns = {kind: TYPES[kind][0] for kind in table.column_names}
    cache = ColumnCache(1 << 30)
    opened = scan(tmp_path / "t.parquet", columns, cache=cache)
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda morsel: opened.read(morsel, [0, 2, 3]), opened.morsels))
    assert np.concatenate([batch.columns[0].data for batch in batches]).shape == (20_000,)
    assert cache.stats().misses == 12
    assert same(rows(opened)[0], expected(table["integer"], DataType("integer")))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.one_of(st.none(), st.binary(max_size=12)), max_size=60),
    group=st.integers(1, 20),
    dictionary=st.booleans(),
    version=st.sampled_from(["1.0", "2.0"]),
)
def test_any_bytes(tmp_path: Path, texts: list[bytes | None], group: int, dictionary: bool, version: str) -> None:
    table = pa.table({"c": pa.array(texts, pa.binary())})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, row_group_size=group, use_dictionary=dictionary, data_page_version=version)
    assert rows(scan(path, {"c": DataType("binary")})) == [texts]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=60),
    group=st.integers(1, 20),
    encoding=st.sampled_from(["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]),
)
def test_any_longs(tmp_path: Path, numbers: list[int | None], group: int, encoding: str) -> None:
    table = pa.table({"c": pa.array(numbers, pa.int64())})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, row_group_size=group, use_dictionary=False, column_encoding=encoding)
    opened = scan(path, {"c": DataType("long")})
    assert rows(opened) == [numbers]
    if any(number is not None for number in numbers):
        assert opened.layouts[0].low == min(number for number in numbers if number is not None)
