"""`StrictMath.asin`, `acos`, `atan` and `atan2`, to the last bit: algorithms and constants of fdlibm 5.3.

Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
Developed at SunSoft, a Sun Microsystems, Inc. business.
Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
preserved.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from pyflare.runtime.compiled import compiled
from pyflare.runtime.fdlibm import ABSOLUTE, INFINITY, NAN, high_word, without_low
from pyflare.runtime.floats import bits64

_PI, _PI_LO = 3.1415926535897931160e00, 1.2246467991473531772e-16
_HALF_PI, _HALF_PI_LO = 1.57079632679489655800e00, 6.12323399573676603587e-17
_QUARTER_PI: Final = 7.85398163397448278999e-01
_PS0, _PS1, _PS2 = 1.66666666666666657415e-01, -3.25565818622400915405e-01, 2.01212532134862925881e-01
_PS3, _PS4, _PS5 = -4.00555345006794114027e-02, 7.91534994289814532176e-04, 3.47933107596021167570e-05
_QS1, _QS2 = -2.40339491173441421878e00, 2.02094576023350569471e00
_QS3, _QS4 = -6.88283971605453293030e-01, 7.70381505559019352791e-02
_ATAN_HI: Final = np.array(
    [4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01, 1.57079632679489655800e00]
)
_ATAN_LO: Final = np.array(
    [2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17, 6.12323399573676603587e-17]
)
_A0, _A1, _A2 = 3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01
_A3, _A4, _A5 = -1.11111104054623557880e-01, 9.09088713343650656196e-02, -7.69187620504482999495e-02
_A6, _A7, _A8 = 6.66107313738753120669e-02, -5.83357013379057348645e-02, 4.97687799461593236017e-02
_A9, _A10 = -3.65315727442169155270e-02, 1.62858201153657823623e-02


@compiled
def _arc_ratio(t: float) -> float:
    """The rational approximation that `asin` and `acos` share."""
    p = t * (_PS0 + t * (_PS1 + t * (_PS2 + t * (_PS3 + t * (_PS4 + t * _PS5)))))
    q = 1.0 + t * (_QS1 + t * (_QS2 + t * (_QS3 + t * _QS4)))
    return p / q


@compiled
def asin(x: float) -> float:
    """`StrictMath.asin`."""
    size = abs(x)
    if not size <= 1.0:
        return NAN
    if size == 1.0:
        return x * _HALF_PI + x * _HALF_PI_LO
    word = high_word(size)
    if word < 0x3FE00000:
        return x if word < 0x3E400000 else x + x * _arc_ratio(x * x)
    t = (1.0 - size) * 0.5
    ratio, s = _arc_ratio(t), math.sqrt(t)
    if word >= 0x3FEF3333:
        t = _HALF_PI - (2.0 * (s + s * ratio) - _HALF_PI_LO)
    else:
        w = without_low(s)
        c = (t - w * w) / (s + w)
        p = 2.0 * s * ratio - (_HALF_PI_LO - 2.0 * c)
        q = _QUARTER_PI - 2.0 * w
        t = _QUARTER_PI - (p - q)
    return t if x > 0.0 else -t


@compiled
def acos(x: float) -> float:
    """`StrictMath.acos`."""
    size = abs(x)
    if not size <= 1.0:
        return NAN
    if size == 1.0:
        return 0.0 if x > 0.0 else _PI + 2.0 * _HALF_PI_LO
    word = high_word(size)
    if word < 0x3FE00000:
        if word <= 0x3C600000:
            return _HALF_PI + _HALF_PI_LO
        return _HALF_PI - (x - (_HALF_PI_LO - x * _arc_ratio(x * x)))
    z = (1.0 - size) * 0.5
    ratio, s = _arc_ratio(z), math.sqrt(z)
    if x < 0.0:
        return _PI - 2.0 * (s + (ratio * s - _HALF_PI_LO))
    df = without_low(s)
    c = (z - df * df) / (s + df)
    return 2.0 * (df + (ratio * s + c))


@compiled
def atan(value: float) -> float:
    """`StrictMath.atan`."""
    word, x = high_word(value) & ABSOLUTE, abs(value)
    if value != value or word < 0x3E200000:
        return value
    if word >= 0x44100000:
        return _HALF_PI + _HALF_PI_LO if value > 0.0 else -_HALF_PI - _HALF_PI_LO
    step = -1
    if word < 0x3FDC0000:
        x = value
    elif word < 0x3FE60000:
        step, x = 0, (2.0 * x - 1.0) / (2.0 + x)
    elif word < 0x3FF30000:
        step, x = 1, (x - 1.0) / (x + 1.0)
    elif word < 0x40038000:
        step, x = 2, (x - 1.5) / (1.0 + 1.5 * x)
    else:
        step, x = 3, -1.0 / x
    z = x * x
    w = z * z
    even = z * (_A0 + w * (_A2 + w * (_A4 + w * (_A6 + w * (_A8 + w * _A10)))))
    odd = w * (_A1 + w * (_A3 + w * (_A5 + w * (_A7 + w * _A9))))
    if step < 0:
        return x - x * (even + odd)
    z = _ATAN_HI[step] - ((x * (even + odd) - _ATAN_LO[step]) - x)
    return -z if value < 0.0 else z


@compiled
def atan2(y: float, x: float) -> float:
    """`StrictMath.atan2`."""
    if x != x or y != y:
        return NAN
    if x == 1.0:
        return atan(y)
    below, left = bits64(y) < 0, bits64(x) < 0
    if y == 0.0:
        return (-_PI if below else _PI) if left else y
    if abs(x) == INFINITY and abs(y) == INFINITY:
        z = 3.0 * _QUARTER_PI if left else _QUARTER_PI
        return -z if below else z
    if x == 0.0 or abs(y) == INFINITY:
        return -_HALF_PI if below else _HALF_PI
    z = _slope_angle(abs(y), abs(x), left)
    if not left:
        return -z if below else z
    return (z - _PI_LO) - _PI if below else _PI - (z - _PI_LO)


@compiled
def _slope_angle(y: float, x: float, left: bool) -> float:
    """The angle of a point whose coordinates are not negative, as `atan2` needs it."""
    if x == INFINITY:
        return 0.0
    steps = (high_word(y) - high_word(x)) >> 20
    if steps > 60:
        return _HALF_PI + 0.5 * _PI_LO
    return 0.0 if left and steps < -60 else atan(y / x)
