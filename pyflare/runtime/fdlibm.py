"""`java.lang.StrictMath`'s exponentials, logarithms and powers, to the last bit.

Java defines them by the algorithms of fdlibm, the "Freely Distributable Math Library", version 5.3, whose constants and
order of operations are kept here:

    Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
    Developed at SunSoft, a Sun Microsystems, Inc. business.
    Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
    preserved.

Names in capitals are fdlibm's coefficients. A number's "high word" is the upper half of its bits, as a signed integer.
"""

from __future__ import annotations

import math
from typing import Final

from pyflare.runtime.compiled import compiled
from pyflare.runtime.floats import bits64, from_bits64

INFINITY: Final = math.inf
NAN: Final = math.nan
ABSOLUTE: Final = 0x7FFFFFFF
FRACTION: Final = 0xFFFFF
LOW: Final = 0xFFFFFFFF
MIN_NORMAL: Final = 2.0**-1022
TWO54: Final = 2.0**54

_LN2_HI, _LN2_LO = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_INV_LN2: Final = 1.44269504088896338700e00
_LOG1, _LOG2, _LOG3, _LOG4 = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
)
_LOG5, _LOG6, _LOG7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01
_INV_LN10: Final = 4.34294481903251816668e-01
_LOG10_2_HI, _LOG10_2_LO = 3.01029995663611771306e-01, 3.69423907715893078616e-13
_EXP_MAX, _EXP_MIN = 7.09782712893383973096e02, -7.45133219101941108420e02
_TWO_M1000: Final = 9.33263618503218878990e-302
_P1, _P2, _P3 = 1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05
_P4, _P5 = -1.65339022054652515390e-06, 4.13813679705723846039e-08
_Q1, _Q2, _Q3 = -3.33333333333331316428e-02, 1.58730158725481460165e-03, -7.93650757867487942473e-05
_Q4, _Q5 = 4.00821782732936239552e-06, -2.01099218183624371326e-07


@compiled
def high_word(value: float) -> int:
    """The upper half of the bits, sign extended."""
    return bits64(value) >> 32


@compiled
def with_high(value: float, word: int) -> float:
    """The same lower half under another upper half."""
    return from_bits64((bits64(value) & LOW) | (word << 32))


@compiled
def without_low(value: float) -> float:
    """The number with its lower half zero."""
    return from_bits64(bits64(value) & ~LOW)


@compiled
def times_two_to(value: float, exponent: int) -> float:
    """`value * 2**exponent` by its exponent bits: the result must be normal."""
    return from_bits64(bits64(value) + (exponent << 52))


# Logarithms -----------------------------------------------------------------------------------------------------------


@compiled
def log(value: float) -> float:
    """`StrictMath.log`."""
    if not 0.0 < value < INFINITY:
        return NAN if value < 0.0 else (-INFINITY if value == 0.0 else value)
    tiny = value < MIN_NORMAL
    x = value * TWO54 if tiny else value
    word = high_word(x)
    k = (word >> 20) - (1077 if tiny else 1023)
    word &= FRACTION
    carry = (word + 0x95F64) & 0x100000
    f = with_high(x, word | (carry ^ 0x3FF00000)) - 1.0
    dk = float(k + (carry >> 20))
    if (FRACTION & (2 + word)) < 3:
        if f == 0.0:
            return dk * _LN2_HI + dk * _LN2_LO
        near = f * f * (0.5 - 0.33333333333333333 * f)
        return dk * _LN2_HI - ((near - dk * _LN2_LO) - f)
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (_LOG2 + w * (_LOG4 + w * _LOG6))
    odd = z * (_LOG1 + w * (_LOG3 + w * (_LOG5 + w * _LOG7)))
    r = odd + even
    if ((word - 0x6147A) | (0x6B851 - word)) > 0:
        half = 0.5 * f * f
        return dk * _LN2_HI - ((half - (s * (half + r) + dk * _LN2_LO)) - f)
    return dk * _LN2_HI - ((s * (f - r) - dk * _LN2_LO) - f)


