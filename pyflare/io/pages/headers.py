"""The page headers of a column chunk → a table of its pages."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import int64, njit, uint64
from numba.core import types

from pyflare.io.pages.memory import INLINED, get_byte
from pyflare.io.pages.runs import varint
from pyflare.io.thrift import path
from pyflare.runtime.outlined import NUMBER, outlined

if TYPE_CHECKING:
    from pyflare.io.columns import Array

NUMBERS: Final = types.Array(types.int64, 1, "C")
TABLE: Final = types.Array(types.int64, 2, "C")

INDEX: Final = 1
DICTIONARY: Final = 2
DATA_V2: Final = 3
PLAIN: Final = 0
PLAIN_DICTIONARY: Final = 2
RLE: Final = 3
RLE_DICTIONARY: Final = 8


class Page(IntEnum):
    """The columns of the table of pages.

    `START`, `SIZE` and `ROOM` are the address, the size and the uncompressed size of what may be compressed, and
    `LEVELS` is the size of the definition levels that lie before it, which is 0 except on pages of version 2.
    """

    KIND = 0
    VALUES = 1
    ENCODING = 2
    START = 3
    SIZE = 4
    ROOM = 5
    LEVELS = 6
    IS_COMPRESSED = 7


class Sums(IntEnum):
    """What is added up over all pages.

    Over data pages: the rows, the most values of one, the bytes of plain ones and the values of those that hold
    dictionary indices. Over all: the largest uncompressed size. `ENTRIES` is -1 without a dictionary page.
    """

    ROWS = 0
    MOST_VALUES = 1
    PLAIN_BYTES = 2
    CODED = 3
    LARGEST = 4
    ENTRIES = 5


FIELDS: Final = len(Page)
SUMS: Final = len(Sums)

_KIND, _VALUES, _ENCODING, _START = Page.KIND.value, Page.VALUES.value, Page.ENCODING.value, Page.START.value
_SIZE, _ROOM, _LEVELS = Page.SIZE.value, Page.ROOM.value, Page.LEVELS.value
_IS_COMPRESSED = Page.IS_COMPRESSED.value
_ROWS, _MOST_VALUES, _PLAIN_BYTES = Sums.ROWS.value, Sums.MOST_VALUES.value, Sums.PLAIN_BYTES.value
_CODED, _LARGEST, _ENTRIES = Sums.CODED.value, Sums.LARGEST.value, Sums.ENTRIES.value

_MAX_DEPTH: Final = 3
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, 7, 8, 12

# The columns of the table, three more, and where in a header they are; everything else goes to the last place.
_LEVELS_ENCODING: Final = FIELDS
_REPEATS: Final = FIELDS + 1
_V2_ROWS: Final = FIELDS + 2
_OTHER: Final = FIELDS + 3
_PLACES: Final = {
    (1,): _KIND,
    (2,): _ROOM,
    (3,): _SIZE,
    (5, 1): _VALUES,
    (5, 2): _ENCODING,
    (5, 3): _LEVELS_ENCODING,
    (7, 1): _VALUES,
    (7, 2): _ENCODING,
    (8, 1): _VALUES,
    (8, 3): _V2_ROWS,
    (8, 4): _ENCODING,
    (8, 5): _LEVELS,
    (8, 6): _REPEATS,
    (8, 7): _IS_COMPRESSED,
}
_COLUMN_OF: Final = np.full(64 * 64, _OTHER, np.int64)
for _place, _column in _PLACES.items():
    _COLUMN_OF[path(*_place)] = _column
_DEFAULTS: Final = np.array([-1, -1, -1, 0, -1, -1, 0, 1, RLE, 0, -1, 0], np.int64)
HEADER: Final = len(_DEFAULTS)


@njit(**INLINED)
def _value(type_: int, at: Any, end: Any) -> Any:
    """A number (of a binary its length, of a double nothing), and the address behind the value; 0 if malformed."""
    if type_ <= _FALSE:
        return int64(type_ == _TRUE), at
    if type_ == _BYTE:
        return int64(0), at + uint64(1)
    if type_ == _DOUBLE:
        return int64(0), at + uint64(8)
    number, at = varint(at, end)
    if type_ == _BINARY:
        return int64(0), (at + number if at != uint64(0) and number <= end - at else uint64(0))
    is_number = type_ < _BINARY
    return int64((number >> uint64(1)) ^ (uint64(0) - (number & uint64(1)))), at if is_number else uint64(0)


@njit(**INLINED)
def _header(at: Any, end: Any, header: Array) -> Any:
    """Read a page's header and return the address behind it; 0 if it is malformed."""
    for i in range(HEADER):
        header[i] = _DEFAULTS[i]
    outer, last, depth = int64(0), int64(0), 0
    while at < end and at != uint64(0):
        head = get_byte(at, uint64(0))
        at += uint64(1)
        last += head >> 4
        if head == 0:
            if depth == 0:
                return at
            depth -= 1
            last, outer = outer & 63, outer >> 6
        elif head < 16 or last > 63:
            return uint64(0)
        elif head & 15 == _STRUCT:
            depth += 1
            outer, last = outer * 64 + last, int64(0)
            if depth > _MAX_DEPTH:
                return uint64(0)
        else:
            value, at = _value(head & 15, at, end)
            header[_COLUMN_OF[min(outer * 64 + last, int64(64 * 64 - 1))]] = value
    return uint64(0)


