"""String functions that make new text, in the arena which is their first argument.

Each gives an (address, length) pair; a negative length says that the row needs Spark, or more memory than there is.
"""

from __future__ import annotations

from typing import Any

from numba import int64, njit, types, uint8, uint64

from pyflare.runtime.arena import arena_take, arena_trim
from pyflare.runtime.memory import OPTIONS, load8, memory_compare, memory_copy, store8
from pyflare.runtime.outlined import ARENA, NUMBER, PART, TEXT, TRUTH, outlined
from pyflare.runtime.strings import binary_substring, char_part, find
from pyflare.runtime.utf8 import char_width, count_chars, is_valid, skip_chars

Words = Any
Text = tuple[int, int]


@outlined(types.uint64, ARENA, NUMBER)
def room(arena: Words, size: int) -> int:
    """The address of `size` bytes; 0 if there is no memory for them."""
    return arena_take(arena, size)


@njit(**OPTIONS)
def append(at: int, text: int, text_n: int) -> int:
    """Copy a text to `at`; the address behind it."""
    memory_copy(at, text, text_n)
    return at + uint64(text_n)


@outlined(PART, ARENA, TEXT, TEXT)
def concat2(arena: Words, a: int, a_n: int, b: int, b_n: int) -> Text:
    """Two texts, one behind the other."""
    made = arena_take(arena, a_n + b_n)
    if made == 0:
        return made, int64(-1)
    append(append(made, a, a_n), b, b_n)
    return made, a_n + b_n


@outlined(PART, ARENA, TEXT, NUMBER)
def repeat(arena: Words, text: int, text_n: int, times: int) -> Text:
    """A text several times."""
    if times <= 0 or text_n == 0:
        return text, int64(0)
    made = arena_take(arena, text_n * times)
    if made == 0:
        return made, int64(-1)
    fill(made, text_n * times, text, text_n)
    return made, text_n * times


@njit(**OPTIONS)
def fill(target: int, target_n: int, text: int, text_n: int) -> None:
    """Copies of a text until `target_n` bytes are full; the last may be cut."""
    done = min(text_n, target_n)
    memory_copy(target, text, done)
    while done < target_n:
        more = min(done, target_n - done)
        memory_copy(target + uint64(done), target, more)
        done += more


@outlined(PART, ARENA, TEXT, NUMBER, TEXT, TRUTH)
def pad(arena: Words, text: int, text_n: int, length: int, filler: int, filler_n: int, left: bool) -> Text:
    """A text cut or filled up to `length` characters, on the left or on the right."""
    missing = length - count_chars(text, text_n)
    if missing <= 0 or filler_n == 0:
        end = skip_chars(text, text_n, int64(0), length)
        return text, end if end <= text_n else int64(-1)
    filler_chars = count_chars(filler, filler_n)
    rest = skip_chars(filler, filler_n, int64(0), missing % filler_chars)
    space = missing // filler_chars * filler_n + rest
    made = arena_take(arena, text_n + space)
    if made == 0 or rest > filler_n or length < 0:
        return made, int64(-1)
    fill(made if left else made + uint64(text_n), space, filler, filler_n)
    memory_copy(made + uint64(space) if left else made, text, text_n)
    return made, text_n + space


@outlined(PART, ARENA, TEXT, NUMBER, TEXT, TRUTH)
def binary_pad(arena: Words, text: int, text_n: int, length: int, filler: int, filler_n: int, left: bool) -> Text:
    """Bytes cut or filled up to `length`, on the left or on the right."""
    space = length - text_n
    if length <= 0 or space <= 0 or filler_n == 0:
        return text, max(min(length, text_n), int64(0))
    made = arena_take(arena, length)
    if made == 0:
        return made, int64(-1)
    fill(made if left else made + uint64(text_n), space, filler, filler_n)
    memory_copy(made + uint64(space) if left else made, text, text_n)
    return made, length


@outlined(PART, ARENA, NUMBER)
def spaces(arena: Words, count: int) -> Text:
    """A text of `count` spaces."""
    made = arena_take(arena, max(count, int64(0)))
    if made == 0:
        return made, int64(-1)
    for at in range(count):
        store8(made + uint64(at), uint8(32))
    return made, max(count, int64(0))


