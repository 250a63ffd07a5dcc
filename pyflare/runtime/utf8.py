"""UTF-8 text over raw memory: characters as Spark counts them, which is by the first byte alone."""

from __future__ import annotations

from typing import Final

from numba import int64, njit, uint8, uint64

from pyflare.runtime.memory import OPTIONS, load8, load64

_HIGH_BITS: Final = 0x8080808080808080


@njit(**OPTIONS)
def char_width(first: int) -> int:
    """Bytes of the character that begins with this byte; 1 for a byte that cannot begin one."""
    if first < 0xC2:
        return int64(1)
    if first < 0xE0:
        return int64(2)
    if first < 0xF0:
        return int64(3)
    return int64(4) if first < 0xF5 else int64(1)


@njit(**OPTIONS)
def skip_chars(text: int, text_n: int, at: int, count: int) -> int:
    """The position `count` characters behind `at`, or behind the last one; past the end if that one is cut off."""
    while count >= 8 and at + 8 <= text_n and not load64(text + uint64(at)) & uint64(_HIGH_BITS):
        at += 8
        count -= 8
    while count > 0 and at < text_n:
        at += char_width(load8(text + uint64(at)))
        count -= 1
    return at


@njit(**OPTIONS)
def count_chars(text: int, text_n: int) -> int:
    """The number of characters."""
    at, count = int64(0), int64(0)
    while at < text_n:
        while at + 8 <= text_n and not load64(text + uint64(at)) & uint64(_HIGH_BITS):
            at += 8
            count += 8
        if at < text_n:
            at += char_width(load8(text + uint64(at)))
            count += 1
    return count


@njit(**OPTIONS)
def is_continuation(byte: int) -> bool:
    """Whether a byte can only follow another one."""
    return byte & 0xC0 == 0x80


@njit(**OPTIONS)
def is_valid(text: int, text_n: int) -> bool:
    """Whether all bytes are well-formed UTF-8 (Unicode's table 3-7)."""
    at = int64(0)
    while at < text_n:
        if at + 8 <= text_n and not load64(text + uint64(at)) & uint64(_HIGH_BITS):
            at += 8
            continue
        width = char_width(load8(text + uint64(at)))
        if at + width > text_n or not _is_character(text + uint64(at), width):
            return False
        at += width
    return True


@njit(**OPTIONS)
def _is_character(text: int, width: int) -> bool:
    first = load8(text)
    if width == 1:
        return first < 128
    second = load8(text + uint64(1))
    low, high = uint8(0x80), uint8(0xBF)
    if first == 0xE0:
        low = uint8(0xA0)
    elif first == 0xED:
        high = uint8(0x9F)
    elif first == 0xF0:
        low = uint8(0x90)
    elif first == 0xF4:
        high = uint8(0x8F)
    for more in range(2, width):
        if not is_continuation(load8(text + uint64(more))):
            return False
    return low <= second <= high


@njit(**OPTIONS)
def code_point(text: int, width: int) -> int:
    """The code point of a valid character of `width` bytes."""
    first = int64(load8(text))
    if width == 1:
        return first
    second = int64(load8(text + uint64(1))) & 0x3F
    if width == 2:
        return (first & 0x1F) << 6 | second
    third = int64(load8(text + uint64(2))) & 0x3F
    if width == 3:
        return (first & 0x0F) << 12 | second << 6 | third
    fourth = int64(load8(text + uint64(3))) & 0x3F
    return (first & 0x07) << 18 | second << 12 | third << 6 | fourth


@njit(**OPTIONS)
def char_position(text: int, text_n: int, position: int) -> int:
    """The number of characters before byte `position`; -1 if no character begins there."""
    at, count = int64(0), int64(0)
    while at < position:
        while at + 8 <= position and not load64(text + uint64(at)) & uint64(_HIGH_BITS):
            at += 8
            count += 8
        if at < position:
            at += char_width(load8(text + uint64(at)))
            count += 1
    return count if at == position else int64(-1)
