"""Floating-point numbers in Spark's total order (NaN equals NaN and is largest; -0.0 equals 0.0), as Java does them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import float32, int64
from numba.core import types
from numba.extending import intrinsic

from pyflare.runtime.compiled import compiled

_LONG_END: Final = 2.0**63
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


def _to_bits(element: Any, width: int) -> Callable[..., Any]:
    def define(_typing: Any, value: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            word = builder.bitcast(args[0], ir.IntType(width))
            return word if width == 64 else builder.sext(word, ir.IntType(64))

        return types.int64(element), generate

    return define


def _from_bits(_typing: Any, word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


def _remainder(element: Any) -> Callable[..., Any]:
    def define(_typing: Any, a: Any, b: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return builder.frem(args[0], args[1])

        return element(element, element), generate

    return define


bits64: Callable[[float], int] = intrinsic(_to_bits(types.float64, 64))
bits32: Callable[[float], int] = intrinsic(_to_bits(types.float32, 32))
from_bits64: Callable[[int], float] = intrinsic(_from_bits)
_remainder64: Callable[[float, float], float] = intrinsic(_remainder(types.float64))
_remainder32: Callable[[float, float], float] = intrinsic(_remainder(types.float32))


@compiled
def normalize64(value: float) -> float:
    """One NaN, one zero."""
    if value != value:
        return float("nan")
    return value + 0.0


@compiled
def normalize32(value: float) -> float:
    """One NaN, one zero, in single precision."""
    same: float = float32(float("nan")) if value != value else float32(value + float32(0.0))
    return same


@compiled
def float_equal(a: float, b: float) -> bool:
    """Equality in Spark's order."""
    return a == b or (a != a and b != b)


@compiled
def float_less(a: float, b: float) -> bool:
    """Less-than in Spark's order."""
    return a < b or (a == a and b != b)


@compiled
def java_remainder(a: float, b: float) -> float:
    """Java's `a % b`, which has the sign of `a`."""
    return _remainder64(a, b)


@compiled
def java_remainder32(a: float, b: float) -> float:
    """Java's `a % b` in single precision."""
    return _remainder32(a, b)


@compiled
def positive_remainder(a: float, b: float) -> float:
    """Spark's `pmod`: the remainder, moved by `b` once if it is negative."""
    rest = _remainder64(a, b)
    return _remainder64(rest + b, b) if rest < 0 else rest


@compiled
def positive_remainder32(a: float, b: float) -> float:
    """Spark's `pmod` in single precision."""
    rest = _remainder32(a, b)
    return _remainder32(float32(rest + b), b) if rest < 0 else rest


@compiled
def to_long(value: float) -> int:
    """Java's `(long) value`: truncated, NaN is zero, and what is too large becomes the nearest long."""
    if value != value:
        return 0
    if value >= _LONG_END:
        return _LONG_MAX
    if value < -_LONG_END:
        return _LONG_MIN
    whole: int = int64(value)
    return whole


@compiled
def to_int(value: float) -> int:
    """Java's `(int) value`."""
    return max(min(to_long(value), _INT_MAX), _INT_MIN)


@compiled
def ceiling_long(value: float) -> int:
    """Java's `(long) Math.ceil(value)`."""
    return to_long(np.ceil(value))


@compiled
def floor_long(value: float) -> int:
    """Java's `(long) Math.floor(value)`."""
    return to_long(np.floor(value))
