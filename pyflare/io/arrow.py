"""Column buffers ↔ Arrow IPC streams, as Spark's `ArrowUtils` types them: what the JVM reads and what it writes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pyflare.errors import ExecutionError
from pyflare.io import kernels
from pyflare.io.columns import Array, Batch, Column, Encoding, Layout
from pyflare.io.decode import decode
from pyflare.io.memory import empty
from pyflare.types import DataType, Kind

Schema = Sequence[tuple[str, DataType, bool]]

BLOCK_ROWS: Final = 1 << 17
BLOCK_BYTES: Final = 1 << 30
SMALL_ROWS: Final = 1 << 16

_END_OF_STREAM: Final = 8  # the bytes of the marker
_MAX_BYTES: Final = 2**31 - 1
_NO_NULLS: Final = np.empty(0, np.uint8)


def arrow_schema(schema: Schema, zone: str = "UTC") -> pa.Schema:
    """The Arrow schema that Spark expects; `zone` is the session's time zone."""
    return pa.schema([pa.field(name, _arrow_type(type_, zone), nullable) for name, type_, nullable in schema])


def layouts(schema: Schema) -> tuple[Layout, ...]:
    """The layouts of the batches that `read_stream` returns."""
    return tuple(Layout(type_, nullable=nullable) for _, type_, nullable in schema)


def write_stream(
    target: str | os.PathLike[str] | int,
    schema: Schema,
    batches: Iterable[Batch],
    zone: str = "UTC",
    pool: ThreadPoolExecutor | None = None,
) -> int:
    """Write batches as an IPC stream over the file at a path, which must exist, or to a descriptor.

    With a pool, several record batches are written at a time, each at its own place in the file. Returns the size of
    the stream. Raises OSError, as when the disk is full.
    """
    if isinstance(target, int):
        return _write(_Sink(target), schema, batches, zone)
    descriptor = os.open(target, os.O_WRONLY | os.O_CLOEXEC)
    try:
        return write_file(descriptor, schema, batches, zone, pool)
    finally:
        os.close(descriptor)


def write_file(
    descriptor: int,
    schema: Schema,
    batches: Iterable[Batch],
    zone: str = "UTC",
    pool: ThreadPoolExecutor | None = None,
) -> int:
    """The same, over the file that a descriptor has open."""
    if pool is None:
        size = _write(_Sink(descriptor), schema, batches, zone)
    else:
        size = _write_at_once(descriptor, schema, batches, zone, pool)
    os.ftruncate(descriptor, size)  # not before: the pages of an earlier result are worth having
    return size


def to_bytes(schema: Schema, batches: Iterable[Batch], zone: str = "UTC") -> bytes:
    """An IPC stream in memory, for small results."""
    sink = io.BytesIO()
    _write(sink, schema, batches, zone)
    return sink.getvalue()


def read_stream(path: str | os.PathLike[str], schema: Schema) -> list[Batch]:
    """Map the IPC stream in a file. The batches keep the mapping alive, so the file may be unlinked at once.

    Raises `ExecutionError` for a stream that is damaged or does not have this schema.
    """
    try:
        reader = pa.ipc.open_stream(pa.memory_map(os.fspath(path)))
        return [from_record_batch(batch, schema) for batch in reader if batch.num_rows]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ExecutionError(f"the input at {path} cannot be read: {error}") from error


def to_record_batch(batch: Batch, schema: Schema, zone: str = "UTC") -> pa.RecordBatch:
    """One record batch with the rows of `batch`, which must be few enough for 2 GiB a column; shares memory with it."""
    arrays = [
        _to_array(column, type_, _arrow_type(type_, zone), 0, batch.length)
        for column, (_, type_, _) in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema, zone))


class _Sink:
    """A descriptor as the file that pyarrow writes to."""

    closed = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._written = 0

    def write(self, data: Any) -> int:
        """Write all of `data`."""
        rest = memoryview(data).cast("B")
        self._written += len(rest)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._written

    def flush(self) -> None:
        """Nothing is held back."""


def _write(sink: Any, schema: Schema, batches: Iterable[Batch], zone: str) -> int:
    arrow = arrow_schema(schema, zone)
    with pa.ipc.new_stream(sink, arrow) as writer:
        for block in _coalesced(_blocks(batches, schema, arrow), arrow):
            writer.write_batch(block)
    return int(sink.tell())


class _Part:
    """The bytes of one record batch, written at `place`; what the stream has before and after it is left out."""

    closed = False

    def __init__(self, descriptor: int, place: int, before: int, size: int) -> None:
        self._descriptor = descriptor
        self._start = place - before
        self._limits = (before, before + size)
        self._at = 0

    def write(self, data: Any) -> int:
        """Write those bytes of `data` that belong to the batch."""
        low, high = self._limits
        begin, self._at = self._at, self._at + len(data)
        rest = memoryview(data).cast("B")[max(low - begin, 0) : max(high - begin, 0)]
        place = self._start + max(begin, low)
        while rest:
            count = os.pwrite(self._descriptor, rest, place)
            rest, place = rest[count:], place + count
        return len(data)

    def tell(self) -> int:
        """Bytes seen so far."""
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""


