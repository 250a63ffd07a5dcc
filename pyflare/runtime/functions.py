"""Mathematical functions as Spark composes them of Java's."""

from __future__ import annotations

import math
import sys
from typing import Final

import numpy as np
from numba import int64, uint64

from pyflare.runtime.compiled import compiled
from pyflare.runtime.fdlibm import log, log1p
from pyflare.runtime.fdlibm_angles import atan2 as strict_atan2
from pyflare.runtime.floats import to_long
from pyflare.runtime.integers import wrap_add

_DEGREES, _RADIANS = 57.29577951308232, 0.017453292519943295
_LOG_OF_2: Final = 0.6931471805599453
_FACTORIALS: Final = np.array([math.factorial(n) for n in range(21)], np.int64)
_LONG_MAX: Final = 2**63 - 1
_LARGE: Final = math.sqrt(sys.float_info.max)  # from here on a square may be infinite


@compiled
def sqrt(value: float) -> float:
    """The square root; NaN of a negative number."""
    return math.sqrt(value)


@compiled
def rint(value: float) -> float:
    """The nearest integer, of two the even one."""
    nearest: float = np.rint(value)
    return nearest


@compiled
def signum(value: float) -> float:
    """-1, 1, or the zero or NaN itself."""
    if value > 0.0:
        return 1.0
    return -1.0 if value < 0.0 else value


@compiled
def to_degrees(value: float) -> float:
    """Radians as degrees."""
    return value * _DEGREES


@compiled
def to_radians(value: float) -> float:
    """Degrees as radians."""
    return value * _RADIANS


@compiled
def log2(value: float) -> float:
    """The logarithm to base 2, by natural ones."""
    return log(value) / _LOG_OF_2


@compiled
def asinh(value: float) -> float:
    """The inverse hyperbolic sine."""
    if abs(value) >= _LARGE:
        return signum(value) * (log(abs(value)) + _LOG_OF_2)
    return log(value + math.sqrt(value * value + 1.0))


@compiled
def acosh(value: float) -> float:
    """The inverse hyperbolic cosine."""
    if value >= _LARGE:
        return log(value) + _LOG_OF_2
    return math.nan if value < 1.0 else log(value + math.sqrt(value * value - 1.0))


@compiled
def atanh(value: float) -> float:
    """The inverse hyperbolic tangent."""
    return 0.5 * (log1p(value) - log1p(-value))


@compiled
def atan2(y: float, x: float) -> float:
    """The angle of a point; Spark makes negative zeros positive before."""
    return strict_atan2(y + 0.0, x + 0.0)


@compiled
def factorial(value: int) -> int:
    """The factorial of 0 to 20; anything for other numbers."""
    product: int = _FACTORIALS[uint64(value) if 0 <= value <= 20 else uint64(0)]
    return product


@compiled
def width_bucket(value: float, first: float, last: float, buckets: int) -> int:
    """The bucket from 1 to `buckets`, 0 before the first, `buckets` + 1 behind the last; -1 where there is none."""
    width = last - first
    if buckets <= 0 or buckets == _LONG_MAX or value != value or first == last:
        return -1
    if first - first != 0.0 or last - last != 0.0:
        return -1
    if (value < first) if width > 0.0 else (value > first):
        return 0
    if (value >= last) if width > 0.0 else (value <= last):
        return buckets + 1
    distance = value - first if first < last else first - value
    whole = to_long(float(buckets) * distance / (last - first if first < last else first - last))
    return wrap_add(whole, int64(1))
