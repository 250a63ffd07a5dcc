"""Between decimals and floating point, as Java does it.

A decimal becomes the nearest double or float. A double becomes the decimal that `Double.toString` writes, rounded to a
scale: the shortest decimal that is nearer to this double than to any other. Before version 19, Java writes more digits
for powers of two and for integers beyond 2**53; the rows for which that makes a difference give `UNKNOWN`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import float32, int64

from pyflare.runtime.compiled import compiled
from pyflare.runtime.decimals import TOO_LARGE
from pyflare.runtime.floats import bits64, from_bits64
from pyflare.runtime.int128 import Wide, wide, wide_eq, wide_lt, wide_to_f32, wide_to_f64
from pyflare.runtime.int256 import (
    Huge,
    fits_wide,
    huge,
    huge_add,
    huge_bits,
    huge_lt,
    huge_mul,
    huge_product,
    huge_quotient,
    huge_shl,
    huge_shr,
    huge_sub,
    low_words,
    magnitude,
    power,
    signed,
)

UNKNOWN: Final = (0, -(2**63))
_POWERS: Final = np.array([float(10**k) for k in range(39)])
_EXACT64, _EXACT_DIGITS64 = 2**53, 22  # what a double holds exactly: integers, powers of ten
_EXACT32, _EXACT_DIGITS32 = 2**24, 10
_MANTISSA: Final = 2**52
_ALL_DIGITS: Final = 1e18  # a double has fewer digits than the integers of this size
_UNKNOWN_BITS: Final = -0x7FFFFF0123456  # a NaN that no computation gives
_SHORT_DIGITS: Final = 15  # different decimals of so many digits are different doubles
_LONG_DIGITS: Final = 17  # different doubles are different decimals of so many digits


@compiled
def _scaled(size: Wide, scale: int) -> tuple[Wide, int]:
    """`size / 10**scale` in more than 63 bits, the last one sticky, and by which power of two this is too large."""
    value, divisor = huge(size), power(scale)
    shift = max(int64(64) + huge_bits(huge(divisor)) - huge_bits(value), int64(0))
    value = huge_shl(value, shift)
    whole = huge_quotient(value, divisor)
    exact = huge_sub(value, huge_mul(whole, divisor))
    sticky = int64(0) if exact[0] == 0 and exact[1] == 0 else int64(1)
    return (whole[0] | sticky, whole[1]), shift


@compiled
def to_f64(value: Wide, scale: int) -> float:
    """The double nearest to `value / 10**scale`."""
    size = magnitude(value)
    if scale <= _EXACT_DIGITS64 and size[1] == 0 and 0 <= size[0] < _EXACT64:
        result = float(size[0]) / _POWERS[scale]
    else:
        whole, shift = _scaled(size, scale)
        result = wide_to_f64(whole) * from_bits64((int64(1023) - shift) << 52)
    return -result if value[1] < 0 else result


@compiled
def to_f32(value: Wide, scale: int) -> float:
    """The float nearest to `value / 10**scale`."""
    size = magnitude(value)
    if scale <= _EXACT_DIGITS32 and size[1] == 0 and 0 <= size[0] < _EXACT32:
        result = float32(size[0]) / float32(_POWERS[scale])
    elif scale == 38 and wide_eq(size, wide(int64(1))):
        result = float32(1e-38)
    else:
        whole, shift = _scaled(size, scale)
        result = float32(wide_to_f32(whole) * from_bits64((int64(1023) - shift) << 52))
    return -result if value[1] < 0 else result


@compiled
def _halved(value: Huge, shift: int, even: bool) -> Huge:
    """`value / 2**shift` rounded half up, or half to even."""
    half = huge_shl(huge(wide(int64(1))), shift - 1)
    up = huge_add(value, half)
    if even and huge_shr(value, shift)[0] & 1 == 0:
        up = huge_sub(up, huge(wide(int64(1))))
    return huge_shr(up, shift)


@compiled
def from_f64(value: float, scale: int, precision: int, even: bool) -> Wide:
    """The unscaled decimal of a finite double, rounded half up or to even at a scale of 0 to 38.

    `TOO_LARGE` if it has more digits than `precision`, `UNKNOWN` if it depends on the version of Java.
    """
    size = abs(value)
    estimate = size * _POWERS[scale]
    if estimate < 0.4:
        return wide(int64(0))
    if not estimate < 1.5 * _POWERS[precision]:
        return TOO_LARGE
    word = bits64(size)
    mantissa, exponent = (word & (_MANTISSA - 1)) | _MANTISSA, (word >> 52) - 1075
    scaled, half = huge_product(wide(mantissa), power(scale)), huge(power(scale))
    up, down = max(exponent, int64(0)), max(-exponent, int64(0))
    scaled, half = huge_shl(scaled, up + 1), huge_shl(half, up)
    low = _halved(huge_sub(scaled, half), down + 1, even)
    high = _halved(huge_add(scaled, half), down + 1, even)
    if not huge_lt(low, huge(power(precision))):
        return TOO_LARGE
    found = low_words(low)
    if low[0] != high[0] or low[1] != high[1]:
        found = _written(mantissa, exponent, scale, even)
        if wide_eq(found, UNKNOWN):
            return found
    return signed(found, value < 0) if wide_lt(found, power(precision)) else TOO_LARGE


@compiled
def _written(mantissa: int, exponent: int, scale: int, even: bool) -> Wide:
    """The text of `mantissa * 2**exponent` as a decimal at a scale."""
    if exponent >= 0:
        whole = low_words(huge_shl(huge(wide(mantissa)), exponent))
        return _if_short(whole, scale) if exponent > 0 else low_words(huge_product(whole, power(scale)))
    if exponent >= -52 and mantissa & ((1 << -exponent) - 1) == 0:
        return low_words(huge_product(wide(mantissa >> -exponent), power(scale)))
    digits = _SHORT_DIGITS - 1 - int64(math.floor(math.log10(float(mantissa)) + exponent * math.log10(2.0)))
    longest = digits if mantissa == _MANTISSA else digits + _LONG_DIGITS - _SHORT_DIGITS
    digits = max(digits, int64(0))
    while digits <= longest:
        short = _nearest(mantissa, exponent, digits)
        if short >= 0:
            if scale >= digits:
                return low_words(huge_product(wide(short), power(scale - digits)))
            return _shortened(short, digits - scale, even)
        digits += 1
    return UNKNOWN


@compiled
def _nearest(mantissa: int, exponent: int, digits: int) -> int:
    """The decimal of so many digits that is nearest to a double, or -1 if another double is as near to it."""
    unit = huge_product(power(min(digits, int64(38))), power(max(digits - 38, int64(0))))
    exact = huge_mul(unit, wide(mantissa))
    short = _halved(exact, -exponent, True)
    error = huge_sub(huge_shl(short, -exponent), exact)
    if error[3] < 0:
        error = huge_sub(huge(wide(int64(0))), error)
    slack = int64(2) if mantissa == _MANTISSA else int64(1)
    if not huge_lt(huge_shl(error, slack), unit) or not fits_wide(short) or short[1] != 0 or short[0] < 0:
        return -1
    return short[0]


@compiled
def _if_short(whole: Wide, scale: int) -> Wide:
    """An integer at a scale, if it has at most 15 digits before its last zeros."""
    zeros = int64(0)
    while zeros < 23 and not wide_lt(whole, power(_SHORT_DIGITS + zeros)):
        zeros += 1
    rest = huge_sub(huge(whole), huge_mul(huge_quotient(huge(whole), power(zeros)), power(zeros)))
    return low_words(huge_product(whole, power(scale))) if rest[0] == 0 and rest[1] == 0 else UNKNOWN


@compiled
def _shortened(value: int, digits: int, even: bool) -> Wide:
    """`value / 10**digits` rounded half up, or half to even; the value has at most 17 digits."""
    if digits > 18:
        return wide(int64(0))
    divisor = power(digits)[0]
    whole, rest = value // divisor, value % divisor
    up = rest > divisor >> 1 or (rest == divisor >> 1 and not (even and whole & 1 == 0))
    return wide(whole + int64(up))


@compiled
def round_f64(value: float, scale: int, even: bool) -> float:
    """A double rounded to 0 to 38 digits behind the point; `is_unknown` if that depends on the version of Java."""
    if not abs(value) * _POWERS[scale] < _ALL_DIGITS or abs(value) >= _EXACT64:
        return value
    unscaled = from_f64(value, scale, int64(38), even)
    return from_bits64(_UNKNOWN_BITS) if wide_eq(unscaled, UNKNOWN) else to_f64(unscaled, scale)


@compiled
def round_f32(value: float, scale: int, even: bool) -> float:
    """A float, widened to a double, rounded to 0 to 38 digits behind the point: the nearest float."""
    if not abs(value) * _POWERS[scale] < _ALL_DIGITS or abs(value) >= _EXACT64:
        return value
    unscaled = from_f64(value, scale, int64(38), even)
    return from_bits64(_UNKNOWN_BITS) if wide_eq(unscaled, UNKNOWN) else float(to_f32(unscaled, scale))


@compiled
def round_integer(value: float, unit: int, even: bool) -> float:
    """A double rounded to a multiple of a power of ten, 10 or more."""
    size = abs(value)
    if not size < _EXACT64:
        return value if value - value != 0.0 else from_bits64(_UNKNOWN_BITS)
    whole = int64(size)
    rest, half = whole % unit, unit >> 1
    result = whole - rest
    is_tie = rest == half and float(whole) == size
    if rest > half or (rest == half and not (is_tie and even and (result // unit) & 1 == 0)):
        result += unit
    return -float(result) if value < 0.0 and result != 0 else float(result)


@compiled
def is_unknown(value: float) -> bool:
    """Whether a rounded number depends on the version of Java."""
    return bits64(value) == _UNKNOWN_BITS
