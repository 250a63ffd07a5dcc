"""Building join tables: rows are numbered by their key, and the rows of one key lie side by side.

The group of row r is `keys[r] - low`, from 0 to `groups` - 1; group g has the places `starts[g] … starts[g + 1]`.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import int64, uint64

from pyflare.runtime.memory import hash_bytes, hash_word
from pyflare.runtime.shared import shared

Array = npt.NDArray[Any]

_BLOCK: Final = 2**15


@shared("(int64[::1], uint8[::1], uint64[::1])", usual=1)
def hash_keys(words: Array, texts: Array, hashes: Array) -> None:
    """Set the hash of each row's key words, as the kernels compute it (`codegen.groups`)."""
    width = len(texts)
    for row in range(len(hashes)):
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


def ascends(keys: Array, first: int, last: int) -> bool:
    """Whether none of the rows `first … last` has a smaller key than the row before it."""
    for start in range(max(first, 1), last, _BLOCK):
        part = keys[start - 1 : min(last, start + _BLOCK)]
        if (part[1:] < part[:-1]).any():
            return False
    return True


def mark_starts(keys: Array, low: int, starts: Array, first: int, last: int) -> None:
    """Set `starts[first … last]` for rows that lie in the order of their keys."""
    begin, end = (bisect_left(keys, low + group) for group in (first - 1, last - 1))
    mark_ends(keys, low, starts, first, last, begin, end)


@shared(*(f"({key}[::1], int64, int32[::1], int64, int64, int64, int64)" for key in ("int64", "int32")), usual=1)
def mark_ends(keys: Array, low: int, starts: Array, first: int, last: int, begin: int, end: int) -> None:
    """Set `starts[first … last]`, where groups start, from the rows `begin … end` of the groups before those.

    Without a branch: each row overwrites its group's end, and groups without rows then take the end before them.
    """
    starts[uint64(first) : uint64(last)] = 0
    for row in range(uint64(begin), uint64(end)):
        starts[uint64(int64(keys[row]) - low) + uint64(1)] = row + uint64(1)
    latest = int64(begin)
    for group in range(uint64(first), uint64(last)):
        if starts[group] > latest:
            latest = int64(starts[group])
        starts[group] = latest


@shared(*(f"({key}[::1], bool_[::1], int64, int32[::1])" for key in ("int64", "int32")), usual=0)
def count_groups(keys: Array, ok: Array, low: int, starts: Array) -> None:
    """Set `starts` (`groups` + 2 entries) to where groups start, one entry late, for `put_in_order`.

    Rows with a zero in `ok`, if this is not empty, have no group.
    """
    starts[:] = 0
    for row in range(uint64(len(keys))):
        if len(ok) == 0 or ok[row]:
            starts[uint64(int64(keys[row]) - low) + uint64(2)] += 1
    for entry in range(uint64(2), uint64(len(starts))):
        starts[entry] += starts[entry - uint64(1)]


@shared(*(f"({key}[::1], bool_[::1], int64, int32[::1], int32[::1])" for key in ("int64", "int32")), usual=0)
def put_in_order(keys: Array, ok: Array, low: int, starts: Array, order: Array) -> None:
    """Write the rows in the order of their groups, those without one last.

    Each row moves its group's entry on by one, which in the end puts `starts` right.
    """
    rest = uint64(starts[len(starts) - 1])
    for row in range(uint64(len(keys))):
        if len(ok) == 0 or ok[row]:
            entry = uint64(int64(keys[row]) - low) + uint64(1)
            order[uint64(starts[entry])] = row
            starts[entry] += 1
        else:
            order[rest] = row
            rest += uint64(1)


def mark_members(starts: Array, members: Array, first: int, last: int) -> None:
    """Set `members[first … last]` to whether the groups have rows."""
    np.not_equal(starts[first:last], starts[first + 1 : last + 1], out=members[first:last].view(np.bool_))


_GATHERED = [
    f"{word}[::1], {row}[::1], {word}"
    for row in ("int64", "int32")
    for word in ("uint64", "uint32", "complex128", "uint8")
]


@shared(*(f"({arrays}[::1], int64, int64)" for arrays in _GATHERED), usual=3)
def gather(values: Array, rows: Array, out: Array, first: int, last: int) -> None:
    """Set `out[first … last]` to the values at those rows."""
    for place in range(uint64(first), uint64(last)):
        out[place] = values[uint64(rows[place])]
