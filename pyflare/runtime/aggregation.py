"""Merging and finishing group states: NumPy, or small cached kernels, over whole state arrays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import int64, njit, uint64

from pyflare.errors import DataError
from pyflare.io import kernels
from pyflare.io.memory import empty
from pyflare.runtime.decimals import divide_rounded
from pyflare.runtime.int128 import wide, wide_lt
from pyflare.runtime.int256 import magnitude, power
from pyflare.runtime.memory import OPTIONS, bytes_compare
from pyflare.runtime.shared import shared
from pyflare.types import DataType, Kind

Array = npt.NDArray[Any]
_LARGEST: Final = 2**63 - 1


def overflow(what: str) -> DataError:
    """The error behind which Spark raises its own."""
    return DataError(f"{what} overflows")


def widen(values: Array) -> Array:
    """int64 values as two-word values."""
    words = empty(2 * len(values), np.int64)
    kernels.widen(values, words)
    return words


def merge_wide(into: Array, other: Array, at: Array) -> None:
    """Add 128-bit sums group by group."""
    a, b = into.reshape(-1, 2), other.reshape(-1, 2)[: len(at)]
    more = np.ascontiguousarray(b[:, 0]).view(np.uint64)
    low = a[at, 0].view(np.uint64) + more
    carry = low < more
    high = a[at, 1] + b[:, 1] + carry
    a[at, 0] = low.view(np.int64)
    a[at, 1] = high


def mean_decimal(words: Array, counts: Array, shift: int, type_: DataType) -> Array:
    """Decimal averages at the result's scale, in the result's storage. Raises `DataError` where one does not fit."""
    result, fits = _short_mean(words, counts, shift, type_.precision) or _mean(words, counts, shift, type_.precision)
    if not fits:
        raise overflow("an average")
    return result if type_.kind is Kind.WIDE else result[::2].copy()


def _short_mean(words: Array, counts: Array, shift: int, precision: int) -> tuple[Array, bool] | None:
    """What `_mean` gives, without compiling it, when no intermediate result leaves 64 bits; else None."""
    sums, high = words[::2], words[1::2]
    room = _LARGEST // 2 - int(counts.max(initial=1))
    if (
        shift < 0
        or (high != sums >> 63).any()
        or max(int(sums.max(initial=0)), -int(sums.min(initial=0))) >= room // 10**shift
    ):
        return None
    means = (2 * 10**shift * np.abs(sums) + counts) // (2 * counts)
    result = np.empty_like(words)
    result[::2] = np.where(sums < 0, -means, means)
    result[1::2] = result[::2] >> 63
    return result, bool((means < min(10**precision, _LARGEST)).all())


@njit(**OPTIONS)
def _mean(words: Array, counts: Array, shift: int, precision: int) -> tuple[Array, bool]:
    result = np.empty_like(words)
    top = power(precision)
    fits = True
    for g in range(len(counts)):
        mean = divide_rounded((words[2 * g], words[2 * g + 1]), wide(counts[g]), int64(shift))
        fits = fits and wide_lt(magnitude(mean), top)
        result[2 * g] = mean[0]
        result[2 * g + 1] = mean[1]
    return result, fits


def merge_moments(into: dict[str, Array], other: dict[str, Array], at: Array, n: str, mean: str, m2: str) -> None:
    """Chan's formula for two sets' second central moments."""
    na, nb = into[n][at], other[n][: len(at)]
    total = na + nb
    delta = other[mean][: len(at)] - into[mean][at]
    with np.errstate(all="ignore"):
        share = np.where(total > 0, nb / total, 0.0)
    both = (na > 0) & (nb > 0)
    into[m2][at] += other[m2][: len(at)] + np.where(both, delta * delta * na * share, 0.0)
    into[mean][at] = np.where(na > 0, into[mean][at] + np.where(nb > 0, delta * share, 0.0), other[mean][: len(at)])
    into[n][at] = total


def better(states: Any, value: Any, operator: str, into: dict[str, Array], other: dict[str, Array], at: Array) -> Array:
    """For each group of `other`, whether its extreme beats `into`'s."""
    names = [state.name for state in states]
    if value.kind is Kind.STR:
        order = _compare_texts(into[names[0]], into[names[1]], other[names[0]], other[names[1]], at)
        return order < 0 if operator == "<" else order > 0
    if value.kind is Kind.WIDE:
        return _wide_better(into[names[0]], other[names[0]], at, operator == "<")
    a, b = into[names[0]][at], other[names[0]][: len(at)]
    if value.kind in (Kind.F32, Kind.F64):
        nan_a, nan_b = np.isnan(a), np.isnan(b)
        less, more = (b < a) | (nan_a & ~nan_b), (b > a) | (nan_b & ~nan_a)
        return less if operator == "<" else more
    return b < a if operator == "<" else b > a


