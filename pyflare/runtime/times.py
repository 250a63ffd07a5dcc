"""Timestamps in kernels: microseconds since 1970, taken apart into seconds and a fraction where they may overflow."""

from __future__ import annotations

import math

from numba import int64

from pyflare.runtime.compiled import compiled
from pyflare.runtime.integers import quotient, wrap_add, wrap_mul

_LAST_SECOND, _LAST_MICRO = 9223372036854, 775807
_FIRST_SECOND, _FIRST_MICRO = -9223372036855, 224192


@compiled
def micros_fit(second: int, micro: int) -> bool:
    """Whether a second and the microseconds within it are 64 bits of microseconds."""
    if second >= _LAST_SECOND:
        return second == _LAST_SECOND and micro <= _LAST_MICRO
    return second > _FIRST_SECOND or (second == _FIRST_SECOND and micro >= _FIRST_MICRO)


@compiled
def micros_of(second: int, micro: int) -> int:
    """Microseconds, wrapped where they do not fit."""
    return wrap_add(wrap_mul(second, int64(1000000)), micro)


@compiled
def saturated_micros(second: int) -> int:
    """Seconds as microseconds; what is too large becomes the nearest long."""
    if second > _LAST_SECOND:
        return int64(2**63 - 1)
    if second <= _FIRST_SECOND:
        return int64(-(2**63))
    return second * int64(1000000)


@compiled
def toward_zero(second: int, micro: int) -> int:
    """The whole seconds of a difference, given rounded down and with its microseconds."""
    return second + 1 if second < 0 and micro > 0 else second


@compiled
def whole_millis(second: int, micro: int) -> int:
    """The whole milliseconds of a difference, given as seconds rounded down and microseconds."""
    millis = quotient(micro, int64(1000))
    if second < 0 and micro > millis * 1000:
        millis += 1
    return second * 1000 + millis


@compiled
def half_up(value: float) -> float:
    """Java's `Math.round`, for numbers that are far from the end of a long."""
    whole = math.floor(value)
    return float(whole + 1) if value - whole >= 0.5 else float(whole)