@njit(**INLINED)
def _makes_sense(header: Array, left: Any, is_optional: bool) -> bool:
    """Whether a page is one to decode: its sizes are not negative, and there are no repeated values.

    Where no value can be missing there are no levels, whatever their encoding is said to be.
    """
    size, levels, values = header[_SIZE], header[_LEVELS], header[_VALUES]
    lowest = min(header[_KIND], size, header[_ROOM], values, levels)
    fits = uint64(size) <= left and levels <= min(size, header[_ROOM])
    is_flat = header[_REPEATS] == 0 and (not is_optional or header[_LEVELS_ENCODING] == RLE)
    if header[_KIND] == DATA_V2:
        return bool(lowest >= 0 and fits and is_flat and header[_V2_ROWS] == values)
    return bool(lowest >= 0 and fits and is_flat and levels == 0)


@njit(**INLINED)
def _add_up(header: Array, is_first: bool, sums: Array) -> bool:
    """Count a page in; False if it is in the wrong place or encoded in a way that is not decoded here."""
    values, encoding, room = header[_VALUES], header[_ENCODING], header[_ROOM]
    is_coded = encoding in (PLAIN_DICTIONARY, RLE_DICTIONARY)
    sums[_LARGEST] = max(sums[_LARGEST], room)
    if header[_KIND] == DICTIONARY:
        sums[_ENTRIES] = values
        return is_first and encoding in (PLAIN, PLAIN_DICTIONARY)
    sums[_ROWS] += values
    sums[_MOST_VALUES] = max(sums[_MOST_VALUES], values)
    if is_coded:
        sums[_CODED] += values
    else:
        sums[_PLAIN_BYTES] += room
    return bool((is_coded or encoding == PLAIN) and header[_KIND] <= DATA_V2)


@outlined(NUMBER, types.uint64, NUMBER, types.boolean, TABLE, NUMBERS, NUMBERS)
def read_headers(source: int, size: int, is_optional: bool, pages: Array, sums: Array, header: Array) -> int:
    """Fill the table and `sums` from `size` bytes and return the number of pages. `header` has room for `HEADER`.

    -1 if there are more pages than rows in the table, or any that are malformed or not decoded here.
    """
    for i in range(SUMS):
        sums[i] = 0
    sums[_ENTRIES] = -1
    at, end, count = uint64(source), uint64(source) + uint64(size), int64(0)
    while at < end:
        at = _header(at, end, header)
        if at == uint64(0) or at > end:
            return -1
        if header[_KIND] != INDEX:
            good = count < pages.shape[0] and _makes_sense(header, end - at, is_optional)
            if not good or not _add_up(header, count == 0, sums):
                return -1
            for column in range(FIELDS):
                pages[count, column] = header[column]
            levels = header[_LEVELS]
            pages[count, _START] = int64(at) + levels
            pages[count, _SIZE] -= levels
            pages[count, _ROOM] -= levels
            count += 1
        elif header[_SIZE] < 0:
            return -1
        at += uint64(header[_SIZE])
    return int(count)
