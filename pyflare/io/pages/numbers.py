"""Pages of numbers, and of dictionary codes, → one element a row in whatever width is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from numba import int64, njit, uint64
from numba.core import types

from pyflare.io.pages.headers import DICTIONARY, NUMBERS, PLAIN, Page
from pyflare.io.pages.memory import INLINED, get32, get64, get_byte, get_u32, put64
from pyflare.io.pages.opening import ADDRESS, QUESTION, present_rows, uncompressed
from pyflare.io.pages.runs import read_indices
from pyflare.runtime.outlined import NUMBER, outlined

if TYPE_CHECKING:
    from pyflare.io.columns import Array

_INT64_MAX: Final = 2**63 - 1
_KIND, _VALUES, _ENCODING, _ROOM = Page.KIND.value, Page.VALUES.value, Page.ENCODING.value, Page.ROOM.value


# Elements of any width are written as 8 bytes, of which the next element overwrites those that are too many. So one
# loop for all widths is compiled, and 8 bytes behind the last element must be the caller's.


@njit(**INLINED)
def _convert(source: Any, source_width: int, target: Any, width: Any, count: Any, low: int, high: int) -> Any:
    """Integers of 4 or 8 bytes → of any width; returns `low` and `high`, widened to hold them."""
    if source_width == 4:
        for i in range(count):
            value = get32(source, uint64(i))
            low, high = min(low, value), max(high, value)
            put64(target + uint64(i) * width, uint64(0), value)
    else:
        for i in range(count):
            value = get64(source, uint64(i))
            low, high = min(low, value), max(high, value)
            put64(target + uint64(i) * width, uint64(0), value)
    return low, high


@njit(**INLINED)
def _gather(table: Any, indices: Any, target: Any, width: Any, count: Any) -> None:
    """The entries of a dictionary behind some indices."""
    for i in range(count):
        entry = uint64(get_u32(indices, uint64(i)))
        put64(target + uint64(i) * width, uint64(0), get64(table + entry * width, uint64(0)))


@njit(**INLINED)
def _spread(values: Any, ok: Any, target: Any, width: Any, count: Any) -> None:
    """Give values to the rows that have one, and 0 to the others."""
    for i in range(count):
        has = get_byte(ok, uint64(i))
        put64(target + uint64(i) * width, uint64(0), get64(values, uint64(0)) * has)
        values += width * uint64(has)


@outlined(NUMBER, QUESTION, ADDRESS, ADDRESS, NUMBER, ADDRESS, ADDRESS, NUMBER, types.uint64, NUMBERS)
def read_numbers(
    pages: Array,
    count: int,
    rows: int,
    is_snappy: bool,
    is_optional: bool,
    body: int,
    indices: int,
    dense: int,
    dictionary: int,
    entries: int,
    target: int,
    ok: int,
    source_width: int,
    width: int,
    found: Array,
) -> int:
    """Decode the first `count` pages to `rows` elements of `width` bytes at `target`; 0 if that cannot be done, else 1.

    Addresses: `body` has room for the largest page, `indices` and `dense` for the values of any, `dictionary` for
    `entries` elements (filled from the dictionary page if there is one), `ok` for a byte a row where the column is
    optional. Values are integers or floating-point numbers of `source_width` bytes; 0 stands for codes, and
    `dictionary` is complete then. `found` gets the number of rows without a value, and bounds of the integers.
    """
    row, nulls, low, high = uint64(0), int64(0), int64(_INT64_MAX), int64(-_INT64_MAX - 1)
    for page in range(uint64(count)):
        values, is_dictionary = uint64(pages[page, _VALUES]), pages[page, _KIND] == DICTIONARY
        start = uncompressed(pages, page, is_snappy, uint64(body))
        if start == uint64(0) or values > (uint64(entries) if is_dictionary else uint64(rows) - row):
            return 0
        ones, at = present_rows(pages, page, start, is_optional, uint64(ok) + row)
        present, size = uint64(ones), pages[page, _ROOM] - int64(at - start)
        to = uint64(dictionary) if is_dictionary else uint64(target) + row * width
        rows_at, to = to, to if present == values else uint64(dense)
        if ones < 0:
            return 0
        if is_dictionary or pages[page, _ENCODING] == PLAIN:
            if source_width == 0 or present * uint64(source_width) > uint64(size):
                return 0
            low, high = _convert(at, source_width, to, width, present, low, high)
        elif present:
            if read_indices(at, size, ones, entries, uint64(indices)) == 0:
                return 0
            _gather(uint64(dictionary), uint64(indices), to, width, present)
        if present < values:
            _spread(to, uint64(ok) + row, rows_at, width, values)
            nulls += int64(values - present)
        row += uint64(0) if is_dictionary else values
    found[0], found[1], found[2] = nulls, low, high
    return int(row == uint64(rows))
