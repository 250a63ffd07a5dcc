"""Between the columns of Arrow batches and arrays of cells, without a Python object per number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from pyflare.tensorflow import tensors
from pyflare.tensorflow.tensors import Array
from pyflare.tensorframes.errors import InvalidDimensionException, TensorFramesError
from pyflare.tensorframes.shapes import UNKNOWN, Scalar, Shape, fits, printed


@dataclass(frozen=True)
class Feed:
    """A column that is fed: where it is in a batch, the type of its numbers and the shape that a cell must have."""

    index: int
    name: str
    scalar: Scalar
    cell: Shape
    lead: int = UNKNOWN

    def block(self, batches: Sequence[pa.RecordBatch]) -> Array:
        """The column of all batches, which have rows, as one array with the rows as first dimension.

        Raises TensorFramesError for nulls, InvalidDimensionException for cells of another shape or of several.
        """
        parts = [self._array(batch.column(self.index)) for batch in batches]
        rows = sum(map(len, parts))
        if self.lead not in (UNKNOWN, rows):
            raise InvalidDimensionException(f"The TF graph asks for blocks of {self.lead} rows, this one has {rows}")
        if len({part.shape[1:] for part in parts}) > 1:
            raise self._mixed("use map_rows")
        if len(parts) == 1:
            return parts[0]
        if self.scalar.is_binary:
            return np.concatenate(parts)
        joined = tensors.allocate((rows, *parts[0].shape[1:]), self.scalar.dtype)
        np.concatenate(parts, out=joined)
        return joined

    def rows(self, batch: pa.RecordBatch) -> Iterator[Array]:
        """The cells of one batch, one by one: they may differ in their first dimension."""
        column = batch.column(self.index)
        if not self.cell:
            values = self._array(column)
            yield from (values[index, ...] for index in range(len(values)))
            return
        self._check_nulls(column)
        offsets = _offsets(column)
        values = self._array(column.flatten(), self.cell[1:])
        for start, stop in pairwise(offsets):
            cell = values[start - offsets[0] : stop - offsets[0]]
            self._check(cell.shape)
            yield cell

    def _array(self, column: pa.Array, cell: Shape | None = None) -> Array:
        cell = self.cell if cell is None else cell
        rows, sizes = len(column), []
        for size in cell:
            self._check_nulls(column)
            sizes.append(
                self._size(
                    column, size, "use map_rows" if cell is self.cell else "only their first dimension may differ"
                )
            )
            column = column.flatten()
        self._check_nulls(column)
        if cell is self.cell:
            self._check(tuple(sizes))
        return self._numbers(column).reshape(rows, *sizes)

    def _numbers(self, column: pa.Array) -> Array:
        if self.scalar.is_binary:
            return np.array([*column.to_pylist(), None], object)[:-1]  # NumPy makes no strings of them beside a None
        return tensors.numbers(column) if len(column) else np.empty(0, self.scalar.dtype)

    def _size(self, column: pa.Array, requested: int, advice: str) -> int:
        """The length of every list; the requested one (or none) if there is no list to tell."""
        lengths = np.diff(_offsets(column))
        if not len(lengths):
            return max(requested, 0)
        if (lengths != lengths[0]).any():
            raise self._mixed(advice)
        return int(lengths[0])

    def _check(self, cell: Shape) -> None:
        if not fits(cell, self.cell):
            raise InvalidDimensionException(
                f"The data column '{self.name}' has a cell of shape {printed(cell)}, not {printed(self.cell)}"
            )

    def _check_nulls(self, column: pa.Array) -> None:
        if column.null_count:
            raise TensorFramesError(
                f"The data column '{self.name}' has nulls, which have no place in a tensor: filter or fill them"
            )

    def _mixed(self, advice: str) -> InvalidDimensionException:
        return InvalidDimensionException(f"The data column '{self.name}' has cells of several shapes: {advice}")


def _offsets(column: pa.Array) -> Array:
    """Where each list begins among the values, and where the last one ends."""
    dtype = np.int64 if pa.types.is_large_list(column.type) else np.int32
    if len(column) == 0:
        return np.zeros(1, dtype)
    found: Array = np.frombuffer(column.buffers()[1], dtype)
    return found[column.offset : column.offset + len(column) + 1]


def as_column(cells: Array, scalar: Scalar) -> pa.Array:
    """Cells of one shape as a column without nulls: a row for each entry of the first dimension."""
    column = pa.array(np.ascontiguousarray(cells).reshape(-1), scalar.arrow)
    for axis in range(cells.ndim - 1, 0, -1):
        lists, size = int(np.prod(cells.shape[:axis])), cells.shape[axis]
        offsets = np.arange(lists + 1, dtype=np.int32) * np.int32(size)
        column = _listed(offsets, column, scalar, cells.ndim - axis)
    return column


def as_ragged_column(cells: Sequence[Array], scalar: Scalar, rank: int) -> pa.Array:
    """Cells of any shapes, each with `rank` dimensions, as a column without nulls."""
    flat = [np.asarray(cell, scalar.dtype).reshape(-1) for cell in cells]
    column = pa.array(np.concatenate(flat) if flat else np.empty(0, scalar.dtype), scalar.arrow)
    for axis in range(rank - 1, -1, -1):
        lengths = [np.full(int(np.prod(cell.shape[:axis])), cell.shape[axis], np.int32) for cell in cells]
        offsets = np.cumsum(np.concatenate([np.zeros(1, np.int32), *lengths]), dtype=np.int32)
        column = _listed(offsets, column, scalar, rank - axis)
    return column


def _listed(offsets: Array, values: pa.Array, scalar: Scalar, depth: int) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=scalar.array_type(depth))


Sizes = tuple[int | None, ...]


def measured(column: pa.Array, rank: int) -> Sizes | None:
    """The dimensions of a column's cells: None where no cell tells, -1 where they differ; None if a value is null."""
    sizes: list[int | None] = []
    for _ in range(rank):
        if column.null_count:
            return None
        lengths = np.unique(np.diff(_offsets(column)))
        sizes.append(None if not len(lengths) else int(lengths[0]) if len(lengths) == 1 else UNKNOWN)
        column = column.flatten()
    return None if column.null_count else tuple(sizes)


def merged(left: Any, right: Any) -> Any:
    """What two parts of a column have in common: sizes, or None if a part has nulls."""
    if left is None or right is None:
        return None
    return tuple(_common(*pair) for pair in zip(left, right, strict=True))


def _common(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return left if left == right else UNKNOWN
