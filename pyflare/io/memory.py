"""Foreign memory seen as NumPy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from pyflare.io.columns import Array


class _Memory:
    """What NumPy asks of an object whose memory it views; the view keeps it, and so `owner`, alive."""

    def __init__(self, address: int, dtype: np.dtype[Any], count: int, owner: Any) -> None:
        self.owner = owner
        self.__array_interface__ = {"version": 3, "shape": (count,), "typestr": dtype.str, "data": (address, False)}


def view(buffer: pa.Buffer | None, dtype: npt.DTypeLike, count: int, start: int = 0) -> Array:
    """Elements `start` to `start + count` of an Arrow buffer, without a copy.

    The array is flagged as writable, so that every column has one and the same NumPy type: nobody may write into it.
    """
    kind = np.dtype(dtype)
    if buffer is None or count == 0:
        return np.empty(0, kind)
    if buffer.size < (start + count) * kind.itemsize:
        raise ValueError(f"a buffer of {buffer.size} bytes cannot hold {start + count} values of {kind}")
    return np.asarray(_Memory(buffer.address + start * kind.itemsize, kind, count, buffer))


def empty(count: int, dtype: npt.DTypeLike) -> Array:
    """An uninitialised array in Arrow's memory pool: aligned to cache lines, as `np.empty` is not."""
    kind = np.dtype(dtype)
    return view(pa.allocate_buffer(count * kind.itemsize), kind, count)


def bits(buffer: pa.Buffer, count: int, start: int = 0) -> Array:
    """Bits `start` to `start + count` of a bitmap, one byte each."""
    packed = view(buffer, np.uint8, (start + count + 7) // 8)
    return np.unpackbits(packed, count=start + count, bitorder="little")[start:]
