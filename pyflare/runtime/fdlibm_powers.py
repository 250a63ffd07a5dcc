"""`StrictMath.pow`, `cbrt` and `hypot`, to the last bit: algorithms and constants of fdlibm 5.3 (see `fdlibm.py`).

Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
Developed at SunSoft, a Sun Microsystems, Inc. business.
Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
preserved.
"""

from __future__ import annotations

import math
from typing import Final

from pyflare.runtime.compiled import compiled
from pyflare.runtime.fdlibm import (
    _P1,
    _P2,
    _P3,
    _P4,
    _P5,
    ABSOLUTE,
    FRACTION,
    INFINITY,
    MIN_NORMAL,
    NAN,
    high_word,
    times_two_to,
    with_high,
    without_low,
)
from pyflare.runtime.floats import bits64, from_bits64

_TWO53: Final = 2.0**53
_TWO_M54: Final = 2.0**-54
_DP_HI, _DP_LO = 5.84962487220764160156e-01, 1.35003920212974897128e-08
_L1, _L2, _L3 = 5.99999999999994648725e-01, 4.28571428578550184252e-01, 3.33333329818377432918e-01
_L4, _L5, _L6 = 2.72728123808534006489e-01, 2.30660745775561754067e-01, 2.06975017800338417784e-01
_LN2, _LN2_HI, _LN2_LO = 6.93147180559945286227e-01, 6.93147182464599609375e-01, -1.90465429995776804525e-09
_OVERFLOW: Final = 8.0085662595372944372e-0017
_CP, _CP_HI, _CP_LO = 9.61796693925975554329e-01, 9.61796700954437255859e-01, -7.02846165095275826516e-09
_INV_LN2, _INV_LN2_HI, _INV_LN2_LO = 1.44269504088896338700e00, 1.44269502162933349609e00, 1.92596299112661746887e-08


@compiled
def strict_pow(x: float, y: float) -> float:
    """`StrictMath.pow`."""
    if y == 0.0:
        return 1.0
    if x != x or y != y:
        return NAN
    size = abs(x)
    if abs(y) == INFINITY:
        if size == 1.0:
            return NAN
        return INFINITY if (size > 1.0) == (y > 0.0) else 0.0
    parity = _parity(y) if bits64(x) < 0 else 0
    if size == INFINITY or size == 0.0 or size == 1.0:
        return _pow_of_special(x, y, parity)
    if y == 1.0 or y == -1.0:
        return x if y > 0.0 else 1.0 / x
    if y == 2.0:
        return x * x
    if x < 0.0 and parity == 0:
        return NAN
    if y == 0.5:
        return math.sqrt(x)
    return _pow_of_size(size, y, -1.0 if x < 0.0 and parity == 1 else 1.0)


@compiled
def _parity(y: float) -> int:
    """0 for a fraction, 1 for an odd and 2 for an even integer."""
    size = abs(y)
    if size >= _TWO53:
        return 2
    whole = int(size)
    return 0 if float(whole) != size else 2 - (whole & 1)


@compiled
def _pow_of_special(x: float, y: float, parity: int) -> float:
    """The power of zero, one and infinity of either sign."""
    size = abs(x)
    result = size if y > 0.0 else 1.0 / size
    if bits64(x) >= 0:
        return result
    if size == 1.0 and parity == 0:
        return NAN
    return -result if parity == 1 else result


@compiled
def _pow_of_size(size: float, y: float, sign: float) -> float:
    """`sign * size**y`, both positive and finite."""
    word, y_word = high_word(size), high_word(y) & ABSOLUTE
    if y_word > 0x41E00000:
        if y_word > 0x43F00000:
            grows = (word > 0x3FEFFFFF) == (y > 0.0)
            return INFINITY if grows else 0.0
        if word < 0x3FEFFFFF or word > 0x3FF00000:
            return sign * (INFINITY if (word > 0x3FF00000) == (y > 0.0) else 0.0)
        head, tail = _log2_near_one(size)
    else:
        head, tail = _log2(size)
    y_head = without_low(y)
    low = (y - y_head) * head + y * tail
    high = y_head * head
    z = low + high
    if z >= 1024.0:
        if z > 1024.0 or low + _OVERFLOW > z - high:
            return sign * INFINITY
    elif z <= -1075.0 and (z < -1075.0 or low <= z - high):
        return sign * 0.0
    return sign * _two_to(z, low, high)


@compiled
def _log2_near_one(size: float) -> tuple[float, float]:
    """The logarithm to base 2 of a number next to one, in two parts."""
    t = size - 1.0
    w = (t * t) * (0.5 - t * (0.3333333333333333333333 - t * 0.25))
    u = _INV_LN2_HI * t
    v = t * _INV_LN2_LO - w * _INV_LN2
    head = without_low(u + v)
    return head, v - (head - u)


