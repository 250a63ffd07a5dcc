"""String functions whose result is a number, a truth value or a part of their argument: nothing is written.

Texts are addresses (uint64) and lengths in bytes (int64). A part is an (address, length) pair; a negative length says
that the row needs Spark, because the text is not valid UTF-8 and Spark's answer depends on how.
"""

from __future__ import annotations

from typing import Final

from numba import int64, njit, uint8, uint64

from pyflare.runtime.memory import OPTIONS, load8, lowest_bit, match_block, memory_compare
from pyflare.runtime.outlined import NUMBER, PART, TEXT, TRUTH, outlined
from pyflare.runtime.utf8 import (
    char_position,
    char_width,
    code_point,
    count_chars,
    is_continuation,
    is_valid,
    skip_chars,
)

_PAGE: Final = ~0xFFF & (2**64 - 1)
_BLOCK: Final = 32


@njit(**OPTIONS)
def starts_with(text: int, text_n: int, part: int, part_n: int) -> bool:
    """Whether `text` begins with `part`."""
    return text_n >= part_n and memory_compare(text, part, part_n) == 0


@njit(**OPTIONS)
def ends_with(text: int, text_n: int, part: int, part_n: int) -> bool:
    """Whether `text` ends with `part`."""
    return text_n >= part_n and memory_compare(text + uint64(text_n - part_n), part, part_n) == 0


@outlined(TRUTH, TEXT, TEXT)
def contains(text: int, text_n: int, part: int, part_n: int) -> bool:
    """Whether `part` occurs in `text`."""
    return find(text, text_n, part, part_n, int64(0)) >= 0


@njit(**OPTIONS)
def find(text: int, text_n: int, part: int, part_n: int, start: int) -> int:
    """The position of the first occurrence of `part` at or after `start`; -1 if there is none.

    Compares the part's first and last byte at 32 positions at a time. Such a block may reach behind the text, but never
    into another page of memory.
    """
    last = text_n - part_n
    if start > last or part_n == 0:
        return start if part_n == 0 else int64(-1)
    first_byte, last_byte = load8(part), load8(part + uint64(part_n - 1))
    page = (text + uint64(text_n - 1)) & uint64(_PAGE)
    at = start
    while at <= last:
        here = text + uint64(at)
        end = here + uint64(part_n + _BLOCK - 2)
        if at + part_n + _BLOCK - 1 > text_n and end & uint64(_PAGE) != page:
            break
        hits = match_block(here, here + uint64(part_n - 1), first_byte, last_byte)
        while hits != uint64(0):
            found = at + int64(lowest_bit(hits))
            if found > last:
                return int64(-1)
            if memory_compare(text + uint64(found), part, part_n) == 0:
                return found
            hits &= hits - uint64(1)
        at += _BLOCK
    while at <= last:
        if memory_compare(text + uint64(at), part, part_n) == 0:
            return at
        at += 1
    return int64(-1)


@outlined(NUMBER, TEXT, TEXT, NUMBER)
def find_behind(text: int, text_n: int, part: int, part_n: int, start: int) -> int:
    """The position behind the first occurrence of `part` at or after `start`; -1 if there is none or `start` is -1."""
    found = find(text, text_n, part, part_n, start) if start >= 0 else int64(-1)
    return found + part_n if found >= 0 else int64(-1)


@njit(**OPTIONS)
def enclosed(text: int, text_n: int, before: int, before_n: int, behind: int, behind_n: int) -> int:
    """The position behind `before`, if `text` begins with that and ends with `behind`, without overlap; else -1."""
    fits = text_n >= before_n + behind_n and memory_compare(text, before, before_n) == 0
    if fits and memory_compare(text + uint64(text_n - behind_n), behind, behind_n) == 0:
        return before_n
    return int64(-1)


@outlined(TRUTH, TEXT, TEXT, TRUTH, TRUTH)
def anchored(text: int, text_n: int, part: int, part_n: int, begins: bool, ends: bool) -> bool:
    """Whether `part`, which has no line end, stands at the beginning or at the end, or is all, as Java's `^` and `$`.

    A line end that is the last thing in the text does not count.
    """
    if begins and not starts_with(text, text_n, part, part_n):
        return False
    if not ends:
        return True
    for rest in (int64(0), line_end(text, text_n)):
        whole = text_n - rest
        if whole >= part_n and (not begins or whole == part_n) and ends_with(text, whole, part, part_n):
            return True
    return False


@njit(**OPTIONS)
def line_end(text: int, text_n: int) -> int:
    """How many bytes the line end has that ends the text (as Java sees it); 0 if there is none."""
    last = load8(text + uint64(text_n - 1)) if text_n > 0 else uint8(0)
    if last == 10:
        return int64(2) if text_n > 1 and load8(text + uint64(text_n - 2)) == 13 else int64(1)
    if last == 13:
        return int64(1)
    if text_n > 1 and last == 0x85 and load8(text + uint64(text_n - 2)) == 0xC2:
        return int64(2)
    if text_n > 2 and (last == 0xA8 or last == 0xA9) and load8(text + uint64(text_n - 2)) == 0x80:
        return int64(3) if load8(text + uint64(text_n - 3)) == 0xE2 else int64(0)
    return int64(0)


@njit(**OPTIONS)
def find_last(text: int, text_n: int, part: int, part_n: int, start: int) -> int:
    """The position of the last occurrence of `part` (not empty) at or before `start`; -1 if there is none."""
    at = min(start, text_n - part_n)
    while at >= 0:
        if memory_compare(text + uint64(at), part, part_n) == 0:
            return at
        at -= 1
    return int64(-1)


