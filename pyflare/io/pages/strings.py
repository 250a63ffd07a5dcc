"""Pages of strings → offsets and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from numba import int64, njit, uint64

from pyflare.io.pages.headers import DICTIONARY, NUMBERS, PLAIN, Page
from pyflare.io.pages.memory import INLINED, copy64, get64, get_byte, get_u32, put32, put64
from pyflare.io.pages.opening import ADDRESS, QUESTION, present_rows, uncompressed
from pyflare.io.pages.runs import read_indices
from pyflare.runtime.memory import memory_copy
from pyflare.runtime.outlined import NUMBER, outlined

if TYPE_CHECKING:
    from pyflare.io.columns import Array

MALFORMED: Final = 0
DONE: Final = 1
FULL: Final = 2

_KIND, _VALUES, _ENCODING, _ROOM = Page.KIND.value, Page.VALUES.value, Page.ENCODING.value, Page.ROOM.value
_BLOCK: Final = 64
_INT32_MAX: Final = 2**31 - 1


@njit(**INLINED)
def _place(at: Any, end: Any, count: Any, places: Any) -> Any:
    """Write where each of `count` values starts, behind its length; False if `end` comes before."""
    for i in range(count):
        if end - at < uint64(4) or uint64(get_u32(at, uint64(0))) > end - at - uint64(4):
            return False
        put64(places, uint64(i), int64(at + uint64(4)))
        at += uint64(4) + uint64(get_u32(at, uint64(0)))
    return True


@njit(**INLINED)
def _look_up(places: Any, indices: Any, count: Any, target: Any) -> None:
    for i in range(count):
        put64(target, uint64(i), get64(places, uint64(get_u32(indices, uint64(i)))))


@njit(**INLINED)
def _bytes_of(places: Any, count: Any) -> Any:
    total = uint64(0)
    for i in range(count):
        total += uint64(get_u32(uint64(get64(places, uint64(i))) - uint64(4), uint64(0)))
    return total


@njit(**INLINED)
def _copy(places: Any, ok: Any, has_nulls: bool, count: Any, offsets: Any, target: Any, used: Any) -> Any:
    """Write the bytes of the rows that have a value, and where each row ends; returns the end of the last one."""
    taken = uint64(0)
    for i in range(count):
        if not has_nulls or get_byte(ok, uint64(i)):
            place = uint64(get64(places, taken))
            length = uint64(get_u32(place - uint64(4), uint64(0)))
            if length <= uint64(_BLOCK):
                copy64(target + used, place)
            else:
                memory_copy(target + used, place, int64(length))
            used += length
            taken += uint64(1)
        put32(offsets, uint64(i) + uint64(1), int64(used))
    return used


@outlined(NUMBER, QUESTION, ADDRESS, ADDRESS, NUMBER, ADDRESS, ADDRESS, ADDRESS, ADDRESS, NUMBER, NUMBERS)
def read_strings(
    pages: Array,
    count: int,
    rows: int,
    is_snappy: bool,
    is_optional: bool,
    body: int,
    indices: int,
    dictionary: int,
    entry_places: int,
    entries: int,
    places: int,
    offsets: int,
    ok: int,
    target: int,
    capacity: int,
    state: Array,
) -> int:
    """Decode pages to the offsets behind the first one, and to bytes at `target`: `DONE`, `MALFORMED`, or `FULL`.

    `state` holds the page to go on with, the rows, bytes and nulls so far, and after `FULL` the `capacity` that the
    page needs. Addresses: `body` has room for the largest page, `indices` and `places` for the values of any;
    `dictionary` for the dictionary page and `entry_places` for its `entries`; `ok` for a byte a row where the column is
    optional.
    """
    row, used, nulls = uint64(state[1]), uint64(state[2]), state[3]
    for page in range(uint64(state[0]), uint64(count)):
        values, is_dictionary = uint64(pages[page, _VALUES]), pages[page, _KIND] == DICTIONARY
        start = uncompressed(pages, page, is_snappy, uint64(dictionary) if is_dictionary else uint64(body))
        if start == uint64(0) or values > (uint64(entries) if is_dictionary else uint64(rows) - row):
            return MALFORMED
        present, at = present_rows(pages, page, start, is_optional, uint64(ok) + row)
        end = start + uint64(pages[page, _ROOM])
        if present < 0:
            return MALFORMED
        if is_dictionary or pages[page, _ENCODING] == PLAIN:
            if not _place(at, end, uint64(present), uint64(entry_places) if is_dictionary else uint64(places)):
                return MALFORMED
        elif present:
            if read_indices(at, int64(end - at), present, entries, uint64(indices)) == 0:
                return MALFORMED
            _look_up(uint64(entry_places), uint64(indices), uint64(present), uint64(places))
        if is_dictionary:
            continue
        needed = used + _bytes_of(uint64(places), uint64(present))
        if needed > uint64(capacity):
            state[0], state[1], state[2], state[3], state[4] = page, row, used, nulls, needed
            return FULL if needed <= uint64(_INT32_MAX) else MALFORMED
        missing = int64(values) - present
        used = _copy(
            uint64(places),
            uint64(ok) + row,
            missing > 0,
            values,
            uint64(offsets) + (row << uint64(2)),
            uint64(target),
            used,
        )
        nulls += missing
        row += values
    state[2], state[3] = used, nulls
    return DONE if row == uint64(rows) else MALFORMED