@compiled
def log10(value: float) -> float:
    """`StrictMath.log10`."""
    if not 0.0 < value < INFINITY:
        return NAN if value < 0.0 else (-INFINITY if value == 0.0 else value)
    tiny = value < MIN_NORMAL
    x = value * TWO54 if tiny else value
    word = high_word(x)
    k = (word >> 20) - (1077 if tiny else 1023)
    negative = 1 if k < 0 else 0
    y = float(k + negative)
    x = with_high(x, (word & FRACTION) | ((0x3FF - negative) << 20))
    z = y * _LOG10_2_LO + _INV_LN10 * log(x)
    return z + y * _LOG10_2_HI


@compiled
def log1p(x: float) -> float:
    """`StrictMath.log1p`."""
    if not -1.0 < x < INFINITY:
        return NAN if x < -1.0 else (-INFINITY if x == -1.0 else x)
    word = high_word(x)
    size = word & ABSOLUTE
    if size < 0x3E200000:
        return x if size < 0x3C900000 else x - x * x * 0.5
    k, f, c, u_word = 0, x, 0.0, 1
    if not (0 < word < 0x3FDA827A or word <= 0xBFD2BEC3 - 0x100000000):
        u = 1.0 + x if word < 0x43400000 else x
        u_word = high_word(u)
        k = (u_word >> 20) - 1023
        if word < 0x43400000:
            c = (1.0 - (u - x) if k > 0 else x - (u - 1.0)) / u
        u_word &= FRACTION
        if u_word < 0x6A09E:
            u = with_high(u, u_word | 0x3FF00000)
        else:
            k += 1
            u = with_high(u, u_word | 0x3FE00000)
            u_word = (0x00100000 - u_word) >> 2
        f = u - 1.0
    return _log1p_of(float(k), f, c if k != 0 else 0.0, u_word)


@compiled
def _log1p_of(k: float, f: float, c: float, word: int) -> float:
    """The logarithm of `2**k * (1 + f)`, `c` the rounding error of `1 + f`."""
    half = 0.5 * f * f
    if word == 0:
        if f == 0.0:
            return k * _LN2_HI + (c + k * _LN2_LO)
        r = half * (1.0 - 0.66666666666666666 * f)
        return k * _LN2_HI - ((r - (k * _LN2_LO + c)) - f)
    s = f / (2.0 + f)
    z = s * s
    r = z * (_LOG1 + z * (_LOG2 + z * (_LOG3 + z * (_LOG4 + z * (_LOG5 + z * (_LOG6 + z * _LOG7))))))
    return k * _LN2_HI - ((half - (s * (half + r) + (k * _LN2_LO + c))) - f)


# Exponentials ---------------------------------------------------------------------------------------------------------


@compiled
def _exp_steps(x: float, word: int) -> int:
    """The power of two that is taken out of `exp(x)`."""
    if word <= 0x3FD62E42:
        return 0
    if word < 0x3FF0A2B2:
        return 1 if x > 0.0 else -1
    return int(_INV_LN2 * x + (0.5 if x > 0.0 else -0.5))


@compiled
def exp(value: float) -> float:
    """`StrictMath.exp`."""
    if value != value or value > _EXP_MAX:
        return value if value != value else INFINITY
    if value < _EXP_MIN:
        return 0.0
    word = high_word(value) & ABSOLUTE
    if word < 0x3E300000:
        return 1.0 + value
    k = _exp_steps(value, word)
    t = float(k)
    hi, lo = value - t * _LN2_HI, t * _LN2_LO
    x = hi - lo
    t = x * x
    c = x - t * (_P1 + t * (_P2 + t * (_P3 + t * (_P4 + t * _P5))))
    if k == 0:
        return 1.0 - ((x * c) / (c - 2.0) - x)
    y = 1.0 - ((lo - (x * c) / (2.0 - c)) - hi)
    return times_two_to(y, k) if k >= -1021 else times_two_to(y, k + 1000) * _TWO_M1000


