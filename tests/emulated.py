"""The runtime helpers of translated functions, by Python itself: so their callers can be tested without a compiler."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np


def _int64(value: int) -> int:
    number = int(value)
    assert -(2**63) <= number < 2**63, f"{number} was said to fit in 64 bits"
    return number


def _wrapped(value: int) -> int:
    return ctypes.c_int64(value).value


def _fits(value: int) -> bool:
    return -(2**63) <= value < 2**63


def _power(base: int, exponent: int) -> tuple[int, bool]:
    small = abs(base) < 2 or exponent < 64
    result = base**exponent if small else 2**64
    return (result, True) if _fits(result) else (0, False)


def _float_power(base: float, exponent: float) -> tuple[float, bool]:
    try:
        result = base**exponent
    except ArithmeticError:
        return 0.0, False
    return (0.0, False) if isinstance(result, complex) else (result, True)


def _libm(name: str) -> Callable[..., float]:
    def function(*arguments: float) -> float:
        try:
            return float(getattr(math, name)(*arguments))
        except (ValueError, OverflowError):
            return _RAISED

    return function


_RAISED: Final = -1.2345e-301

TYPES: Final[dict[str, Any]] = {
    "int64": _int64,
    "int8": lambda value: ctypes.c_int8(value).value,
    "int16": lambda value: ctypes.c_int16(value).value,
    "int32": lambda value: ctypes.c_int32(value).value,
    "float64": float,
}

_HELPERS: Final[dict[str, Callable[..., Any]]] = {
    "integers.wrap_add": lambda a, b: _wrapped(a + b),
    "integers.wrap_sub": lambda a, b: _wrapped(a - b),
    "integers.wrap_mul": lambda a, b: _wrapped(a * b),
    "integers.shift_left": lambda a, b: _wrapped(a << b),
    "integers.shift_right": lambda a, b: a >> b,
    "python.floor_divide": lambda a, b: _int64(a // b),
    "python.modulo": lambda a, b: a % b,
    "python.float_floor_divide": lambda a, b: a // b,
    "python.float_modulo": lambda a, b: a % b,
    "python.multiply_overflows": lambda a, b: not _fits(a * b),
    "python.power": _power,
    "python.float_power": _float_power,
    "python.raises": lambda a, b, result: result == _RAISED,
    "python.range_length": lambda start, stop, step: len(range(start, stop, step)),
    "python.floor": lambda value: float(np.floor(value)),
    "python.ceil": lambda value: float(np.ceil(value)),
    "python.copysign": math.copysign,
    "functions.rint": lambda value: float(np.rint(value)),
}


def helper(name: str) -> Callable[..., Any]:
    """The helper `module.name` of `pyflare.runtime`."""
    found = _HELPERS.get(name)
    return _libm(name.removeprefix("libm.libm_")) if found is None else found
