"""Time zones in kernels: searching the tables that `pyflare.zones.Zone.table` lays out.

A position is where in a table a period's start is: its offset lies one stride behind, the next period's UTC start two
strides and a word.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import int64, uint64

from pyflare.runtime.compiled import compiled
from pyflare.runtime.dates import floor_remainder
from pyflare.runtime.integers import remainder

Table = npt.NDArray[np.int64]

CYCLE = 146097 * 86400
_FIRST, _SHIFT, _LAST_BUCKET, _STRIDE, _BUCKETS = range(5)


@compiled
def position_of(table: Table, second: int) -> int:
    """The position of the period that holds a second."""
    bucket = ((second - table[_FIRST]) >> table[_SHIFT]) + int64(1)
    bucket = min(max(bucket, int64(0)), table[_LAST_BUCKET])
    at = uint64(table[uint64(_BUCKETS) + uint64(bucket)])
    while table[at + uint64(1)] <= second:
        at += uint64(1)
    return at


@compiled
def repeated(second: int, start: int) -> int:
    """The second within the one cycle from `start` on that stands for all of them."""
    return second if second < start + int64(CYCLE) else start + remainder(second - start, int64(CYCLE))


@compiled
def offset_at(table: Table, second: int) -> int:
    """The offset of a second."""
    return table[position_of(table, second) + uint64(table[_STRIDE])]


@compiled
def instant_of(locals_: Table, local: int) -> int:
    """The instant of a local time: moved on by a gap's length inside of it, the earlier one in an overlap."""
    return local - offset_at(locals_, local)


@compiled
def start_of_day(locals_: Table, midnight: int) -> int:
    """The first instant of the day that begins at a local midnight: the end of the gap that swallows it."""
    at, stride = position_of(locals_, midnight), uint64(locals_[_STRIDE])
    return min(midnight - locals_[at + stride], locals_[at + uint64(2) * stride + uint64(1)])


@compiled
def instant_near(instants: Table, locals_: Table, local: int, offset: int) -> int:
    """The instant of a local time, with `offset` if it is valid there."""
    instant = local - offset
    if offset_at(instants, instant) == offset:
        return instant
    return instant_of(locals_, local)


@compiled
def truncated(instants: Table, locals_: Table, second: int, unit: int) -> int:
    """The instant at which a local minute, hour or day has begun."""
    at = position_of(instants, second)
    offset = instants[at + uint64(instants[_STRIDE])]
    instant = second - floor_remainder(second + offset, unit)
    if instant >= instants[at]:
        return instant
    return instant_near(instants, locals_, instant + offset, offset)