def _write_at_once(
    descriptor: int, schema: Schema, batches: Iterable[Batch], zone: str, pool: ThreadPoolExecutor
) -> int:
    arrow = arrow_schema(schema, zone)
    empty_stream = to_bytes(schema, (), zone)
    place = before = len(empty_stream) - _END_OF_STREAM
    jobs: list[Future[None]] = []
    try:
        for block in _coalesced(_blocks(batches, schema, arrow), arrow):
            size = pa.ipc.get_record_batch_size(block)
            jobs.append(pool.submit(_write_part, _Part(descriptor, place, before, size), block))
            place += size
        for job in jobs:
            job.result()
    finally:  # behind an error, none may write on: the descriptor will be another file's
        for job in jobs:
            job.cancel()
        wait(jobs)
    os.pwrite(descriptor, empty_stream[:before], 0)
    return place + os.pwrite(descriptor, empty_stream[before:], place)


def _write_part(part: _Part, block: pa.RecordBatch) -> None:
    with pa.ipc.new_stream(part, block.schema) as writer:
        writer.write_batch(block)


def _blocks(batches: Iterable[Batch], schema: Schema, arrow: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Record batches of at most `BLOCK_ROWS` rows, fewer if their strings or arrays are long."""
    types = [type_ for _, type_, _ in schema]
    for batch in batches:
        start = 0
        while start < batch.length:
            end = _block_end(batch, types, start)
            arrays = [
                _to_array(column, type_, field.type, start, end)
                for column, type_, field in zip(batch.columns, types, arrow, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=arrow)
            start = end


def _block_end(batch: Batch, types: Sequence[DataType], start: int) -> int:
    end = min(start + BLOCK_ROWS, batch.length)
    while end - start > 1 and any(
        _long_bytes(column, type_, start, end) > BLOCK_BYTES for column, type_ in zip(batch.columns, types, strict=True)
    ):
        end = start + (end - start) // 2
    return end


def _coalesced(blocks: Iterable[pa.RecordBatch], arrow: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Join small blocks, so that the reader does not pay for each of a thousand batches of ten rows."""
    pending: list[pa.RecordBatch] = []
    for block in blocks:
        pending.append(block)
        if sum(part.num_rows for part in pending) >= SMALL_ROWS or block.nbytes > BLOCK_BYTES // 8:
            yield _joined(pending)
            pending = []
    if pending:
        yield _joined(pending)


def _joined(blocks: list[pa.RecordBatch]) -> pa.RecordBatch:
    return blocks[0] if len(blocks) == 1 else pa.concat_batches(blocks)


def _arrow_type(type_: DataType, zone: str) -> pa.DataType:
    return pa.timestamp("us", zone) if type_.name == "timestamp" else type_.arrow


def _to_array(column: Column, type_: DataType, arrow: pa.DataType, start: int, end: int) -> pa.Array:
    count = end - start
    if type_.kind is Kind.NULL:
        return pa.nulls(count)
    ok = None if column.ok is None else column.ok[start:end]
    valid = None if ok is None else pa.py_buffer(np.packbits(ok, bitorder="little"))
    if type_.kind is Kind.STRUCT:
        pairs = zip(column.parts, type_.fields, arrow, strict=True)
        children = [_to_array(part, inner, field.type, start, end) for part, (_, inner), field in pairs]
        return pa.Array.from_buffers(arrow, count, [valid], children=children)
    if type_.element is not None:
        return _array_of_arrays(column.data[start:end], type_.element, arrow, valid)
    buffers = _BUFFERS[type_.kind](column, type_, start, end)
    return pa.Array.from_buffers(arrow, count, [valid, *(pa.py_buffer(buffer) for buffer in buffers)])


def _array_of_arrays(matrix: Array, element: DataType, arrow: pa.DataType, valid: pa.Buffer | None) -> pa.Array:
    """The rows of a matrix as arrays."""
    rows, width = matrix.shape
    elements = _to_array(Column(np.ascontiguousarray(matrix).reshape(-1)), element, element.arrow, 0, rows * width)
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * np.int32(width))
    return pa.Array.from_buffers(arrow, rows, [valid, offsets], children=[elements])


def _integer_buffers(column: Column, type_: DataType, start: int, end: int) -> list[Array]:
    values = column.data[start:end]
    if not type_.is_decimal:
        return [np.ascontiguousarray(values, type_.storage)]
    words = empty(2 * len(values), np.int64)
    kernels.widen(values, words)
    return [words]


