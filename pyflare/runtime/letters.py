"""Upper and lower case: exact for ASCII and for the two-byte letters that have one counterpart of two bytes.

Rows with letters beyond that need Spark: their mapping may change the length, depend on the neighbours or on Unicode's
version. Characters of scripts that know no case stay as they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Container
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import int64, njit, uint8, uint64

from pyflare.runtime.arena import arena_take
from pyflare.runtime.memory import OPTIONS, load8, load64, memory_copy, store8, store64
from pyflare.runtime.outlined import ARENA, PART, TEXT, outlined
from pyflare.runtime.utf8 import char_width, code_point, is_valid

Words = Any
Text = tuple[int, int]

_TWO_BYTES: Final = range(0x80, 0x800)
_DIGRAPHS: Final = (*range(0x1C4, 0x1CD), *range(0x1F1, 0x1F4))  # their title case is neither upper nor lower case
_SIGMA: Final = 0x3A3  # its lower case depends on where in the word it stands


def _counterparts(change: Callable[[str], str], unsure: Container[int]) -> npt.NDArray[np.uint16]:
    """The counterpart of each character of two bytes; 0 where it is not one such character."""
    table = np.zeros(len(_TWO_BYTES), np.uint16)
    for index, code in enumerate(_TWO_BYTES):
        changed = change(chr(code))
        if len(changed) == 1 and ord(changed) in _TWO_BYTES and code not in unsure:
            table[index] = ord(changed)
    return table


def _is_single(code: int) -> bool:
    """A small letter without a capital: it may get one in a later version of Unicode."""
    letter = chr(code)
    return unicodedata.category(letter) == "Ll" and letter.upper() == letter


def _is_third(code: int) -> bool:
    """A letter that is neither the capital nor the small one of a pair: its title case depends on the way to it."""
    letter = chr(code)
    return code in _DIGRAPHS or letter.lower().upper() != letter.upper()


_SINGLE: Final = tuple(filter(_is_single, _TWO_BYTES))
_UPPER: Final = _counterparts(str.upper, _SINGLE)
_LOWER: Final = _counterparts(str.lower, (_SIGMA,))
_TITLE: Final = _counterparts(str.upper, (*_SINGLE, *filter(_is_third, _TWO_BYTES)))
_UNCASED: Final = np.array(
    [
        (0x0900, 0x109F),
        (0x1100, 0x139F),
        (0x2000, 0x20FF),
        (0x2190, 0x24B5),
        (0x2500, 0x2BFF),
        (0x2E80, 0xA63F),
        (0xAC00, 0xD7A3),
        (0xF900, 0xFAFF),
        (0xFE00, 0xFF20),
        (0xFF5B, 0xFFFF),
        (0x1F000, 0x1FAFF),
        (0x20000, 0x2FFFF),
    ],
    np.int64,
)


@outlined(PART, ARENA, TEXT)
def upper(arena: Words, text: int, text_n: int) -> Text:
    """The text in upper case."""
    made = arena_take(arena, text_n)
    if made == 0:
        return made, int64(-1)
    at = _change_ascii(made, text, text_n, int64(97))
    return made, text_n if at == text_n else _change_rest(made, text, text_n, at, _UPPER, int64(97))


@outlined(PART, ARENA, TEXT)
def lower(arena: Words, text: int, text_n: int) -> Text:
    """The text in lower case."""
    return _lower(arena, text, text_n)


@njit(**OPTIONS)
def _lower(arena: Words, text: int, text_n: int) -> Text:
    made = arena_take(arena, text_n)
    if made == 0:
        return made, int64(-1)
    at = _change_ascii(made, text, text_n, int64(65))
    return made, text_n if at == text_n else _change_rest(made, text, text_n, at, _LOWER, int64(65))


@outlined(PART, ARENA, TEXT)
def title(arena: Words, text: int, text_n: int) -> Text:
    """The text in lower case but for what begins it or follows a space."""
    made, length = _lower(arena, text, text_n)
    at = int64(0)
    while at < length:
        width = char_width(load8(made + uint64(at)))
        begins = at == 0 or load8(made + uint64(at - 1)) == 32
        if begins and _change_rest(made, text, at + width, at, _TITLE, int64(97)) < 0:
            return made, int64(-1)
        at += width
    return made, length


@njit(**OPTIONS)
def _change_ascii(target: int, text: int, text_n: int, first: int) -> int:
    """Write the ASCII beginning of a text in the other case; how far it goes. `first` is the first letter to change."""
    ones = uint64(0x0101010101010101)
    high = uint64(0x8080808080808080)
    at = int64(0)
    while at + 8 <= text_n:
        word = load64(text + uint64(at))
        if word & high:
            return at
        letters = (word + ones * uint64(128 - first)) & ~(word + ones * uint64(128 - first - 26)) & high
        store64(target + uint64(at), word ^ (letters >> uint64(2)))
        at += 8
    while at < text_n:
        byte = load8(text + uint64(at))
        if byte >= 128:
            return at
        store8(target + uint64(at), _ascii_counterpart(byte, first))
        at += 1
    return at


@njit(**OPTIONS)
def _ascii_counterpart(byte: int, first: int) -> int:
    return uint8(byte ^ 32) if first <= byte < first + 26 else uint8(byte)


@njit(**OPTIONS)
def _change_rest(target: int, text: int, text_n: int, at: int, table: Any, first: int) -> int:
    """Write the text from `at` on in the other case; its length, or -1 for a row that needs Spark."""
    if not is_valid(text + uint64(at), text_n - at):
        return int64(-1)
    while at < text_n:
        here, there = text + uint64(at), target + uint64(at)
        width = char_width(load8(here))
        if width == 1:
            store8(there, _ascii_counterpart(load8(here), first))
        elif width == 2:
            code = int64(table[uint64(code_point(here, width) - 0x80)])
            if code == 0:
                return int64(-1)
            store8(there, uint8(0xC0 | code >> 6))
            store8(there + uint64(1), uint8(0x80 | code & 0x3F))
        elif _is_uncased(code_point(here, width)):
            memory_copy(there, here, width)
        else:
            return int64(-1)
        at += width
    return text_n


@njit(**OPTIONS)
def _is_uncased(code: int) -> bool:
    row = uint64(0)
    while row < uint64(len(_UNCASED)) and _UNCASED[row, 1] < code:
        row += uint64(1)
    return row < uint64(len(_UNCASED)) and _UNCASED[row, 0] <= code