@compiled
def expm1(value: float) -> float:
    """`StrictMath.expm1`."""
    word = high_word(value) & ABSOLUTE
    if value != value or word < 0x3C900000:
        return value
    if value > _EXP_MAX:
        return INFINITY
    if word >= 0x4043687A and value < 0.0:
        return -1.0
    k = _exp_steps(value, word)
    t = float(k)
    hi, lo = value - t * _LN2_HI, t * _LN2_LO
    x = hi - lo
    c = (hi - x) - lo
    half = 0.5 * x
    square = x * half
    r = 1.0 + square * (_Q1 + square * (_Q2 + square * (_Q3 + square * (_Q4 + square * _Q5))))
    t = 3.0 - r * half
    e = square * ((r - t) / (6.0 - x * t))
    if k == 0:
        return x - (x * e - square)
    return _expm1_of(x, (x * (e - c) - c) - square, k)


@compiled
def _expm1_of(x: float, e: float, k: int) -> float:
    """The last step of `expm1`: `2**k * (1 + x - e) - 1`."""
    if k == -1:
        return 0.5 * (x - e) - 0.5
    if k == 1:
        return -2.0 * (e - (x + 0.5)) if x < -0.25 else 1.0 + 2.0 * (x - e)
    if k <= -2 or k > 56:
        return times_two_to(1.0 - (e - x), k) - 1.0
    if k < 20:
        t = from_bits64((0x3FF00000 - (0x200000 >> k)) << 32)
        return times_two_to(t - (e - x), k)
    t = from_bits64((0x3FF - k) << 52)
    return times_two_to((x - (e + t)) + 1.0, k)


@compiled
def sinh(x: float) -> float:
    """`StrictMath.sinh`."""
    word = high_word(x) & ABSOLUTE
    if word >= 0x7FF00000 or word < 0x3E300000:
        return x
    h, size = -0.5 if x < 0.0 else 0.5, abs(x)
    if word < 0x40360000:
        t = expm1(size)
        return h * (2.0 * t - t * t / (t + 1.0)) if word < 0x3FF00000 else h * (t + t / (t + 1.0))
    if word < 0x40862E42:
        return h * exp(size)
    return _large_hyperbolic(size, h)


@compiled
def cosh(x: float) -> float:
    """`StrictMath.cosh`."""
    word, size = high_word(x) & ABSOLUTE, abs(x)
    if word >= 0x7FF00000:
        return size
    if word < 0x3FD62E43:
        t = expm1(size)
        w = 1.0 + t
        return w if word < 0x3C800000 else 1.0 + (t * t) / (w + w)
    if word < 0x40360000:
        t = exp(size)
        return 0.5 * t + 0.5 / t
    if word < 0x40862E42:
        return 0.5 * exp(size)
    return _large_hyperbolic(size, 0.5)


@compiled
def _large_hyperbolic(size: float, half: float) -> float:
    """`half * exp(size)` near the largest number."""
    if bits64(size) > 0x408633CE8FB9F87D:
        return half * INFINITY
    w = exp(0.5 * size)
    t = half * w
    return t * w


@compiled
def tanh(x: float) -> float:
    """`StrictMath.tanh`."""
    word, size = high_word(x) & ABSOLUTE, abs(x)
    if x != x:
        return x
    if word < 0x3C800000:
        return x * (1.0 + x)
    if word >= 0x40360000:
        z = 1.0
    elif word >= 0x3FF00000:
        t = expm1(2.0 * size)
        z = 1.0 - 2.0 / (t + 2.0)
    else:
        t = expm1(-2.0 * size)
        z = -t / (t + 2.0)
    return z if x > 0.0 else -z