@outlined(PART, ARENA, TEXT)
def reverse(arena: Words, text: int, text_n: int) -> Text:
    """The characters from the last to the first."""
    made = arena_take(arena, text_n)
    if made == 0:
        return made, int64(-1)
    at = int64(0)
    while at < text_n:
        width = char_width(load8(text + uint64(at)))
        if at + width > text_n:
            return made, int64(-1)
        for k in range(width):
            store8(made + uint64(text_n - at - width + k), load8(text + uint64(at + k)))
        at += width
    return made, text_n


@outlined(PART, ARENA, TEXT, TEXT, TEXT)
def replace(arena: Words, text: int, text_n: int, search: int, search_n: int, by: int, by_n: int) -> Text:
    """Every occurrence of `search` replaced."""
    at = find(text, text_n, search, search_n, int64(0)) if search_n > 0 else int64(-1)
    if at < 0:
        return text, text_n
    length = text_n
    while at >= 0:
        length += by_n - search_n
        at = find(text, text_n, search, search_n, at + search_n)
    made = arena_take(arena, length)
    if made == 0:
        return made, int64(-1)
    start, target = int64(0), made
    at = find(text, text_n, search, search_n, start)
    while at >= 0:
        target = append(append(target, text + uint64(start), at - start), by, by_n)
        start = at + search_n
        at = find(text, text_n, search, search_n, start)
    append(target, text + uint64(start), text_n - start)
    return made, length


@outlined(PART, ARENA, TEXT, TEXT, NUMBER, NUMBER, TRUTH)
def overlay(arena: Words, text: int, text_n: int, by: int, by_n: int, position: int, length: int, binary: bool) -> Text:
    """`by` in the place of `length` characters (bytes if `binary`) at `position`; as many as `by` has if negative."""
    if length < 0:
        length = by_n if binary else count_chars(by, by_n)
    if position == -(2**31) or position + length > 2**31 - 1:
        return text, int64(-1)
    head, head_n = _cut(text, text_n, int64(1), position - 1, binary)
    tail, tail_n = _cut(text, text_n, position + length, int64(2**31 - 1), binary)
    made = arena_take(arena, max(head_n, int64(0)) + by_n + max(tail_n, int64(0)))
    if made == 0 or head_n < 0 or tail_n < 0:
        return made, int64(-1)
    append(append(append(made, head, head_n), by, by_n), tail, tail_n)
    return made, head_n + by_n + tail_n


@njit(**OPTIONS)
def _cut(text: int, text_n: int, position: int, length: int, binary: bool) -> Text:
    if binary:
        return binary_substring(text, text_n, position, length)
    return char_part(text, text_n, position, length)


@outlined(PART, ARENA, TEXT, TEXT, TEXT)
def translate(arena: Words, text: int, text_n: int, old: int, old_n: int, new: int, new_n: int) -> Text:
    """Each character that is the k-th of `old` becomes the k-th of `new`; it goes where there is none, or it is NUL."""
    made = arena_take(arena, 4 * text_n)
    if made == 0 or not is_valid(text, text_n) or not is_valid(old, old_n) or not is_valid(new, new_n):
        return made, int64(-1)
    at, target = int64(0), made
    while at < text_n:
        char = text + uint64(at)
        width = char_width(load8(char))
        at += width
        index = _char_index(old, old_n, char, width)
        if index < 0:
            target = append(target, char, width)
            continue
        begin = skip_chars(new, new_n, int64(0), index)
        if begin < new_n and load8(new + uint64(begin)) != 0:
            target = append(target, new + uint64(begin), char_width(load8(new + uint64(begin))))
    arena_trim(arena, target)
    return made, int64(target - made)


@njit(**OPTIONS)
def _char_index(text: int, text_n: int, char: int, width: int) -> int:
    """Which character of a text is that one; -1 if none is."""
    at, index = int64(0), int64(0)
    while at < text_n:
        here = char_width(load8(text + uint64(at)))
        if here == width and memory_compare(text + uint64(at), char, width) == 0:
            return index
        at += here
        index += 1
    return int64(-1)


