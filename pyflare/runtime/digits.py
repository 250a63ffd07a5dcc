"""Numbers to strings, as Spark's casts write them."""

from __future__ import annotations

from typing import Any

from numba import int64, njit, uint8, uint64

from pyflare.runtime.arena import arena_take, arena_trim
from pyflare.runtime.int128 import wide, wide_le, wide_lt, wide_quotient, wide_remainder, wide_sub
from pyflare.runtime.memory import OPTIONS, store8
from pyflare.runtime.outlined import ARENA, NUMBER, PART, TRUTH, WIDE, outlined
from pyflare.runtime.texts import append

Words = Any
Text = tuple[int, int]
Wide = tuple[int, int]


@outlined(PART, ARENA, NUMBER)
def integer_text(arena: Words, value: int) -> Text:
    """An int64 in decimal digits."""
    made = arena_take(arena, int64(24))
    if made == 0:
        return made, int64(-1)
    start = _put(made + uint64(24), -value if value > 0 else value)
    if value < 0:
        start -= uint64(1)
        store8(start, uint8(45))
    return start, int64(made + uint64(24) - start)


@njit(**OPTIONS)
def _put(end: int, negative: int) -> int:
    """Write the digits of a number that is not positive, without sign, up to `end`; where they begin."""
    while True:
        end -= uint64(1)
        rest = -(-negative // 10) if negative > -(2**63) else int64(-922337203685477580)
        store8(end, uint8(48 + rest * 10 - negative))
        negative = rest
        if negative == 0:
            return end


@outlined(PART, ARENA, WIDE, NUMBER, TRUTH)
def decimal_text(arena: Words, value: Wide, scale: int, plain: bool) -> Text:
    """A decimal as Java's `toPlainString`, or `toString`, which writes small numbers with an exponent."""
    made = arena_take(arena, int64(112))
    if made == 0:
        return made, int64(-1)
    zero = wide(int64(0))
    negative = wide_lt(value, zero)
    digits = _put_wide(made + uint64(112), wide_sub(zero, value) if negative else value)
    count = int64(made + uint64(112) - digits)
    end = _put_byte(made, 45) if negative else made
    if plain or count - 1 - scale >= -6:
        end = _put_plain(end, digits, count, scale)
    else:
        end = _put_scientific(end, digits, count, scale + 1 - count)
    arena_trim(arena, end)
    return made, int64(end - made)


@njit(**OPTIONS)
def _put_plain(end: int, digits: int, count: int, scale: int) -> int:
    """Digits with a point before the last `scale`; the address behind them."""
    before = max(count - scale, int64(0))
    end = append(end, digits, before) if before > 0 else _put_byte(end, 48)
    if scale > 0:
        end = _put_byte(end, 46)
    for _ in range(scale - count):
        end = _put_byte(end, 48)
    return append(end, digits + uint64(before), count - before)


@njit(**OPTIONS)
def _put_scientific(end: int, digits: int, count: int, exponent: int) -> int:
    """Digits with a point behind the first, and a negative exponent; the address behind them."""
    end = append(end, digits, int64(1))
    if count > 1:
        end = append(_put_byte(end, 46), digits + uint64(1), count - 1)
    end = _put_byte(_put_byte(end, 69), 45)
    if exponent >= 10:
        end = _put_byte(end, 48 + exponent // 10)
    return _put_byte(end, 48 + exponent % 10)


@njit(**OPTIONS)
def _put_byte(end: int, byte: int) -> int:
    store8(end, uint8(byte))
    return end + uint64(1)


@njit(**OPTIONS)
def _put_wide(end: int, value: Wide) -> int:
    """Write the digits of a 128-bit number that is not negative up to `end`; where they begin."""
    group = wide(int64(10**18))
    while wide_le(group, value):
        start = _put(end, -wide_remainder(value, group)[0])
        end -= uint64(18)
        while start > end:
            start -= uint64(1)
            store8(start, uint8(48))
        value = wide_quotient(value, group)
    return _put(end, -value[0])
