"""Integers in as few bytes as their bounds allow: less memory to keep, and less to read for every kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pyflare.errors import ExecutionError
from pyflare.io import kernels
from pyflare.io.cache import Chunk
from pyflare.io.memory import empty
from pyflare.types import Kind

if TYPE_CHECKING:
    from pyflare.io.columns import Column
    from pyflare.types import DataType

_PACKED: Final = tuple(np.dtype(name) for name in ("int8", "int16", "int32", "int64"))


def packing(type_: DataType, low: int | None, high: int | None) -> str | None:
    """The narrowest NumPy type for values from `low` to `high`; None if it saves nothing over the type's own."""
    if low is None or high is None or type_.kind not in (Kind.INT, Kind.WIDE):
        return None
    width = 16 if type_.kind is Kind.WIDE else type_.storage.itemsize
    fitting = (t for t in _PACKED if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    narrowest = next(fitting, None)
    return None if narrowest is None or narrowest.itemsize >= width else narrowest.name


def packed(chunk: Chunk, type_: DataType, name: str, column: str) -> Chunk:
    """The chunk in that type. Raises `ExecutionError` for values beyond it, which the file's statistics deny."""
    limits = np.iinfo(name)
    if chunk.low is not None and chunk.high is not None and (chunk.low < limits.min or chunk.high > limits.max):
        raise ExecutionError(f"column {column} has values beyond its file's statistics")
    data = chunk.column.data[::2] if type_.kind is Kind.WIDE else chunk.column.data
    narrow = empty(len(data), name)
    np.copyto(narrow, data, casting="unsafe")
    return replace(chunk, column=replace(chunk.column, data=narrow))


def unpacked(column: Column, type_: DataType) -> Column:
    """A packed column in its type's own form."""
    if type_.kind is not Kind.WIDE:
        return replace(column, data=column.data.astype(type_.storage))
    words = empty(2 * len(column.data), np.int64)
    kernels.widen(column.data.astype(np.int64), words)
    return replace(column, data=words)
