"""Our own page decoder against pyarrow's: every form of the chunks it knows, damage, and when it is not ready."""

from __future__ import annotations

import random
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflare.errors import ExecutionError, Unsupported
from pyflare.io.cache import Chunk, ColumnCache
from pyflare.io.columns import Column, Encoding
from pyflare.io.pages import kernels, reader
from pyflare.io.pages.kernels import Kernels
from pyflare.io.pages.snappy import PADDING
from pyflare.types import DataType, decimal
from tests.io_support import rows, scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TYPES: Final[dict[str, tuple[DataType, pa.DataType]]] = {
    "byte": (DataType("byte"), pa.int8()),
    "unsigned16": (DataType("integer"), pa.uint16()),
    "integer": (DataType("integer"), pa.int32()),
    "long": (DataType("long"), pa.int64()),
    "widened": (DataType("long"), pa.int32()),
    "date": (DataType("date"), pa.date32()),
    "timestamp": (DataType("timestamp"), pa.timestamp("us", "UTC")),
    "decimal5": (decimal(5, 2), pa.decimal128(5, 2)),
    "decimal18": (decimal(18, 2), pa.decimal128(18, 2)),
    "float": (DataType("float"), pa.float32()),
    "double": (DataType("double"), pa.float64()),
    "string": (DataType("string"), pa.string()),
    "binary": (DataType("binary"), pa.binary()),
}
SHAPES: Final = ("few", "growing", "many", "one")
ROWS: Final = 3000


@pytest.fixture(scope="module")
def ready() -> Kernels:
    """The decoder, compiled."""
    return kernels.prepare()


