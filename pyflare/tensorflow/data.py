"""`dataset`: Arrow batches as a `tf.data.Dataset`, without a Python object per row.

Rows pass through windows: a window's columns are copied once into row-major memory (and shuffled there), and TensorFlow
cuts batches out of windows. Beside the source, only a window and what TensorFlow prefetches are in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from pyflare.streaming import Query
from pyflare.tensorflow import tensors
from pyflare.tensorflow.tensors import Array

Layout = Literal["matrix", "columns"]
Batches: TypeAlias = pa.Table | Query | Iterable[pa.RecordBatch]

WINDOW_ROWS: Final = 65536
WINDOW_BYTES: Final = 2**24
"""The most that a window has of either, unless shuffling asks for a number of rows."""

_AUTOTUNE: Final = -1
_STRING_BYTES: Final = 64


def dataset(
    source: Batches,
    batch_size: int,
    *,
    columns: Sequence[str] | None = None,
    label: str | None = None,
    layout: Layout = "matrix",
    dtype: Any = "float32",
    shuffle: int | bool | None = None,
    seed: int | None = None,
    rows: int | None = None,
    num_shards: int = 1,
    index: int = 0,
    drop_remainder: bool = False,
    prefetch: int = _AUTOTUNE,
) -> Any:
    """A `tf.data.Dataset` of batches: `(features, label)` if a label is given, else `features`.

    Args:
        source: a table, a query, or record batches; those of an iterator can be read once only.
        batch_size: rows per batch; the last one may have fewer.
        columns: the features, in order; by default every column but the label.
        label: the column to learn. Integers, booleans and strings stay what they are, other numbers become `dtype`.
        layout: `matrix` puts the features side by side into one `[batch, k]` tensor of `dtype`, where an array column
            has as many places as elements; `columns` gives a dict with a tensor per column, in the column's own type.
        dtype: the floating-point type of matrix and label.
        shuffle: how many rows are shuffled at a time, or True for a whole table; each epoch has its own order.
        seed: makes the orders the same in every run.
        rows: how many rows a query or an iterable has, if that is known: then Keras knows how many batches to expect.
        num_shards, index: of several readers, the one that gets every `num_shards`-th row, beginning with row `index`.
        drop_remainder: leave out a last batch that has fewer rows.
        prefetch: batches made ahead of the one in use; by default as many as TensorFlow finds good.

    Raises:
        ValueError: a column is missing, its arrays differ in length, or a value is null (the last two may show only
            when that batch is read).
        TypeError: a column's type has no place in a tensor.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be positive, not {batch_size}")
    if not 0 <= index < num_shards:
        raise ValueError(f"index must be one of the {num_shards} shards, counted from 0, not {index}")
    if shuffle is not None and shuffle < 0:
        raise ValueError(f"shuffle must be a number of rows, not {shuffle}")
    source, names = _pruned(source, columns, label)
    opened = _Source(source)
    elements = _Elements(names or _names(opened.first.column_names, columns, label), label, layout, np.dtype(dtype))
    example = elements.of(opened.first, None)
    window_rows = _window_rows(source, shuffle, example)
    epochs = count()

    def epoch() -> Iterator[Any]:
        random = np.random.default_rng(None if seed is None else [seed, next(epochs)])
        for window in _windows(_shard(opened, num_shards, index), window_rows):
            yield elements.of(window, random.permutation(window.num_rows) if shuffle else None)

    tf = tensors.tensorflow()
    windows = tf.data.Dataset.from_generator(epoch, output_signature=tf.nest.map_structure(_tensor_spec, example))
    batches = windows.rebatch(batch_size, drop_remainder=drop_remainder)
    total = source.num_rows if isinstance(source, pa.Table) else rows
    if total is not None:
        mine = len(range(index, total, num_shards))
        known = mine // batch_size if drop_remainder else -(-mine // batch_size)
        batches = batches.apply(tf.data.experimental.assert_cardinality(known))
    return batches.prefetch(prefetch) if prefetch else batches


def _pruned(
    source: Batches, columns: Sequence[str] | None, label: str | None
) -> tuple[Batches, tuple[str, ...] | None]:
    """A table or query without the columns that nobody reads, and the features; other sources as they are."""
    if not isinstance(source, pa.Table | Query):
        return source, None
    names = _names(source.schema.names, columns, label)
    read = dict.fromkeys(names if label is None else (*names, label))
    return source.select(list(read)), names


class _Source:
    """Record batches that can be read again for each epoch, except those of an iterator."""

    def __init__(self, source: Batches) -> None:
        self._batches: Iterable[pa.RecordBatch] = source.to_batches() if isinstance(source, pa.Table) else source
        self._once = isinstance(self._batches, Iterator)
        self._is_read = False
        if isinstance(source, Query):
            source.plan()
        self.first = source.sample() if isinstance(source, Query) else self._peek(source)

    def _peek(self, source: Batches) -> pa.Table:
        """A table with the first row, if there is one."""
        iterator = iter(self._batches)
        first = next(iterator, None)
        if first is None and not isinstance(source, pa.Table):
            raise ValueError("there are no batches, so the columns are not known")
        if self._once:
            self._batches = chain([first], iterator)
        return source if first is None else pa.Table.from_batches([first]).slice(0, 1)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        if self._once and self._is_read:
            raise RuntimeError("these batches came from an iterator and have been read: give a table or a list")
        self._is_read = True
        return iter(self._batches)


