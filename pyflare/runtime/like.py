"""`LIKE` for patterns that are not a few pieces between percent signs."""

from __future__ import annotations

from typing import Final

from numba import int64, njit, uint64

from pyflare.runtime.memory import OPTIONS, load8, memory_compare
from pyflare.runtime.outlined import NUMBER, TEXT, outlined
from pyflare.runtime.strings import find, starts_with
from pyflare.runtime.utf8 import char_width, is_continuation, is_valid

_END: Final = 0
_TEXT: Final = 1
_ONE: Final = 2
_ANY: Final = 3
_PERCENT: Final = 37
_UNDERSCORE: Final = 95


@outlined(NUMBER, TEXT, TEXT, TEXT)
def like(text: int, text_n: int, pattern: int, pattern_n: int, escape: int, escape_n: int) -> int:
    """1 if the whole text matches, 0 if not, -1 for a bad pattern, -2 for a row that needs Spark.

    The characters `%` and `_` stand for themselves behind the escape character, which nothing else may follow.
    """
    if not _is_pattern(pattern, pattern_n, escape, escape_n):
        return int64(-1)
    if not is_valid(text, text_n) or not is_valid(pattern, pattern_n):
        return int64(-2)
    return int64(_matches(text, text_n, pattern, pattern_n, escape, escape_n))


@njit(**OPTIONS)
def _matches(text: int, text_n: int, pattern: int, pattern_n: int, escape: int, escape_n: int) -> bool:
    """Piece by piece; where one fails, the last `%` takes one character more."""
    at, want, again_at, again_want = int64(0), int64(0), int64(-1), int64(-1)
    while True:
        kind, width, skip = _piece(pattern + uint64(want), pattern_n - want, escape, escape_n)
        if kind == _ANY:
            again_at, again_want, want = at, want + 1, want + 1
            continue
        if kind == _END and (at == text_n or again_want == want):
            return True
        if kind == _ONE and at < text_n:
            at += char_width(load8(text + uint64(at)))
            want += 1
            continue
        here = pattern + uint64(want + skip)
        if kind == _TEXT and again_want == want:
            again_at = find(text, text_n, here, width, again_at)
            if again_at < 0:
                return False
            at = again_at
        if kind == _TEXT and starts_with(text + uint64(at), text_n - at, here, width):
            at += width
            want += skip + width
            continue
        if again_at < 0 or again_at >= text_n:
            return False
        again_at += char_width(load8(text + uint64(again_at)))
        at, want = again_at, again_want


@njit(**OPTIONS)
def _piece(pattern: int, pattern_n: int, escape: int, escape_n: int) -> tuple[int, int, int]:
    """What comes first in a pattern: its kind; of a text, the width and how much of an escape is before it."""
    if pattern_n == 0:
        return int64(_END), int64(0), int64(0)
    if starts_with(pattern, pattern_n, escape, escape_n):
        return int64(_TEXT), char_width(load8(pattern + uint64(escape_n))), escape_n
    first = load8(pattern)
    if first == _PERCENT:
        return int64(_ANY), int64(1), int64(0)
    if first == _UNDERSCORE:
        return int64(_ONE), int64(1), int64(0)
    end, special = int64(1), (int64(_PERCENT), int64(_UNDERSCORE), int64(load8(escape)))
    while end < pattern_n and int64(load8(pattern + uint64(end))) not in special:
        end += 1
    while end < pattern_n and is_continuation(load8(pattern + uint64(end))):
        end += 1
    return int64(_TEXT), end, int64(0)


@njit(**OPTIONS)
def _is_pattern(pattern: int, pattern_n: int, escape: int, escape_n: int) -> bool:
    at = int64(0)
    while at < pattern_n:
        if at + escape_n <= pattern_n and memory_compare(pattern + uint64(at), escape, escape_n) == 0:
            at += escape_n
            if at == pattern_n:
                return False
            first = load8(pattern + uint64(at))
            is_escape = at + escape_n <= pattern_n and memory_compare(pattern + uint64(at), escape, escape_n) == 0
            if first != 37 and first != 95 and not is_escape:
                return False
        at += char_width(load8(pattern + uint64(at)))
    return True
