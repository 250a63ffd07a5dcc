"""Arrow streams: what is written is what Spark expects, and what is read is what was written."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflare.errors import ExecutionError
from pyflare.io import arrow
from pyflare.io import kernels as io_kernels
from pyflare.io.columns import Batch, Column, Dictionary, Layout
from pyflare.io.warm import warm
from pyflare.types import LONG, STRING, DataType, decimal
from tests.io_support import expected, same, values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCHEMA: Final[list[tuple[str, DataType, bool]]] = [
    ("boolean", DataType("boolean"), True),
    ("byte", DataType("byte"), True),
    ("short", DataType("short"), True),
    ("integer", DataType("integer"), True),
    ("long", DataType("long"), True),
    ("float", DataType("float"), True),
    ("double", DataType("double"), True),
    ("date", DataType("date"), True),
    ("timestamp", DataType("timestamp"), True),
    ("timestamp_ntz", DataType("timestamp_ntz"), True),
    ("small", decimal(7, 2), True),
    ("large", decimal(18, 0), True),
    ("wide", decimal(38, 4), True),
    ("string", DataType("string"), True),
    ("binary", DataType("binary"), True),
    ("void", DataType("void"), True),
]

ROWS: Final[dict[str, list[Any]]] = {
    "boolean": [True, None, False, True],
    "byte": [-128, 127, None, 0],
    "short": [-(2**15), None, 2**15 - 1, 0],
    "integer": [None, -(2**31), 2**31 - 1, 0],
    "long": [-(2**63), 2**63 - 1, 0, None],
    "float": [-0.0, float("inf"), None, 0.5],
    "double": [-0.0, None, float("nan"), 0.1],
    "date": [-141427, 0, None, 100000],
    "timestamp": [-1, 0, 10**15, None],
    "timestamp_ntz": [None, -1, 0, 10**15],
    "small": [-9999999, 9999999, None, 0],
    "large": [-(10**18) + 1, None, 10**18 - 1, 0],
    "wide": [-(10**38) + 1, 10**38 - 1, None, -1],
    "string": [b"", "é".encode(), None, b"long enough to matter"],
    "binary": [b"\xff", None, b"", b"x"],
    "void": [None] * 4,
}


def plain(found: Sequence[Any], type_: DataType) -> Column:
    """A plain column of kernel-form values."""
    good = [value is not None for value in found]
    ok = None if all(good) else np.array(good, np.uint8)
    if type_.is_stringlike:
        texts = [value or b"" for value in found]
        offsets = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        return Column(offsets, ok, np.frombuffer(b"".join(texts), np.uint8))
    filled: list[Any] = [value or (value if isinstance(value, float) else 0) for value in found]
    if type_.is_decimal and type_.precision > 18:
        words = [word for value in filled for word in (value & (2**64 - 1), (value >> 64) & (2**64 - 1))]
        return Column(np.array(words, np.uint64).view(np.int64), ok)
    return Column(np.array(filled, type_.storage), ok)


def whole(repeats: int = 1) -> Batch:
    """A batch of every type."""
    columns = tuple(plain(ROWS[name] * repeats, type_) for name, type_, _ in SCHEMA)
    return Batch(4 * repeats, columns)


def test_what_is_written_is_what_spark_expects(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"left over from before" * 1000)
    size = arrow.write_stream(path, SCHEMA, [whole()], "Asia/Tokyo")
    assert size == path.stat().st_size
    table = pa.ipc.open_stream(path.read_bytes()).read_all()
    table.validate(full=True)
    assert table.schema.field("timestamp").type == pa.timestamp("us", "Asia/Tokyo")
    assert table.schema.field("large").type == pa.decimal128(18, 0)
    assert table.schema.field("string").type == pa.utf8()
    for name, type_, _ in SCHEMA:
        assert same(expected(table.column(name), type_), ROWS[name]), name


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.touch()
    arrow.write_stream(path, SCHEMA, [whole(), whole(3)], "Asia/Tokyo")
    batches = arrow.read_stream(path, SCHEMA)
    path.unlink()
    assert sum(batch.length for batch in batches) == 16
    for index, layout in enumerate(arrow.layouts(SCHEMA)):
        found = [value for batch in batches for value in values(batch.columns[index], layout, batch.length)]
        assert same(found, ROWS[SCHEMA[index][0]] * 4), layout


def test_nothing_is_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        arrow.write_stream(tmp_path / "out", SCHEMA, [whole()])


def test_descriptors(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        size = arrow.write_stream(file.fileno(), SCHEMA, [whole()])
        assert os.fstat(file.fileno()).st_size == size
    assert (tmp_path / "out").read_bytes() == arrow.to_bytes(SCHEMA, [whole()])


def test_a_full_disk_is_an_error() -> None:
    with pytest.raises(OSError, match="No space left"):
        arrow.write_stream("/dev/full", SCHEMA, [whole()])


def test_no_rows() -> None:
    for batches in ([], [Batch(0, tuple(plain([], type_) for _, type_, _ in SCHEMA))]):
        table = pa.ipc.open_stream(arrow.to_bytes(SCHEMA, batches)).read_all()
        assert (table.num_rows, table.schema) == (0, arrow.arrow_schema(SCHEMA))


@pytest.mark.parametrize("ok", [None, [1, 0, 1, 1, 0]])
def test_codes_and_views(ok: list[int] | None) -> None:
    text = np.frombuffer(b"oneseventeen", np.uint8)
    dictionary = Dictionary(np.array([0, 3, 8, 12, 12], np.int32), text)
    valid = None if ok is None else np.array(ok, np.uint8)
    codes = Column(np.array([2, 0, 1, 3, 0], np.int32), valid, dictionary=dictionary)
    starts = np.array([8, 0, 3, 12, 0], np.uint64) + np.uint64(text.ctypes.data)
    views = Column(starts, valid, lengths=np.array([4, 3, 5, 0, 3], np.int32), owners=(text,))
    schema = [("codes", DataType("string"), True), ("views", DataType("binary"), True)]
    table = pa.ipc.open_stream(arrow.to_bytes(schema, [Batch(5, (codes, views))])).read_all()
    words = [b"teen", b"one", b"seven", b"", b"one"]
    wanted = [word if good else None for word, good in zip(words, ok or [1] * 5, strict=True)]
    table.validate(full=True)
    assert expected(table.column("codes"), DataType("string")) == wanted
    assert expected(table.column("views"), DataType("binary")) == wanted


def test_all_null_codes_of_an_empty_dictionary() -> None:
    dictionary = Dictionary(np.zeros(1, np.int32), np.empty(0, np.uint8))
    column = Column(np.zeros(3, np.int32), np.zeros(3, np.uint8), dictionary=dictionary)
    data = arrow.to_bytes([("c", DataType("string"), True)], [Batch(3, (column,))])
    assert pa.ipc.open_stream(data).read_all().column("c").to_pylist() == [None] * 3


def test_batches_are_cut_and_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "BLOCK_ROWS", 10)
    monkeypatch.setattr(arrow, "SMALL_ROWS", 8)
    data = arrow.to_bytes(SCHEMA, [whole(), whole(), whole(6), whole()])
    batches = list(pa.ipc.open_stream(data))
    assert [batch.num_rows for batch in batches] == [8, 10, 10, 8]
    table = pa.Table.from_batches(batches)
    for name, type_, _ in SCHEMA:
        assert same(expected(table.column(name), type_), ROWS[name] * 9), name


def test_long_strings_are_cut_before_offsets_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "BLOCK_BYTES", 64)
    texts = [b"x" * 30] * 9
    data = arrow.to_bytes([("c", DataType("string"), False)], [Batch(9, (plain(texts, DataType("string")),))])
    batches = list(pa.ipc.open_stream(data))
    assert max(batch.num_rows for batch in batches) <= 2
    assert pa.Table.from_batches(batches).column("c").to_pylist() == ["x" * 30] * 9


def test_slices_of_columns_are_written(tmp_path: Path) -> None:
    column = plain([b"a", b"bb", b"ccc", b"dddd"], DataType("string"))
    part = Column(column.data[1:4], None, column.bytes)
    data = arrow.to_bytes([("c", DataType("string"), False)], [Batch(2, (part,))])
    assert pa.ipc.open_stream(data).read_all().column("c").to_pylist() == ["bb", "ccc"]


def test_streams_of_another_schema_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(arrow.to_bytes([("c", DataType("long"), True)], [Batch(1, (plain([None], DataType("long")),))]))
    for schema in ([("c", DataType("integer"), True)], [("c", DataType("timestamp"), True)], []):
        with pytest.raises(ExecutionError):
            arrow.read_stream(path, schema)
    with pytest.raises(ExecutionError, match="nulls"):
        arrow.read_stream(path, [("c", DataType("long"), False)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ExecutionError):
        arrow.read_stream(path, [("c", DataType("long"), True)])
    with pytest.raises(ExecutionError):
        arrow.read_stream(tmp_path / "nowhere", [])


def test_kernels_are_warmed_before_they_are_needed() -> None:
    warm()
    kernels = [kernel for kernel in vars(io_kernels).values() if hasattr(kernel, "signatures")]
    assert {kernel.__name__ for kernel in kernels if not kernel.signatures} <= {"wide_bounds"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.lists(st.one_of(st.none(), st.binary(max_size=9)), max_size=9), max_size=5),
    type_=st.sampled_from([DataType("binary")]),
)
def test_any_bytes(tmp_path: Path, parts: list[list[bytes | None]], type_: DataType) -> None:
    path = tmp_path / "io"
    path.touch()
    schema = [("c", type_, True)]
    arrow.write_stream(path, schema, [Batch(len(part), (plain(part, type_),)) for part in parts])
    batches = arrow.read_stream(path, schema)
    found = [value for batch in batches for value in values(batch.columns[0], Layout(type_), batch.length)]
    assert found == [value for part in parts for value in part]


def test_nobody_writes_behind_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's number may be another file's then."""
    schema, path = [("n", LONG, True)], tmp_path / "out"
    path.touch()
    ended = threading.Event()
    late: list[bool] = []

    def slow(_part: object, _block: object) -> None:
        time.sleep(0.05)
        late.append(ended.is_set())

    def batches() -> Iterator[Batch]:
        for _ in range(8):
            yield Batch(300_000, (Column(np.arange(300_000)),))
        raise ValueError("no more")

    monkeypatch.setattr(arrow, "_write_part", slow)
    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(ValueError, match="no more"):
            arrow.write_stream(path, schema, batches(), pool=pool)
        ended.set()
    assert late
    assert not any(late)


@pytest.mark.parametrize("rows", [0, 1, 1000, 300_000])
def test_written_on_threads_it_is_the_same_stream(tmp_path: Path, rows: int) -> None:
    """Batches that are written at once lie in the file as one after another."""
    schema = [("n", LONG, True), ("s", STRING, True)]
    words = np.frombuffer(b"abc" * rows + bytes(8), np.uint8)
    offsets = np.arange(0, 3 * rows + 1, 3, dtype=np.int32)
    batch = Batch(rows, (Column(np.arange(rows)), Column(offsets, bytes=words)))
    single, several = tmp_path / "single.arrow", tmp_path / "several.arrow"
    sizes = []
    with ThreadPoolExecutor(3) as pool:
        for path, threads in ((single, None), (several, pool)):
            path.touch()
            sizes.append(arrow.write_stream(path, schema, [batch, batch], pool=threads))
    assert sizes[0] == sizes[1] == single.stat().st_size
    assert single.read_bytes() == several.read_bytes()
