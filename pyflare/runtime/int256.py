"""256-bit integers in kernels, for exact products and quotients of decimals: four int64 words, the lowest first.

Each function is an LLVM `i256` operation behind a Numba intrinsic; `power` and the divisions are compiled helpers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from llvmlite import ir
from numba import int64, uint64
from numba.core import types
from numba.extending import intrinsic

from pyflare.runtime.compiled import compiled
from pyflare.runtime.int128 import WIDE, Wide, wide, wide_lt, wide_quotient, wide_sub

Huge: TypeAlias = tuple[int, int, int, int]

HUGE = types.UniTuple(types.int64, 4)
_I64 = ir.IntType(64)
_I256 = ir.IntType(256)

MAX_DIGITS: Final = 38
_POWERS = np.array([[10**k & (2**64 - 1), 10**k >> 64] for k in range(39)], np.uint64).astype(np.int64).ravel()


def _join(builder: Any, words: Any, count: int) -> Any:
    """The words of a tuple as one i256, extended by its sign."""
    value = ir.Constant(_I256, 0)
    for k in range(count):
        extend = builder.sext if k == count - 1 else builder.zext
        word = extend(builder.extract_value(words, k), _I256)
        value = builder.or_(value, builder.shl(word, ir.Constant(_I256, 64 * k)))
    return value


def _split(context: Any, builder: Any, value: Any) -> Any:
    words = ir.Constant(context.get_value_type(HUGE), ir.Undefined)
    for k in range(4):
        part = builder.trunc(builder.lshr(value, ir.Constant(_I256, 64 * k)), _I64)
        words = builder.insert_value(words, part, k)
    return words


def _binary(operation: str, left: int = 4, right: int = 4) -> Callable[..., Any]:
    """An operation on integers of `left` and `right` words."""

    def define(_typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            numbers = _join(builder, args[0], left), _join(builder, args[1], right)
            return _split(context, builder, getattr(builder, operation)(*numbers))

        return HUGE(types.UniTuple(types.int64, left), types.UniTuple(types.int64, right)), generate

    return define


def _shift(operation: str) -> Callable[..., Any]:
    def define(_typing: Any, a: Any, count: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            shifted = getattr(builder, operation)(_join(builder, args[0], 4), builder.zext(args[1], _I256))
            return _split(context, builder, shifted)

        return HUGE(HUGE, types.int64), generate

    return define


def _widened(_typing: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _split(context, builder, _join(builder, args[0], 2))

    return HUGE(WIDE), generate


def _less(_typing: Any, a: Any, b: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.icmp_signed("<", _join(builder, args[0], 4), _join(builder, args[1], 4))

    return types.boolean(HUGE, HUGE), generate


def _bits(_typing: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        zeros = builder.ctlz(_join(builder, args[0], 4), ir.Constant(ir.IntType(1), 0))
        return builder.sub(ir.Constant(_I64, 256), builder.trunc(zeros, _I64))

    return types.int64(HUGE), generate


huge: Callable[[Wide], Huge] = intrinsic(_widened)
huge_add: Callable[[Huge, Huge], Huge] = intrinsic(_binary("add"))
huge_sub: Callable[[Huge, Huge], Huge] = intrinsic(_binary("sub"))
huge_lt: Callable[[Huge, Huge], bool] = intrinsic(_less)
# The exact product of two 128-bit integers, and a product that is known to fit.
huge_product: Callable[[Wide, Wide], Huge] = intrinsic(_binary("mul", 2, 2))
huge_mul: Callable[[Huge, Wide], Huge] = intrinsic(_binary("mul", 4, 2))
# Shifts by 0 to 255 bits; the right shift fills with zeros.
huge_shl: Callable[[Huge, int], Huge] = intrinsic(_shift("shl"))
huge_shr: Callable[[Huge, int], Huge] = intrinsic(_shift("lshr"))
# How many bits a value has, leading zeros left aside.
huge_bits: Callable[[Huge], int] = intrinsic(_bits)
_divide: Callable[[Huge, Huge], Huge] = intrinsic(_binary("udiv"))


@compiled
def power(exponent: int) -> Wide:
    """Ten to the power of 0 to 38."""
    at = uint64(2) * uint64(exponent)
    return _POWERS[at], _POWERS[at + uint64(1)]


@compiled
def magnitude(value: Wide) -> Wide:
    """The absolute value of a 128-bit integer."""
    return wide_sub(wide(int64(0)), value) if value[1] < 0 else value


@compiled
def signed(value: Wide, negative: bool) -> Wide:
    """The 128-bit integer of this magnitude and sign."""
    return wide_sub(wide(int64(0)), value) if negative else value


@compiled
def low_words(value: Huge) -> Wide:
    """The 128-bit integer that a value fits in."""
    return value[0], value[1]


@compiled
def fits_wide(value: Huge) -> bool:
    """Whether a value that is not negative fits in 128 bits."""
    return value[3] == 0 and value[2] == 0 and value[1] >= 0


@compiled
def fits_digits(value: Huge) -> bool:
    """Whether a value that is not negative has at most 38 decimal digits."""
    return fits_wide(value) and wide_lt(low_words(value), power(int64(MAX_DIGITS)))


@compiled
def huge_quotient(value: Huge, divisor: Wide) -> Huge:
    """`value / divisor` rounded down, neither negative, the divisor not zero."""
    if fits_wide(value):
        return huge(wide_quotient(low_words(value), divisor))
    return _divide(value, huge(divisor))


@compiled
def drop_half_up(value: Huge, digits: int) -> Huge:
    """`value / 10**digits` rounded half up, the value not negative, for 0 to 38 digits."""
    if digits == 0:
        return value
    divisor = power(digits)
    half = wide_quotient(divisor, wide(int64(2)))
    return huge_quotient(huge_add(value, huge(half)), divisor)
