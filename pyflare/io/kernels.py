"""The loops that readers and writers run over column buffers, where NumPy would need several passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from pyflare.io.columns import Array

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "boundscheck": False}


@intrinsic
def copy_memory(context: Any, target: Any, source: Any, length: Any) -> Any:
    """Copy `length` bytes between two addresses."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, origin = (builder.inttoptr(address, cgutils.voidptr_t) for address in arguments[:2])
        cgutils.raw_memcpy(builder, to, origin, arguments[2], 1)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.uint64), generate


@njit(**_OPTIONS)
def narrow(words: Array, out: Array) -> Any:
    """Copy the low words of 128-bit values into `out`; False if a value does not fit 64 bits."""
    lost = np.int64(0)
    for i in range(np.uint64(out.size)):
        low = words[2 * i]
        out[i] = low
        lost |= words[2 * i + np.uint64(1)] ^ (low >> 63)
    return lost == 0


@njit(**_OPTIONS)
def widen(values: Array, words: Array) -> None:
    """Copy 64-bit values into `words` as 128-bit ones."""
    for i in range(np.uint64(values.size)):
        value = np.int64(values[i])
        words[2 * i] = value
        words[2 * i + np.uint64(1)] = value >> 63


@njit(**_OPTIONS)
def bounds(values: Array) -> Any:
    """The smallest and the largest of at least one integer."""
    low = values[0]
    high = low
    for i in range(np.uint64(values.size)):
        low = min(low, values[i])
        high = max(high, values[i])
    return np.int64(low), np.int64(high)


@njit(**_OPTIONS)
def valid_bounds(values: Array, ok: Array) -> Any:
    """Smallest and largest of the integers that are not null; low above high if there are none."""
    low = np.int64(2**63 - 1)
    high = np.int64(-(2**63))
    for i in range(np.uint64(values.size)):
        if ok[i]:
            low = min(low, np.int64(values[i]))
            high = max(high, np.int64(values[i]))
    return low, high


@njit(**_OPTIONS)
def wide_bounds(words: Array, ok: Array) -> Any:
    """Rows of the smallest and the largest 128-bit value that is not null, -1 without one. An empty `ok`: no nulls."""
    lowest = np.int64(-1)
    highest = np.int64(-1)
    low_hi = high_hi = np.int64(0)
    low_lo = high_lo = np.uint64(0)
    for i in range(words.size // 2):
        if ok.size and not ok[i]:
            continue
        lo = np.uint64(words[2 * i])
        hi = words[2 * i + 1]
        if lowest < 0 or hi < low_hi or (hi == low_hi and lo < low_lo):
            lowest, low_hi, low_lo = np.int64(i), hi, lo
        if highest < 0 or hi > high_hi or (hi == high_hi and lo > high_lo):
            highest, high_hi, high_lo = np.int64(i), hi, lo
    return lowest, highest


@njit(**_OPTIONS)
def remap(indices: Array, codes: Array, out: Array) -> Any:
    """Translate dictionary indices through `codes`; False if one lies outside it."""
    size = np.uint64(codes.size)
    good = True
    for i in range(np.uint64(indices.size)):
        index = np.uint64(np.int64(indices[i]))
        if index < size:
            out[i] = codes[index]
        else:
            good = False
    return good


@njit(**_OPTIONS)
def remap_valid(indices: Array, ok: Array, codes: Array, out: Array) -> Any:
    """As `remap`, with code 0 for rows that are null."""
    size = np.uint64(codes.size)
    good = True
    for i in range(np.uint64(indices.size)):
        index = np.uint64(np.int64(indices[i]))
        if not ok[i]:
            out[i] = 0
        elif index < size:
            out[i] = codes[index]
        else:
            good = False
    return good


@njit(**_OPTIONS)
def gather_lengths(codes: Array, ok: Array, offsets: Array, out: Array) -> Any:
    """Write the n + 1 offsets of the values behind `codes` and return the bytes they need. An empty `ok`: no nulls."""
    total = np.int64(0)
    out[0] = 0
    for i in range(np.uint64(codes.size)):
        if ok.size == 0 or ok[i]:
            code = np.uint64(np.int64(codes[i]))
            total += offsets[code + np.uint64(1)] - offsets[code]
        out[i + np.uint64(1)] = total
    return total


@njit(**_OPTIONS)
def gather_bytes(codes: Array, offsets: Array, values: Array, starts: Array, out: Array) -> None:
    """Copy the value behind each code to where `starts` says; rows of zero length copy nothing."""
    source = np.uint64(values.ctypes.data)
    target = np.uint64(out.ctypes.data)
    for i in range(np.uint64(codes.size)):
        start = np.uint64(starts[i])
        length = np.uint64(starts[i + np.uint64(1)]) - start
        if length != np.uint64(0):
            copy_memory(target + start, source + np.uint64(offsets[np.uint64(np.int64(codes[i]))]), length)


@njit(**_OPTIONS)
def view_lengths(lengths: Array, ok: Array, out: Array) -> Any:
    """As `gather_lengths`, for values that are given by address and length."""
    total = np.int64(0)
    out[0] = 0
    for i in range(np.uint64(lengths.size)):
        if ok.size == 0 or ok[i]:
            total += lengths[i]
        out[i + np.uint64(1)] = total
    return total


@njit(**_OPTIONS)
def view_bytes(addresses: Array, starts: Array, out: Array) -> None:
    """As `gather_bytes`, for values that are given by address."""
    target = np.uint64(out.ctypes.data)
    for i in range(np.uint64(addresses.size)):
        start = np.uint64(starts[i])
        length = np.uint64(starts[i + np.uint64(1)]) - start
        if length != np.uint64(0):
            copy_memory(target + start, addresses[i], length)