@dataclass(frozen=True)
class _Elements:
    """What a window of rows looks like to TensorFlow."""

    features: tuple[str, ...]
    label: str | None
    layout: Layout
    dtype: np.dtype[Any]

    def of(self, window: pa.Table, order: Array | None) -> Any:
        """The window's rows, in that order, as arrays."""
        features = self._matrix(window) if self.layout == "matrix" else self._columns(window)
        element = features if self.label is None else (features, self._label(window, self.label))
        if order is None:
            return element
        return tensors.tensorflow().nest.map_structure(lambda array: array[order], element)

    def _matrix(self, window: pa.Table) -> Array:
        columns = [_array(window, name) for name in self.features]
        widths = [column.shape[1] if column.ndim == 2 else 1 for column in columns]
        matrix = np.empty((window.num_rows, sum(widths)), self.dtype)
        for column, end, width in zip(columns, np.cumsum(widths), widths, strict=True):
            matrix[:, end - width : end] = column.reshape(len(column), width)
        return matrix

    def _columns(self, window: pa.Table) -> dict[str, Array]:
        return {name: _array(window, name, strings=True) for name in self.features}

    def _label(self, window: pa.Table, name: str) -> Array:
        values = _array(window, name, strings=True)
        return values.astype(self.dtype) if values.dtype.kind == "f" else values


def _names(there: Sequence[str], columns: Sequence[str] | None, label: str | None) -> tuple[str, ...]:
    """The features. Raises ValueError for names that are not there."""
    names = tuple(name for name in there if name != label) if columns is None else tuple(columns)
    listed = ", ".join(there)
    missing = [name for name in (*names, label) if name is not None and name not in there]
    if missing:
        raise ValueError(f"there is no column {missing[0]}, only {listed}")
    if not names:
        raise ValueError(f"there is no feature in {listed}")
    return names


def _windows(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of `rows` rows, the last one shorter; nothing is copied."""
    parts: list[pa.RecordBatch] = []
    missing = rows
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            parts.append(batch.slice(start, missing))
            start += parts[-1].num_rows
            missing -= parts[-1].num_rows
            if missing == 0:
                yield pa.Table.from_batches(parts)
                parts, missing = [], rows
    if parts:
        yield pa.Table.from_batches(parts)


def _shard(batches: Iterable[pa.RecordBatch], shards: int, index: int) -> Iterable[pa.RecordBatch]:
    """Every `shards`-th row, however the rows are cut into batches."""
    if shards == 1:
        return batches
    return _every(batches, shards, index)


def _every(batches: Iterable[pa.RecordBatch], step: int, skip: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = np.arange(skip, batch.num_rows, step)
        skip += len(rows) * step - batch.num_rows
        yield batch.take(pa.array(rows))


def _window_rows(source: Batches, shuffle: int | bool | None, example: Any) -> int:
    if shuffle is True:
        if not isinstance(source, pa.Table):
            raise ValueError("only a table can be shuffled as a whole: give the number of rows to shuffle at a time")
        return max(int(source.num_rows), 1)
    return int(shuffle or 0) or max(1, min(WINDOW_ROWS, WINDOW_BYTES // _row_bytes(example)))


def _row_bytes(example: Any) -> int:
    """What a row takes, roughly where there are strings."""
    arrays = tensors.tensorflow().nest.flatten(example)
    sizes = (math.prod(a.shape[1:]) * (_STRING_BYTES if a.dtype == object else a.dtype.itemsize) for a in arrays)
    return max(1, int(sum(sizes)))


def _array(window: pa.Table, name: str, strings: bool = False) -> Array:
    """A column's values; a matrix for an array column. Raises ValueError for nulls, TypeError for what is no number."""
    column = window.column(name)
    if column.null_count:
        raise ValueError(f"column {name} has nulls, which have no place in a tensor: filter or fill them")
    type_ = tensors.sql_type(column.type)
    if strings and type_.is_stringlike and not tensors.is_nested(column.type):
        return np.array([value.encode() for value in column.to_pylist()], object)
    if not (type_.is_integral or type_.is_floating or type_.is_decimal or type_.name == "boolean"):
        raise TypeError(f"column {name} of type {column.type} has no place in this tensor: cast it to a number")
    chunks = column.chunks or [pa.array([], column.type)]
    if not tensors.is_nested(column.type):
        return np.concatenate([tensors.numbers(chunk) for chunk in chunks])
    width = len(column[0]) if len(column) else 0
    return np.concatenate([_rows(chunk, width, name) for chunk in chunks])


def _rows(column: pa.Array, width: int, name: str) -> Array:
    found, ok = tensors.rows(column, width, f"column {name}")
    if ok is not None:
        raise ValueError(f"an array of column {name} has a null in it, which has no place in a tensor")
    return found


def _tensor_spec(array: Array) -> Any:
    tf = tensors.tensorflow()
    return tf.TensorSpec([None, *array.shape[1:]], tf.string if array.dtype == object else array.dtype)