@pytest.fixture
def decoded(ready: Kernels, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the decoder read each chunk that was asked for, in order."""
    outcomes: list[bool] = []

    def read_chunk(*arguments: Any) -> Chunk | None:
        found = reader.read_chunk(*arguments)
        outcomes.append(found is not None)
        return found

    monkeypatch.setattr("pyflare.io.chunks.read_chunk", read_chunk)
    return outcomes


def numbers(shape: str, top: int, chance: np.random.Generator) -> np.ndarray[Any, Any]:
    """Integers below `top`: few distinct ones, some in the middle, nearly all distinct, or the same throughout."""
    many = chance.integers(0, top, ROWS)
    if shape == "few":
        return many[:7][chance.integers(0, 7, ROWS)]
    if shape == "growing":
        return np.repeat(np.sort(many)[: ROWS // 10], 10)
    return many if shape == "many" else np.full(ROWS, many[0])


def column(kind: str, shape: str, nulls: float, seed: int = 1) -> pa.Array:
    """Values of a kind, in a shape, with some nulls in runs."""
    arrow, chance = TYPES[kind][1], np.random.default_rng([seed, *kind.encode(), *shape.encode()])
    missing = np.repeat(chance.random(ROWS // 5), 5) < nulls if seed % 2 else chance.random(ROWS) < nulls
    if TYPES[kind][0].is_stringlike:
        texts = [b"v%d" % n * int(n % 9) for n in numbers(shape, 10**6, chance)]
        return pa.array(texts, pa.binary(), mask=missing).cast(arrow)
    if pa.types.is_floating(arrow):
        return pa.array(numbers(shape, 10**6, chance) / 8 - 1000, arrow, mask=missing)
    bits = {"byte": 7, "unsigned16": 16, "decimal5": 16, "long": 62, "timestamp": 50, "decimal18": 59}.get(kind, 20)
    found = numbers(shape, 2**bits, chance) - (0 if kind == "unsigned16" else 2**bits // 3)
    if pa.types.is_decimal(arrow):
        words = np.stack([found, found >> 63], 1).astype(np.int64)
        plain = pa.Array.from_buffers(arrow, ROWS, [None, pa.py_buffer(words)])
        return pa.compute.if_else(pa.array(missing), pa.scalar(None, arrow), plain)
    return pa.array(found, pa.int64(), mask=missing).cast(pa.int32() if pa.types.is_date(arrow) else arrow).cast(arrow)


def by_pyarrow(read: Callable[[], list[Column]]) -> list[Column]:
    """What `read` gives when the decoder is not ready."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "current", lambda: None)
        return read()


def chunks(path: Path, columns: dict[str, DataType]) -> list[Column]:
    """Every chunk of a file, packed as kernels read it; none if that is an error."""
    try:
        opened = scan(path, columns, cache=ColumnCache(0))
        return [
            column for morsel in opened.morsels for column in opened.read_packed(morsel, range(len(columns))).columns
        ]
    except (ExecutionError, Unsupported):
        return []


def equal(ours: Column, theirs: Column) -> bool:
    """Whether two columns are the same to a kernel, which never looks at the number of a row without a value."""
    if (ours.ok is None) != (theirs.ok is None) or ours.data.dtype != theirs.data.dtype:
        return False
    if ours.bytes is not None and theirs.bytes is not None:
        return np.array_equal(ours.data, theirs.data) and ours.bytes.tobytes() == theirs.bytes.tobytes()
    if ours.ok is None or theirs.ok is None:
        return ours.data.tobytes() == theirs.data.tobytes()
    values = (column.data[ours.ok == 1].tobytes() for column in (ours, theirs))
    return np.array_equal(ours.ok, theirs.ok) and next(values) == next(values)


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", ["always", "at first", "never"])
def test_reads_as_pyarrow_does(tmp_path: Path, decoded: list[bool], codec: str, version: str, dictionary: str) -> None:
    forms = [(kind, shape, nulls) for kind in TYPES for shape in SHAPES for nulls in (None, 0.0, 0.2, 1.0)]
    fields, arrays = [], []
    for number, (kind, shape, nulls) in enumerate(forms):
        fields.append(pa.field(str(number), TYPES[kind][1], nullable=nulls is not None))
        arrays.append(column(kind, shape, nulls or 0, number))
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table(arrays, schema=pa.schema(fields)),
        path,
        row_group_size=ROWS - 777,
        compression=codec,
        data_page_version=version,
        use_dictionary=dictionary != "never",
        dictionary_pagesize_limit=2000 if dictionary == "at first" else 1 << 20,
        data_page_size=1500,
        write_batch_size=300,
        store_decimal_as_integer=True,
    )
    read = partial(chunks, path, {str(number): TYPES[kind][0] for number, (kind, _, _) in enumerate(forms)})
    found = read()
    assert len(decoded) == len(found) == 2 * len(forms)
    assert all(decoded)
    for form, ours, theirs in zip(forms * 2, found, by_pyarrow(read), strict=True):
        assert equal(ours, theirs), form


def test_what_is_not_understood_is_left_to_pyarrow(tmp_path: Path, decoded: list[bool]) -> None:
    path = tmp_path / "t.parquet"
    array = pa.array(range(1000), pa.int64())
    for encoding in ("DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"):
        pq.write_table(pa.table({"a": array}), path, column_encoding=encoding, use_dictionary=False)
        assert rows(scan(path, {"a": DataType("long")})) == [array.to_pylist()]
    assert decoded == [False, False]