@njit(**OPTIONS)
def _compare_texts(a: Array, a_length: Array, b: Array, b_length: Array, at: Array) -> Array:
    result = np.zeros(len(at), np.int64)
    for g in range(len(at)):
        result[g] = bytes_compare(b[g], b_length[g], a[at[g]], a_length[at[g]])
    return result


@njit(**OPTIONS)
def _wide_better(a: Array, b: Array, at: Array, smaller: bool) -> Array:
    result = np.zeros(len(at), np.bool_)
    for g in range(len(at)):
        mine, theirs = (a[2 * at[g]], a[2 * at[g] + 1]), (b[2 * g], b[2 * g + 1])
        result[g] = wide_lt(theirs, mine) if smaller else wide_lt(mine, theirs)
    return result


# Hash tables of groups ------------------------------------------------------------------------------------------------


@shared("(int32[::1], uint64[::1], int64)", usual=1)
def rehash(slots: Array, hashes: Array, count: int) -> None:
    """Enter `count` groups into an empty slot table."""
    mask = uint64(len(slots) - 1)
    for g in range(count):
        at = hashes[uint64(g)] & mask
        while slots[at] >= 0:
            at = (at + uint64(1)) & mask
        slots[at] = g


@shared("(int32[::1], uint64[::1], int64[::1], uint8[::1], int64, uint64[::1], int64[::1], int64[::1])", usual=1)
def find_or_insert(
    slots: Array,
    hashes: Array,
    keys: Array,
    texts: Array,
    count: int,
    new_hashes: Array,
    new_keys: Array,
    places: Array,
) -> int:
    """Set the group of each of the new keys in a table with room for all of them; unknown ones are added.

    `texts` has one byte for each key word: 1 where the word is an address whose length is the next word.
    Returns how many groups there are then.
    """
    width = len(texts)
    mask = uint64(len(slots) - 1)
    for n in range(len(places)):
        h = new_hashes[n]
        at = h & mask
        while True:
            g = int64(slots[at])
            if g < 0:
                g = count
                slots[at] = g
                hashes[g] = h
                for w in range(width):
                    keys[g * width + w] = new_keys[n * width + w]
                count += 1
                break
            if hashes[g] == h and _same_key(keys, g * width, new_keys, n * width, texts):
                break
            at = (at + uint64(1)) & mask
        places[n] = g
    return count


@njit(**OPTIONS)
def _same_key(a: Array, a_at: int, b: Array, b_at: int, texts: Array) -> bool:
    w = 0
    while w < len(texts):
        if texts[w]:
            order = bytes_compare(uint64(a[a_at + w]), a[a_at + w + 1], uint64(b[b_at + w]), b[b_at + w + 1])
            if order != 0:
                return False
            w += 2
        else:
            if a[a_at + w] != b[b_at + w]:
                return False
            w += 1
    return True


__all__ = [
    "better",
    "find_or_insert",
    "mean_decimal",
    "merge_moments",
    "merge_wide",
    "overflow",
    "rehash",
    "widen",
]
