"""Snappy, decompressed in compiled code: no lock of Python's is held, and no memory is allocated."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, uint64
from numba.core import types

from pyflare.io.pages.memory import INLINED, copy16, copy64, get64, get_byte, put8, put64
from pyflare.io.pages.runs import varint
from pyflare.runtime.memory import memory_copy
from pyflare.runtime.outlined import NUMBER, outlined

PADDING: Final = 80  # bytes that may be read behind the source and written behind the target

_MOST: Final = 64  # bytes that an element makes, except a long literal
_LONG: Final = 255  # stands for the length of such a literal
_FAR: Final = 1 << 15


def _element(tag: int) -> int:
    """What a tag says: bytes it makes (bits 0-7), the high bits of a copy's distance (8-23), bytes after it (24-31).

    Literals have a distance, too, so that none looks like a copy from close by.
    """
    kind, number = tag & 3, tag >> 2
    if kind == 0:
        return _LONG | _FAR << 8 | (number - 59) << 24 if number >= 60 else number + 1 | _FAR << 8
    if kind == 1:
        return 4 + (number & 7) | (tag >> 5) << 16 | 1 << 24
    return number + 1 | (2 if kind == 2 else 4) << 24


_ELEMENTS: Final = np.array([_element(tag) for tag in range(256)], np.uint32)


@njit(**INLINED)
def _repeat(to: Any, distance: Any, count: Any) -> None:
    """Copy from so close by that bytes are read which are written here."""
    if distance >= uint64(8):
        for part in range((count + uint64(7)) >> uint64(3)):
            put64(to, uint64(part), get64(to - distance, uint64(part)))
    else:
        for part in range(count):
            put8(to, uint64(part), get_byte(to - distance, uint64(part)))


@outlined(NUMBER, types.uint64, NUMBER, types.uint64, NUMBER)
def uncompress(source: int, size: int, target: int, room: int) -> int:
    """Decompress `size` bytes to exactly `room` bytes; 0 if they are malformed, else 1.

    `PADDING` bytes behind both must be the caller's. Which kind of element comes next cannot be foretold, so there is
    no branch on it: where its bytes come from is selected, 16 or 64 of them are copied however many it makes, and the
    tag behind it is taken from what was loaded with it.
    """
    at, end = uint64(source), uint64(source) + uint64(size)
    length, at = varint(at, end)
    if at == uint64(0) or length != uint64(room):
        return 0
    to, stop = uint64(target), uint64(target) + length
    tag = uint64(get_byte(at, uint64(0)))
    while at < end:
        element, word = uint64(_ELEMENTS[tag]), uint64(get64(at + uint64(1), uint64(0)))
        kind, made = tag & uint64(3), (tag >> uint64(2)) + uint64(1)
        literal = uint64(0) - uint64(kind == uint64(0))
        after = kind + (kind & (kind >> uint64(1)))
        trailing = uint64(8) * after
        next_tag = (uint64(get_byte(at + made, uint64(1))) & literal) | ((word >> trailing) & ~literal & uint64(255))
        count = element & uint64(255)
        distance = ((element >> uint64(8)) & uint64(0xFFFF)) + (word & ((uint64(1) << trailing) - uint64(1)))
        is_odd = (count > stop - to) | ((distance & ~literal) > to - uint64(target)) | (count > uint64(_MOST))
        if is_odd | (distance < min(count, uint64(16))):
            after = element >> uint64(24)
            at += uint64(1) + after
            if count == uint64(_LONG):
                count = (word & ((uint64(1) << (uint64(8) * after)) - uint64(1))) + uint64(1)
                if at > end or count > min(end - at, stop - to):
                    return 0
                memory_copy(to, at, count)
                at += count
            elif is_odd or distance == uint64(0):
                return 0
            else:
                _repeat(to, distance, count)
            tag = uint64(get_byte(at, uint64(0)))
        else:
            first = ((at + uint64(1)) & literal) | ((to - distance) & ~literal)
            copy16(to, first)
            if count > uint64(16):
                copy64(to, first)
            at += uint64(1) + ((made & literal) | after)
            tag = next_tag
        to += count
    return int(at == end and to == stop)