def test_codes_and_a_plain_page(tmp_path: Path, decoded: list[bool]) -> None:
    path = tmp_path / "t.parquet"
    texts = [f"value {n % 50}" for n in range(9000)] + [f"other {n}" for n in range(2000)]
    pq.write_table(
        pa.table({"c": texts}), path, dictionary_pagesize_limit=4000, data_page_size=500, write_batch_size=100
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pyflare.io.parquet.Scan._is_worth_codes", lambda *_: True)
        opened = scan(path, {"c": DataType("string")})
    assert opened.layouts[0].encoding is Encoding.CODES
    assert rows(opened) == [[text.encode() for text in texts]]
    assert decoded == [False]


def test_strings_that_outgrow_the_guess(tmp_path: Path, decoded: list[bool]) -> None:
    path = tmp_path / "t.parquet"
    texts = [b"x" * (400 if n > 50 else n) for n in range(2000)]
    pq.write_table(pa.table({"c": pa.array(texts, pa.binary())}), path, data_page_size=500, write_batch_size=100)
    assert rows(scan(path, {"c": DataType("binary")})) == [texts]
    assert decoded == [True]


@pytest.mark.parametrize(("most", "is_read"), [(99_999, False), (100_000, True)])
@pytest.mark.parametrize("dictionary", [False, True])
def test_strings_of_more_bytes_than_offsets_reach(
    tmp_path: Path, decoded: list[bool], monkeypatch: pytest.MonkeyPatch, most: int, is_read: bool, dictionary: bool
) -> None:
    """The limit is 2 GiB, also where the pages are small; pyarrow then says that it is too much."""
    monkeypatch.setattr("pyflare.io.pages.decoder._MOST_BYTES", most)
    path = tmp_path / "t.parquet"
    texts = [b"%03d" % (n % 10) + b"x" * 97 for n in range(1000)]
    pq.write_table(pa.table({"c": pa.array(texts, pa.binary())}), path, use_dictionary=dictionary, data_page_size=5000)
    monkeypatch.setattr("pyflare.io.parquet.MAX_DICTIONARY_BYTES", 0)
    assert rows(scan(path, {"c": DataType("binary")})) == [texts]
    assert decoded == [is_read]


def test_damage_is_an_error_or_what_pyarrow_reads(tmp_path: Path, decoded: list[bool]) -> None:
    kinds = ("integer", "decimal18", "double", "string")
    table = pa.table({f"{kind} {shape}": column(kind, shape, 0.1) for kind in kinds for shape in ("few", "many")})
    columns = {name: TYPES[name.split()[0]][0] for name in table.column_names}
    chance, path, agreed = random.Random(5), tmp_path / "t.parquet", 0
    read = partial(chunks, path, columns)
    for options in ({}, {"compression": "none", "data_page_version": "2.0"}, {"use_dictionary": False}):
        pq.write_table(table, path, data_page_size=2000, store_decimal_as_integer=True, **options)
        whole = path.read_bytes()
        data = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
        for _ in range(80):
            damaged = bytearray(whole)
            for _ in range(2):
                damaged[chance.randrange(4, data)] = chance.randrange(256)
            if chance.random() < 0.2:
                start = chance.randrange(4, data)
                damaged[start : start + 500] = bytes(min(500, data - start))
            path.write_bytes(damaged[: len(whole)])
            ours, theirs = read(), by_pyarrow(read)
            agreed += bool(ours)
            assert not ours or not theirs or all(map(equal, ours, theirs))
    assert agreed > 20
    assert any(decoded)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.integers(1, 30)), max_size=20),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=3),
    cut=st.integers(0, 5),
)
def test_snappy(ready: Kernels, parts: list[tuple[bytes, int]], flips: list[tuple[int, int]], cut: int) -> None:
    codec, plain = pa.Codec("snappy"), b"".join(part * times for part, times in parts)
    packed = bytearray(codec.compress(plain, asbytes=True))
    for place, value in flips:
        packed[place % len(packed)] = value
    del packed[max(1, len(packed) - cut) :]
    source = np.frombuffer(bytes(packed) + bytes(PADDING), np.uint8).copy()
    target = np.full(len(plain) + PADDING, 77, np.uint8)
    good = ready.uncompress(source.ctypes.data, len(packed), target.ctypes.data, len(plain))
    try:
        expected: bytes | None = codec.decompress(bytes(packed), len(plain), asbytes=True)
    except (OSError, ValueError):
        expected = None
    if good:
        assert target[: len(plain)].tobytes() == expected
    assert good or flips or cut


def test_pyarrow_reads_until_the_decoder_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1, 2, 3]}), path)
    monkeypatch.setattr(kernels, "_ready", None)
    for function in kernels.FUNCTIONS:
        monkeypatch.setattr(function, "is_cached", lambda: False)
    compiled = threading.Event()
    thread = threading.Thread(target=kernels.prepare, args=(compiled.wait,))
    thread.start()
    assert rows(scan(path, {"a": DataType("long")})) == [[1, 2, 3]]
    assert kernels.current() is None
    compiled.set()
    thread.join()
    assert kernels.current() is not None
