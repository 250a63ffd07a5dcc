"""Building join tables: rows are numbered by their key, and the rows of one key lie side by side.

The group of row r is `keys[r] - low`, from 0 to `groups` - 1; group g has the places `starts[g] … starts[g + 1]`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64, njit, uint8, uint64

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


@njit(**OPTIONS)
def ascends(keys: Array, first: int, last: int) -> bool:
    """Whether none of the rows `first … last` has a smaller key than the row before it."""
    row = uint64(max(first, 1))
    while row < uint64(last):
        end = min(uint64(last), row + uint64(4096))
        falls = uint8(0)
        for at in range(row, end):
            falls |= uint8(keys[at] < keys[at - uint64(1)])
        if falls:
            return False
        row = end
    return True


@njit(**OPTIONS)
def mark_starts(keys: Array, low: int, starts: Array, first: int, last: int) -> None:
    """Set `starts[first … last]` for rows that lie in the order of their keys.

    Without a branch: each row overwrites its group's end, and groups without rows then take the end before them.
    """
    starts[uint64(first) : uint64(last)] = 0
    ends = _rows_below(keys, low, first - 1)
    for row in range(uint64(ends), uint64(_rows_below(keys, low, last - 1))):
        starts[uint64(int64(keys[row]) - low) + uint64(1)] = row + uint64(1)
    for group in range(uint64(first), uint64(last)):
        ends = max(ends, int64(starts[group]))
        starts[group] = ends


@njit(**OPTIONS)
def _rows_below(keys: Array, low: int, group: int) -> int:
    """How many rows of ascending keys are in groups below `group`."""
    row, end = int64(0), int64(len(keys))
    while row < end:
        middle = (row + end) >> 1
        if int64(keys[uint64(middle)]) - low < group:
            row = middle + 1
        else:
            end = middle
    return row


@njit(**OPTIONS)
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


@njit(**OPTIONS)
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


@njit(**OPTIONS)
def mark_members(starts: Array, members: Array, first: int, last: int) -> None:
    """Set `members[first … last]` to whether the groups have rows."""
    for group in range(uint64(first), uint64(last)):
        members[group] = uint8(starts[group] != starts[group + uint64(1)])


@njit(**OPTIONS)
def gather(values: Array, rows: Array, out: Array, first: int, last: int) -> None:
    """Set `out[first … last]` to the values at those rows."""
    for place in range(uint64(first), uint64(last)):
        out[place] = values[uint64(rows[place])]
