"""What numbers and strings have in common: what is asked, a page's bytes, and which of its rows have a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from numba import int64, njit, uint64
from numba.core import types

from pyflare.io.pages.headers import DATA_V2, DICTIONARY, TABLE, Page
from pyflare.io.pages.memory import INLINED, get_u32
from pyflare.io.pages.runs import read_levels
from pyflare.io.pages.snappy import uncompress
from pyflare.runtime.outlined import NUMBER

if TYPE_CHECKING:
    from pyflare.io.columns import Array

ADDRESS: Final = types.uint64
QUESTION: Final = (TABLE, NUMBER, NUMBER, types.boolean, types.boolean, ADDRESS, ADDRESS)
"""Pages, how many of them, rows, whether they are Snappy's and optional; room for any page's bytes and its indices."""

_KIND, _VALUES, _START, _SIZE = Page.KIND.value, Page.VALUES.value, Page.START.value, Page.SIZE.value
_ROOM, _LEVELS, _IS_COMPRESSED = Page.ROOM.value, Page.LEVELS.value, Page.IS_COMPRESSED.value


@njit(**INLINED)
def uncompressed(pages: Array, page: Any, is_snappy: bool, room: Any) -> Any:
    """Where a page's bytes are, after decompression to `room` if need be; 0 if they are malformed."""
    start, size, wanted = uint64(pages[page, _START]), pages[page, _SIZE], pages[page, _ROOM]
    if is_snappy and pages[page, _IS_COMPRESSED] and wanted:
        return room if uncompress(start, size, room, wanted) else uint64(0)
    return start if size == wanted or wanted == 0 else uint64(0)


@njit(**INLINED)
def present_rows(pages: Array, page: Any, at: Any, is_optional: bool, ok: Any) -> Any:
    """How many of a page's rows have a value, -1 if that is malformed, and where in its bytes the values start."""
    values, size = pages[page, _VALUES], pages[page, _ROOM]
    if not is_optional or pages[page, _KIND] == DICTIONARY:
        return values, at
    if pages[page, _KIND] == DATA_V2:
        levels = pages[page, _LEVELS]
        return read_levels(uint64(pages[page, _START] - levels), levels, values, ok), at
    levels = int64(get_u32(at, uint64(0)))
    if size < 4 or levels > size - 4:
        return int64(-1), at
    return read_levels(at + uint64(4), levels, values, ok), at + uint64(4) + uint64(levels)
