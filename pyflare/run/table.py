"""Tables: the batches between two nodes of a program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from pyflare.errors import Unsupported
from pyflare.io.columns import Array, Batch, Column, Dictionary, Encoding, Layout
from pyflare.io.memory import empty
from pyflare.run.together import SHARE_ROWS, Together, in_turn, shares
from pyflare.runtime.joins import gather
from pyflare.types import Kind

_WORDS: Final[dict[int, Any]] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}


@dataclass(frozen=True)
class Table:
    """Batches of columns in the same layouts."""

    layouts: tuple[Layout, ...]
    batches: tuple[Batch, ...]

    @property
    def rows(self) -> int:
        return sum(batch.length for batch in self.batches)


def sliced(batch: Batch, start: int, stop: int) -> Batch:
    """Rows `start … stop` of a batch, without copying."""
    if start == 0 and stop == batch.length:
        return batch
    columns = tuple(_slice_column(column, batch.length, start, stop) for column in batch.columns)
    return Batch(stop - start, columns, batch.keep)


def _slice_column(column: Column, length: int, start: int, stop: int) -> Column:
    ok = None if column.ok is None else column.ok[start:stop]
    if column.bytes is not None:
        return Column(column.data[start : stop + 1], ok, column.bytes, owners=column.owners)
    width = len(column.data) // length if length else 1  # words a row; of arrays, which have rows of their own, one
    lengths = None if column.lengths is None else column.lengths[start:stop]
    data = column.data[start * width : stop * width]
    return Column(data, ok, None, lengths, column.dictionary, column.owners)


def limited(batches: Iterator[Batch], skip: int, limit: int | None) -> Iterator[Batch]:
    """The rows of all batches without the first `skip`, and of the rest at most `limit`."""
    left = limit
    while left is None or left > 0:
        batch = next(batches, None)
        if batch is None:
            return
        start = min(skip, batch.length)
        stop = batch.length if left is None else min(batch.length, start + left)
        skip -= start
        left = None if left is None else left - (stop - start)
        if stop > start:
            yield sliced(batch, start, stop)


def bytes_of(batch: Batch) -> int:
    """The memory that its columns take."""
    parts = ((c.data, c.ok, c.lengths, c.bytes) for c in batch.columns)
    return sum(part.nbytes for column in parts for part in column if part is not None)


def taken(
    batch: Batch,
    layouts: Sequence[Layout],
    rows: Array,
    together: Together = in_turn,
    needed: Collection[int] | None = None,
) -> Batch:
    """The rows of a batch at positions `rows`, in that order; columns that are not `needed` are empty."""
    jobs: list[Callable[[], Any]] = []
    columns = tuple(
        empty_column(lay) if needed is not None and index not in needed else _take_column(c, lay, batch, rows, jobs)
        for index, (c, lay) in enumerate(zip(batch.columns, layouts, strict=True))
    )
    together(jobs)
    return Batch(len(rows), columns, batch.keep)


def _take_column(column: Column, layout: Layout, batch: Batch, rows: Array, jobs: list[Callable[[], Any]]) -> Column:
    """A column that is filled by the jobs added."""
    column = as_views(column, batch.length, layout)
    if layout.type.kind is Kind.ARRAY:
        data = array_rows(column, rows)
    else:
        data = _take(column.data, 2 if batch.length and len(column.data) == 2 * batch.length else 1, rows, jobs)
    ok = None if column.ok is None else _take(column.ok, 1, rows, jobs)
    lengths = None if column.lengths is None else _take(column.lengths, 1, rows, jobs)
    return Column(data, ok, None, lengths, column.dictionary, column.owners)


def _take(values: Array, width: int, rows: Array, jobs: list[Callable[[], Any]]) -> Array:
    out = empty(len(rows) * width, values.dtype)
    words = _WORDS[width * values.itemsize]  # `gather` is compiled for sizes, not for types
    source, target = values.view(words), out.view(words)
    jobs += [partial(gather, source, rows, target, start, stop) for start, stop in shares(len(rows))]
    return out


def as_views(column: Column, length: int, layout: Layout) -> Column:
    """A plain string column as views; any other column as it is."""
    if column.bytes is None or not layout.type.is_stringlike or layout.encoding is not Encoding.PLAIN:
        return column
    offsets = column.data
    addresses = offsets[:length].astype(np.uint64) + np.uint64(column.bytes.ctypes.data)
    return Column(addresses, column.ok, None, np.diff(offsets[: length + 1]), owners=(column.bytes, *column.owners))


def codes_as_views(column: Column) -> Column:
    """A dictionary-coded column as views into its dictionary."""
    dictionary = column.dictionary
    assert dictionary is not None
    if len(dictionary) == 0:
        return Column(np.zeros(len(column.data), np.uint64), column.ok, None, np.zeros(len(column.data), np.int32))
    starts = dictionary.offsets[:-1].astype(np.uint64) + np.uint64(dictionary.bytes.ctypes.data)
    sizes = np.diff(dictionary.offsets)
    owners = (dictionary, *column.owners)
    return Column(starts[column.data], column.ok, None, sizes[column.data].astype(np.int32), owners=owners)


def concatenated(table: Table, together: Together = in_turn, needed: Collection[int] | None = None) -> Batch:
    """All rows of a table in one batch; plain strings become views, and columns that are not `needed` are empty."""
    wanted = range(len(table.layouts)) if needed is None else needed
    batches = [_with_views(batch, table.layouts, wanted) for batch in table.batches]
    if len(batches) == 1:
        return batches[0]
    jobs: list[Callable[[], Any]] = []
    columns = tuple(
        _concatenate([(b.length, b.columns[index]) for b in batches if index in wanted], layout, jobs)
        for index, layout in enumerate(table.layouts)
    )
    together(jobs)
    return Batch(sum(b.length for b in batches), columns, tuple(batches))


def _with_views(batch: Batch, layouts: Sequence[Layout], wanted: Collection[int]) -> Batch:
    columns = (
        as_views(column, batch.length, layout) if index in wanted else as_views(empty_column(layout), 0, layout)
        for index, (column, layout) in enumerate(zip(batch.columns, layouts, strict=True))
    )
    return Batch(batch.length, tuple(columns), batch.keep)


def _concatenate(parts: Sequence[tuple[int, Column]], layout: Layout, jobs: list[Callable[[], Any]]) -> Column:
    """A column that is filled by the jobs added."""
    if not parts:
        return as_views(empty_column(layout), 0, layout)
    columns = [column for _, column in parts]
    data = _stacked(columns) if layout.type.kind is Kind.ARRAY else _joined([column.data for column in columns], jobs)
    ok = None
    if any(column.ok is not None for column in columns):
        ok = _joined([np.ones(n, np.uint8) if c.ok is None else c.ok for n, c in parts], jobs)
    lengths = None
    if columns[0].lengths is not None:
        lengths = _joined([c.lengths for c in columns if c.lengths is not None], jobs)
    return Column(data, ok, None, lengths, longest_dictionary(columns), tuple(o for c in columns for o in c.owners))


def _joined(parts: Sequence[Array], jobs: list[Callable[[], Any]]) -> Array:
    out = empty(sum(map(len, parts)), np.result_type(*{part.dtype for part in parts}))
    start, share = 0, list[tuple[int, Array]]()
    for part in parts:
        share.append((start, part))
        start += len(part)
        if start - share[0][0] >= SHARE_ROWS or start == len(out):
            jobs.append(partial(_copy, out, tuple(share)))
            share.clear()
    return out


def _copy(out: Array, parts: Sequence[tuple[int, Array]]) -> None:
    for start, part in parts:
        out[start : start + len(part)] = part


def array_rows(column: Column, rows: Array) -> Array:
    """The rows of an array column at positions `rows`: where these follow one another, without copying."""
    matrix = column.data if column.data.ndim == 2 else np.empty((len(column.data), 0), column.data.dtype)
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return matrix[rows[0] : rows[0] + len(rows)]
    return np.take(matrix, rows, axis=0)


def _stacked(columns: Sequence[Column]) -> Array:
    """The arrays of all columns in one matrix. Where all rows of a column are null, their length is not known."""
    known = [c for c in columns if len(c.data) and (c.ok is None or c.ok.any())]
    widths = {column.data.shape[1] for column in known}
    if len(widths) > 1:
        raise Unsupported(f"a column has arrays of {min(widths)} to {max(widths)} elements")
    matrix = np.zeros((sum(len(c.data) for c in columns), widths.pop() if widths else 0), columns[0].data.dtype)
    start = 0
    for column in columns:
        stop = start + len(column.data)
        if any(column is one for one in known):
            matrix[start:stop] = column.data
        start = stop
    return matrix


def longest_dictionary(columns: Sequence[Column]) -> Dictionary | None:
    """The dictionary that knows the codes of all columns."""
    return max((c.dictionary for c in columns if c.dictionary is not None), key=len, default=None)


def empty_column(layout: Layout) -> Column:
    """A column without rows."""
    none = np.zeros(0, layout.storage)
    if layout.encoding is Encoding.VIEWS:
        return Column(np.zeros(0, np.uint64), lengths=np.zeros(0, np.int32))
    if layout.encoding is Encoding.CODES:
        return Column(np.zeros(0, np.int32), dictionary=Dictionary(np.zeros(1, np.int32), np.zeros(8, np.uint8)))
    if layout.type.is_stringlike:
        return Column(np.zeros(1, np.int32), bytes=np.zeros(8, np.uint8))
    return Column(none.reshape(0, 0) if layout.type.kind is Kind.ARRAY else none)
