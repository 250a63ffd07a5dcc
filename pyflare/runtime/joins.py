"""Building join tables: rows are numbered by their key, and the rows of one key lie side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64, njit, uint64

from pyflare.io.memory import empty
from pyflare.runtime.memory import OPTIONS, hash_bytes, hash_word

Array = npt.NDArray[Any]


@njit(**OPTIONS)
def hash_keys(words: Array, texts: Array, count: int) -> Array:
    """The hash of each row's key words, as the kernels compute it (`codegen.sinks`)."""
    width = len(texts)
    hashes = np.empty(count, np.uint64)
    for row in range(count):
        h = uint64(0)
        w = 0
        while w < width:
            at = row * width + w
            if texts[w]:
                part = hash_bytes(uint64(words[at]), words[at + 1])
                step = 2
            else:
                part = uint64(words[at])
                step = 1
            h = hash_word(part if w == 0 else h ^ part)
            w += step
        hashes[row] = h
    return hashes


def starts_of_sorted(keys: Array, low: int, groups: int) -> Array | None:
    """Where each group starts among rows that lie in the order of their groups; None when they do not.

    Row r is in group `keys[r] - low`. `starts[g] … starts[g + 1]` are the rows of group g.
    """
    starts = empty(groups + 1, np.int32)
    return starts if _mark_starts(keys, low, starts) else None


@njit(**OPTIONS)
def _mark_starts(keys: Array, low: int, starts: Array) -> bool:
    after = int64(0)
    for row in range(len(keys)):
        group = int64(keys[row]) - low
        if group < after - 1 or group < 0:
            return False
        while after <= group:
            starts[after] = row
            after += 1
    starts[after:] = len(keys)
    return True


def rows_by_group(places: Array, groups: int) -> tuple[Array, Array]:
    """Counting sort of rows by group; those with a negative group come last.

    Gives the first position of each group (`groups` + 2 entries: the last two bound the rows without a group) and the
    rows in order.
    """
    starts, order = starts_of(places, groups), empty(len(places), np.int32)
    _put_in_order(places, groups, starts.copy(), order)
    return starts, order


@njit(**OPTIONS)
def _put_in_order(places: Array, groups: int, cursor: Array, order: Array) -> None:
    for row in range(len(places)):
        g = uint64(places[row] if places[row] >= 0 else int64(groups))
        order[uint64(cursor[g])] = row
        cursor[g] += 1


def starts_of(places: Array, groups: int) -> Array:
    """The positions of `rows_by_group` without the rows."""
    starts = np.zeros(groups + 2, np.int32)
    _count(places, groups, starts)
    return starts


@njit(**OPTIONS)
def _count(places: Array, groups: int, starts: Array) -> None:
    for row in range(len(places)):
        g = places[row] if places[row] >= 0 else int64(groups)
        starts[uint64(g) + uint64(1)] += 1
    for g in range(groups + 1):
        starts[g + 1] += starts[g]