@outlined(PART, ARENA, NUMBER)
def character(arena: Words, number: int) -> Text:
    """The character of a code below 256 (the number's lowest byte); nothing for a negative number."""
    made = arena_take(arena, int64(2))
    if made == 0:
        return made, int64(-1)
    if number < 0:
        return made, int64(0)
    code = number & 0xFF
    if code < 128:
        store8(made, uint8(code))
        return made, int64(1)
    store8(made, uint8(0xC0 | code >> 6))
    store8(made + uint64(1), uint8(0x80 | code & 0x3F))
    return made, int64(2)


@outlined(PART, ARENA, TEXT)
def hexadecimal(arena: Words, text: int, text_n: int) -> Text:
    """Two digits for each byte."""
    made = arena_take(arena, 2 * text_n)
    if made == 0:
        return made, int64(-1)
    for at in range(text_n):
        byte = load8(text + uint64(at))
        store8(made + uint64(2 * at), digit(byte >> 4))
        store8(made + uint64(2 * at + 1), digit(byte & 15))
    return made, 2 * text_n


@njit(**OPTIONS)
def digit(value: int) -> int:
    """The character of a digit of up to 15."""
    return uint8(48 + value) if value < 10 else uint8(55 + value)


@outlined(PART, ARENA, NUMBER, NUMBER)
def in_base(arena: Words, value: int, shift: int) -> Text:
    """The 64 bits of a number in base 2 or 16, without leading zeros."""
    bits = uint64(value)
    length = int64(1)
    while shift * length < 64 and bits >> uint64(shift * length) != uint64(0):
        length += 1
    made = arena_take(arena, length)
    if made == 0:
        return made, int64(-1)
    for at in range(length):
        part = (bits >> uint64(shift * (length - 1 - at))) & uint64((1 << shift) - 1)
        store8(made + uint64(at), digit(int64(part)))
    return made, length


@outlined(PART, ARENA, TEXT)
def from_hexadecimal(arena: Words, text: int, text_n: int) -> Text:
    """The bytes behind hexadecimal digits; the length is -2 where another character stands."""
    made = arena_take(arena, (text_n + 1) >> 1)
    if made == 0:
        return made, int64(-1)
    odd = text_n & 1
    for at in range(-odd, text_n, 2):
        high = int64(0) if at < 0 else _nibble(load8(text + uint64(at)))
        low = _nibble(load8(text + uint64(at + 1)))
        if high < 0 or low < 0:
            return made, int64(-2)
        store8(made + uint64((at + odd) >> 1), uint8(high << 4 | low))
    return made, (text_n + 1) >> 1


@njit(**OPTIONS)
def _nibble(byte: int) -> int:
    if 48 <= byte <= 57:
        return int64(byte) - 48
    if 65 <= byte <= 70:
        return int64(byte) - 55
    return int64(byte) - 87 if 97 <= byte <= 102 else int64(-1)


@outlined(PART, ARENA, TEXT, TRUTH)
def base64(arena: Words, text: int, text_n: int, chunks: bool) -> Text:
    """MIME's base64; with `chunks` in lines of 76 characters."""
    size = (text_n + 2) // 3 * 4
    length = size + (max(size - 1, int64(0)) // 76 * 2 if chunks else int64(0))
    made = arena_take(arena, length)
    if made == 0:
        return made, int64(-1)
    target = made
    for at in range(0, text_n, 3):
        if chunks and at > 0 and at % 57 == 0:
            store8(target, uint8(13))
            store8(target + uint64(1), uint8(10))
            target += uint64(2)
        left = text_n - at
        word = int64(load8(text + uint64(at))) << 16
        word |= int64(load8(text + uint64(at + 1))) << 8 if left > 1 else int64(0)
        word |= int64(load8(text + uint64(at + 2))) if left > 2 else int64(0)
        for k in range(4):
            sextet = (word >> (18 - 6 * k)) & 63
            store8(target + uint64(k), _base64_digit(sextet) if k <= left else uint8(61))
        target += uint64(4)
    return made, length


@njit(**OPTIONS)
def _base64_digit(value: int) -> int:
    if value < 26:
        return uint8(65 + value)
    if value < 52:
        return uint8(71 + value)
    if value < 62:
        return uint8(value - 4)
    return uint8(43) if value == 62 else uint8(47)