@compiled
def _log2(size: float) -> tuple[float, float]:
    """The logarithm to base 2, in two parts."""
    n = 0
    if size < MIN_NORMAL:
        size *= _TWO53
        n = -53
    word = high_word(size)
    n += (word >> 20) - 0x3FF
    part = word & FRACTION
    word = part | 0x3FF00000
    k = 1 if 0x3988E < part < 0xBB67A else 0
    if part >= 0xBB67A:
        n += 1
        word -= 0x00100000
    ax = with_high(size, word)
    base = 1.5 if k == 1 else 1.0
    u = ax - base
    v = 1.0 / (ax + base)
    ss = u * v
    s_h = without_low(ss)
    t_h = from_bits64((((word >> 1) | 0x20000000) + 0x00080000 + (k << 18)) << 32)
    t_l = ax - (t_h - base)
    s_l = v * ((u - s_h * t_h) - s_h * t_l)
    s2 = ss * ss
    r = s2 * s2 * (_L1 + s2 * (_L2 + s2 * (_L3 + s2 * (_L4 + s2 * (_L5 + s2 * _L6)))))
    r += s_l * (s_h + ss)
    s2 = s_h * s_h
    t_h = without_low(3.0 + s2 + r)
    t_l = r - ((t_h - 3.0) - s2)
    u = s_h * t_h
    v = s_l * t_h + t_l * ss
    p_h = without_low(u + v)
    p_l = v - (p_h - u)
    z_h = _CP_HI * p_h
    z_l = _CP_LO * p_h + p_l * _CP + (_DP_LO if k == 1 else 0.0)
    dp_h = _DP_HI if k == 1 else 0.0
    t = float(n)
    head = without_low(((z_h + z_l) + dp_h) + t)
    return head, z_l - (((head - t) - dp_h) - z_h)


@compiled
def _two_to(z: float, low: float, high: float) -> float:
    """`2**z` for the sum `z` of two parts, between -1075 and 1024."""
    word = high_word(z)
    n = 0
    if word & ABSOLUTE > 0x3FE00000:
        n = word + (0x00100000 >> (((word & ABSOLUTE) >> 20) - 0x3FE))
        k = ((n & ABSOLUTE) >> 20) - 0x3FF
        whole = from_bits64((n & ~(FRACTION >> k)) << 32)
        n = ((n & FRACTION) | 0x00100000) >> (20 - k)
        if word < 0:
            n = -n
        high -= whole
    t = without_low(low + high)
    u = t * _LN2_HI
    v = (low - (t - high)) * _LN2 + t * _LN2_LO
    z = u + v
    w = v - (z - u)
    t = z * z
    t1 = z - t * (_P1 + t * (_P2 + t * (_P3 + t * (_P4 + t * _P5))))
    r = (z * t1) / (t1 - 2.0) - (w + z * w)
    z = 1.0 - (r - z)
    if (high_word(z) >> 20) + n > 0:
        return times_two_to(z, n)
    return 0.0 if (high_word(z) >> 20) + n <= -54 else times_two_to(z, n + 54) * _TWO_M54


_B1, _B2 = 715094163, 696219795
_C, _D, _E = 5.42857142857142815906e-01, -7.05306122448979611050e-01, 1.41428571428571436819e00
_F, _G = 1.60714285714285720630e00, 3.57142857142857150787e-01


@compiled
def cbrt(x: float) -> float:
    """`StrictMath.cbrt`."""
    size = abs(x)
    if x == 0.0 or not size < INFINITY:
        return x
    if size < MIN_NORMAL:
        t = size * 2.0**54
        t = with_high(t, high_word(t) // 3 + _B2)
    else:
        t = from_bits64((high_word(size) // 3 + _B1) << 32)
    r = t * t / size
    s = _C + r * t
    t *= _G + _F / (s + _E + _D / s)
    t = from_bits64((high_word(t) + 1) << 32)
    s = t * t
    r = size / s
    r = (r - t) / (t + t + r)
    t += t * r
    return -t if x < 0.0 else t


@compiled
def hypot(x: float, y: float) -> float:
    """`StrictMath.hypot`."""
    a, b = abs(x), abs(y)
    if a == INFINITY or b == INFINITY:
        return INFINITY
    if a != a or b != b:
        return NAN
    if high_word(b) > high_word(a):
        a, b = b, a
    a_word, b_word = high_word(a), high_word(b)
    if a_word - b_word > 0x3C00000 or b == 0.0:
        return a + b
    k = 0
    if a_word > 0x5F300000:
        k = 600
    elif b_word < 0x20B00000 and b_word > FRACTION:
        k = -600
    a_word, b_word = a_word - (k << 20), b_word - (k << 20)
    a, b = with_high(a, a_word), with_high(b, b_word)
    if b_word <= FRACTION:
        a *= 2.0**1022
        b *= 2.0**1022
        k = -1022
    w = _hypot_of(a, b, a_word, b_word)
    return times_two_to(1.0, k) * w if k != 0 else w


@compiled
def _hypot_of(a: float, b: float, a_word: int, b_word: int) -> float:
    """The hypotenuse for numbers of a size whose squares are neither infinite nor zero."""
    w = a - b
    if w > b:
        t1 = from_bits64(a_word << 32)
        t2 = a - t1
        return math.sqrt(t1 * t1 - (b * (-b) - t2 * (a + t1)))
    a = a + a
    y1 = from_bits64(b_word << 32)
    y2 = b - y1
    t1 = from_bits64((a_word + 0x00100000) << 32)
    t2 = a - t1
    return math.sqrt(t1 * y1 - (w * (-w) - (t1 * y2 + t2 * b)))
