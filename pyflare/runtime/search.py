"""Look-ups in small sorted arrays of constants."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from numba import njit, uint64

from pyflare.runtime.memory import OPTIONS, bytes_compare


@njit(**OPTIONS)
def contains_sorted(values: npt.NDArray[Any], value: int) -> bool:
    """Whether a sorted array holds a value."""
    low, high = uint64(0), uint64(len(values))
    while low < high:
        middle = (low + high) >> uint64(1)
        if values[middle] < value:
            low = middle + uint64(1)
        else:
            high = middle
    return low < uint64(len(values)) and values[low] == value


@njit(**OPTIONS)
def contains_text(base: int, bounds: npt.NDArray[Any], text: int, text_n: int) -> bool:
    """Whether a text is among sorted ones, of which number k is at `base` from `bounds[k]` to `bounds[k + 1]`."""
    low, high = uint64(0), uint64(len(bounds) - 1)
    while low < high:
        middle = (low + high) >> uint64(1)
        start = bounds[middle]
        order = bytes_compare(base + uint64(start), bounds[middle + uint64(1)] - start, text, text_n)
        if order == 0:
            return True
        if order < 0:
            low = middle + uint64(1)
        else:
            high = middle
    return False