@outlined(NUMBER, TEXT)
def char_length(text: int, text_n: int) -> int:
    """The number of characters."""
    return count_chars(text, text_n)


@outlined(NUMBER, TEXT)
def first_code_point(text: int, text_n: int) -> int:
    """The first character's code point, 0 for an empty text; -1 if that character is malformed."""
    if text_n == 0:
        return int64(0)
    width = char_width(load8(text))
    if width > text_n or not is_valid(text, width):
        return int64(-1)
    return code_point(text, width)


@outlined(NUMBER, TEXT, TEXT, NUMBER)
def instr(text: int, text_n: int, part: int, part_n: int, start: int) -> int:
    """The position in characters, counted from 1, of `part` at or after character `start`, which counts from 0.

    0 if there is none, -1 for a row that needs Spark. An empty part is always found at 1.
    """
    if part_n == 0:
        return int64(1)
    found = find(text, text_n, part, part_n, skip_chars(text, text_n, int64(0), start))
    if found < 0:
        return int64(0)
    position = char_position(text, text_n, found)
    return int64(-1) if position < 0 else position + 1


@outlined(PART, TEXT, NUMBER, NUMBER)
def substring(text: int, text_n: int, position: int, length: int) -> tuple[int, int]:
    """SQL's substring in characters: `position` counts from 1, or from the end if it is negative."""
    return char_part(text, text_n, position, length)


@njit(**OPTIONS)
def char_part(text: int, text_n: int, position: int, length: int) -> tuple[int, int]:
    """What `substring` gives."""
    start = position - 1 if position > 0 else int64(0)
    if position < 0:
        start = count_chars(text, text_n) + position
    until = min(start + length, int64(2**31 - 1))
    if until <= start or start >= text_n or until <= 0:
        return text, int64(0)
    begin = skip_chars(text, text_n, int64(0), max(start, int64(0)))
    end = skip_chars(text, text_n, begin, until - max(start, int64(0)))
    if begin >= text_n:
        return text, int64(0)
    return (text + uint64(begin), end - begin) if end <= text_n else (text, int64(-1))


@njit(**OPTIONS)
def binary_substring(text: int, text_n: int, position: int, length: int) -> tuple[int, int]:
    """SQL's substring in bytes."""
    start = position - 1 if position > 0 else int64(0)
    if position < 0:
        start = text_n + position
    end = text_n if text_n - start < length else start + length
    start = max(start, int64(0))
    if position > text_n or start >= end:
        return text, int64(0)
    return text + uint64(start), end - start


@outlined(PART, TEXT, TEXT, NUMBER)
def substring_index(text: int, text_n: int, part: int, part_n: int, count: int) -> tuple[int, int]:
    """What is before the `count`-th `part`; for a negative `count`, what is behind it, counted from the end."""
    if part_n == 0 or count == 0:
        return text, int64(0)
    if count > 0:
        at = int64(-1)
        while count > 0:
            at = find(text, text_n, part, part_n, at + 1)
            if at < 0:
                return text, text_n
            count -= 1
        return text, at
    at = text_n - part_n + 1
    while count < 0:
        at = find_last(text, text_n, part, part_n, at - 1)
        if at < 0:
            return text, text_n
        count += 1
    return text + uint64(at + part_n), text_n - part_n - at


@njit(**OPTIONS)
def trim_spaces(text: int, text_n: int, left: bool, right: bool) -> tuple[int, int]:
    """Without the spaces (and nothing else) at either end."""
    begin, end = int64(0), text_n
    if left:
        while begin < end and load8(text + uint64(begin)) == 32:
            begin += 1
    if right:
        while end > begin and load8(text + uint64(end - 1)) == 32:
            end -= 1
    return text + uint64(begin), end - begin


@outlined(PART, TEXT, TEXT, TRUTH, TRUTH)
def trim_chars(text: int, text_n: int, chars: int, chars_n: int, left: bool, right: bool) -> tuple[int, int]:
    """Without the characters of a set at either end."""
    begin, end = int64(0), text_n
    if not is_valid(text, text_n):
        return text, int64(-1)
    if left:
        while begin < end:
            width = char_width(load8(text + uint64(begin)))
            if chars_n == 0 or find(chars, chars_n, text + uint64(begin), width, int64(0)) < 0:
                break
            begin += width
    if right:
        while end > begin:
            at = end - 1
            while at > begin and is_continuation(load8(text + uint64(at))):
                at -= 1
            if chars_n == 0 or find(chars, chars_n, text + uint64(at), end - at, int64(0)) < 0:
                break
            end = at
    return text + uint64(begin), end - begin


@outlined(NUMBER, TEXT, TEXT)
def find_in_set(part: int, part_n: int, text: int, text_n: int) -> int:
    """The number, from 1, of `part` in a list separated by commas; 0 if it is not there or holds a comma itself."""
    for at in range(part_n):
        if load8(part + uint64(at)) == 44:
            return int64(0)
    number, begin = int64(1), int64(0)
    for at in range(text_n + 1):
        if at == text_n or load8(text + uint64(at)) == 44:
            if at - begin == part_n and memory_compare(text + uint64(begin), part, part_n) == 0:
                return number
            number += 1
            begin = at + 1
    return int64(0)


@outlined(TRUTH, TEXT)
def valid(text: int, text_n: int) -> bool:
    """Whether a text is well-formed UTF-8."""
    return is_valid(text, text_n)


@outlined(PART, TEXT)
def valid_or_nothing(text: int, text_n: int) -> tuple[int, int]:
    """The text itself if it is valid UTF-8."""
    return (text, text_n) if is_valid(text, text_n) else (text, int64(-1))
