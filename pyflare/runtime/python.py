"""Python's arithmetic, where it is not the machine's."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import int64

from pyflare.runtime.compiled import compiled
from pyflare.runtime.floats import java_remainder
from pyflare.runtime.int128 import wide_product
from pyflare.runtime.integers import quotient, remainder, wrap_mul, wrap_sub
from pyflare.runtime.libm import libm_pow

_SMALLEST_NORMAL: Final = 2.0**-1022


@compiled
def floor_divide(a: int, b: int) -> int:
    """`a // b`; the caller excludes a zero divisor and the overflow."""
    whole = quotient(a, b)
    return whole - 1 if remainder(a, b) != 0 and (a < 0) != (b < 0) else whole


@compiled
def modulo(a: int, b: int) -> int:
    """`a % b`, which has the sign of `b`; the caller excludes a zero divisor."""
    if b == -1:
        return 0
    rest = remainder(a, b)
    return rest + b if rest != 0 and (rest < 0) != (b < 0) else rest


@compiled
def float_modulo(a: float, b: float) -> float:
    """`a % b` of floats; the caller excludes a zero divisor."""
    rest = java_remainder(a, b)
    if rest == 0.0:
        return math.copysign(0.0, b)
    return rest + b if (b < 0.0) != (rest < 0.0) else rest


@compiled
def float_floor_divide(a: float, b: float) -> float:
    """`a // b` of floats; the caller excludes a zero divisor."""
    rest = java_remainder(a, b)
    ratio = (a - rest) / b
    if rest != 0.0 and (b < 0.0) != (rest < 0.0):
        ratio -= 1.0
    if ratio == 0.0:
        return math.copysign(0.0, a / b)
    whole = np.floor(ratio)
    return whole + 1.0 if ratio - whole > 0.5 else whole


@compiled
def multiply_overflows(a: int, b: int) -> bool:
    """Whether `a * b` does not fit in 64 bits."""
    return wide_product(a, b)[1] != wrap_mul(a, b) >> 63


@compiled
def power(base: int, exponent: int) -> tuple[int, bool]:
    """`base ** exponent` for an exponent that is not negative, and whether it fits in 64 bits."""
    result, factor, left = 1, base, exponent
    while True:
        if left & 1:
            if multiply_overflows(result, factor):
                return 0, False
            result = wrap_mul(result, factor)
        left >>= 1
        if left == 0:
            return result, True
        if multiply_overflows(factor, factor):
            return 0, False
        factor = wrap_mul(factor, factor)


@compiled
def float_power(base: float, exponent: float) -> tuple[float, bool]:
    """`base ** exponent` of floats, and whether that is all: Python raises for some, and makes others complex."""
    result = libm_pow(base, exponent)
    if raises(base, exponent, result):
        return result, False
    return result, result == 0.0 or abs(result) >= _SMALLEST_NORMAL or result != result


@compiled
def raises(a: float, b: float, result: float) -> bool:
    """Whether Python raises where the C library gives `result` for `a` and `b`."""
    if result - result == 0.0:
        return False
    if result != result:
        return a == a and b == b
    return a - a == 0.0 and b - b == 0.0


@compiled
def range_length(start: int, stop: int, step: int) -> int:
    """The number of items in a range, or a number of them that nobody waits for."""
    if (step > 0 and start >= stop) or (step < 0 and start <= stop):
        return 0
    low, high = (start, stop) if step > 0 else (stop, start)
    span = np.uint64(wrap_sub(high, low)) - np.uint64(1)
    size = np.uint64(step) if step > 0 else np.uint64(wrap_sub(0, step))
    return int64(min(span // size, np.uint64(2**62))) + 1


@compiled
def floor(value: float) -> float:
    """The greatest integer that is not above the value."""
    return np.floor(value)


@compiled
def ceil(value: float) -> float:
    """The least integer that is not below the value."""
    return np.ceil(value)


@compiled
def copysign(value: float, sign: float) -> float:
    """The size of one number with the sign of the other."""
    return math.copysign(value, sign)