def _wide_buffers(column: Column, type_: DataType, start: int, end: int) -> list[Array]:
    return [column.data[2 * start : 2 * end]]


def _boolean_buffers(column: Column, type_: DataType, start: int, end: int) -> list[Array]:
    return [np.packbits(column.data[start:end], bitorder="little")]


def _string_buffers(column: Column, type_: DataType, start: int, end: int) -> list[Array]:
    match _string_encoding(column):
        case Encoding.PLAIN:
            return _plain_strings(column, start, end)
        case Encoding.CODES:
            return _coded_strings(column, start, end)
        case Encoding.VIEWS:
            return _viewed_strings(column, start, end)


def _string_encoding(column: Column) -> Encoding:
    if column.dictionary is not None:
        return Encoding.CODES
    return Encoding.PLAIN if column.lengths is None else Encoding.VIEWS


def _plain_strings(column: Column, start: int, end: int) -> list[Array]:
    assert column.bytes is not None
    offsets = column.data[start : end + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    return [offsets - np.int32(first) if first else offsets, column.bytes[first:last]]


def _coded_strings(column: Column, start: int, end: int) -> list[Array]:
    assert column.dictionary is not None
    codes, dictionary = column.data[start:end], column.dictionary
    offsets = empty(len(codes) + 1, np.int32)
    ok = _NO_NULLS if column.ok is None else column.ok[start:end]
    values = _empty_bytes(kernels.gather_lengths(codes, ok, dictionary.offsets, offsets))
    kernels.gather_bytes(codes, dictionary.offsets, dictionary.bytes, offsets, values)
    return [offsets, values]


def _viewed_strings(column: Column, start: int, end: int) -> list[Array]:
    assert column.lengths is not None
    offsets = empty(end - start + 1, np.int32)
    ok = _NO_NULLS if column.ok is None else column.ok[start:end]
    values = _empty_bytes(kernels.view_lengths(column.lengths[start:end], ok, offsets))
    kernels.view_bytes(column.data[start:end], offsets, values)
    return [offsets, values]


def _empty_bytes(count: int) -> Array:
    if count > _MAX_BYTES:
        raise ExecutionError(f"{count} bytes of strings are too many for one batch")
    return empty(count, np.uint8)


def _long_bytes(column: Column, type_: DataType, start: int, end: int) -> int:
    """An upper bound of the bytes of values that can be long: of others there are never too many in a block."""
    if type_.kind is Kind.ARRAY:
        return int(column.data[start:end].nbytes)
    if type_.kind is Kind.STRUCT:
        parts = zip(column.parts, type_.fields, strict=True)
        return max(_long_bytes(part, inner, start, end) for part, (_, inner) in parts)
    return _string_bytes(column, start, end) if type_.kind is Kind.STR else 0


def _string_bytes(column: Column, start: int, end: int) -> int:
    """An upper bound of the bytes that rows of a string column need."""
    match _string_encoding(column):
        case Encoding.PLAIN:
            return int(column.data[end]) - int(column.data[start])
        case Encoding.CODES:
            assert column.dictionary is not None
            lengths = np.diff(column.dictionary.offsets)
            return (end - start) * int(lengths.max(initial=0))
        case Encoding.VIEWS:
            assert column.lengths is not None
            return int(column.lengths[start:end].sum(dtype=np.int64))


def from_record_batch(batch: pa.RecordBatch, schema: Schema) -> Batch:
    """Column buffers over a record batch. Raises `ExecutionError` if it does not have this schema."""
    columns = tuple(
        _from_array(array, name, type_, nullable)
        for array, (name, type_, nullable) in zip(batch.columns, schema, strict=True)
    )
    return Batch(batch.num_rows, columns)


def _from_array(array: pa.Array, name: str, type_: DataType, nullable: bool) -> Column:
    expected = _arrow_type(type_, getattr(array.type, "tz", None) or "UTC")
    if array.type != expected and not _are_arrays_of_the_same(array.type, expected):
        raise ExecutionError(f"column {name} arrived as {array.type}, not as {type_}")
    if array.null_count and not nullable:
        raise ExecutionError(f"column {name} has nulls, which it must not have")
    return decode(array, type_)


def _are_arrays_of_the_same(left: pa.DataType, right: pa.DataType) -> bool:
    """Whether types differ in the elements' name or nullability only."""
    return pa.types.is_list(left) and pa.types.is_list(right) and bool(left.value_type == right.value_type)


_BUFFERS: Final[dict[Kind, Callable[[Column, DataType, int, int], list[Array]]]] = {
    Kind.INT: _integer_buffers,
    Kind.WIDE: _wide_buffers,
    Kind.F32: _integer_buffers,
    Kind.F64: _integer_buffers,
    Kind.BOOL: _boolean_buffers,
    Kind.STR: _string_buffers,
}
