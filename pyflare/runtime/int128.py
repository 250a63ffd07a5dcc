"""128-bit integers in kernels: a decimal of more than 18 digits is a `(low, high)` pair of int64 words.

Each function is an LLVM `i128` operation behind a Numba intrinsic. Division and conversion to floating point are calls
into libgcc, which is loaded once so that the JIT finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import llvmlite.binding as llvm
from llvmlite import ir
from numba import uint64
from numba.core import types
from numba.extending import intrinsic

from pyflare.runtime.compiled import compiled

llvm.load_library_permanently("libgcc_s.so.1")

Wide: TypeAlias = tuple[int, int]

WIDE = types.UniTuple(types.int64, 2)
_I64 = ir.IntType(64)
_I128 = ir.IntType(128)


def _join(builder: Any, pair: Any) -> Any:
    low = builder.zext(builder.extract_value(pair, 0), _I128)
    high = builder.zext(builder.extract_value(pair, 1), _I128)
    return builder.or_(low, builder.shl(high, ir.Constant(_I128, 64)))


def _split(context: Any, builder: Any, value: Any) -> Any:
    pair = ir.Constant(context.get_value_type(WIDE), ir.Undefined)
    pair = builder.insert_value(pair, builder.trunc(value, _I64), 0)
    high = builder.trunc(builder.lshr(value, ir.Constant(_I128, 64)), _I64)
    return builder.insert_value(pair, high, 1)


def _binary(operation: str) -> Callable[..., Any]:
    def define(_typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            left, right = _join(builder, args[0]), _join(builder, args[1])
            return _split(context, builder, getattr(builder, operation)(left, right))

        return WIDE(WIDE, WIDE), generate

    return define


def _comparison(operator: str) -> Callable[..., Any]:
    def define(_typing: Any, a: Any, b: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return builder.icmp_signed(operator, _join(builder, args[0]), _join(builder, args[1]))

        return types.boolean(WIDE, WIDE), generate

    return define


def _widened(_typing: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _split(context, builder, builder.sext(args[0], _I128))

    return WIDE(types.int64), generate


def _product(_typing: Any, a: Any, b: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        left, right = builder.sext(args[0], _I128), builder.sext(args[1], _I128)
        return _split(context, builder, builder.mul(left, right))

    return WIDE(types.int64, types.int64), generate


def _to_floating(element: Any, result: Any) -> Callable[..., Any]:
    def define(_typing: Any, value: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return builder.sitofp(_join(builder, args[0]), result)

        return element(WIDE), generate

    return define


def _from_floating(_typing: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _split(context, builder, builder.fptosi(args[0], _I128))

    return WIDE(types.float64), generate


wide_add: Callable[[Wide, Wide], Wide] = intrinsic(_binary("add"))
wide_sub: Callable[[Wide, Wide], Wide] = intrinsic(_binary("sub"))
wide_mul: Callable[[Wide, Wide], Wide] = intrinsic(_binary("mul"))
# Division truncates towards zero; the caller excludes a zero divisor.
wide_quotient: Callable[[Wide, Wide], Wide] = intrinsic(_binary("sdiv"))
wide_remainder: Callable[[Wide, Wide], Wide] = intrinsic(_binary("srem"))
wide_eq: Callable[[Wide, Wide], bool] = intrinsic(_comparison("=="))
wide_lt: Callable[[Wide, Wide], bool] = intrinsic(_comparison("<"))
wide_le: Callable[[Wide, Wide], bool] = intrinsic(_comparison("<="))
# An int64 as a 128-bit integer, and the exact product of two int64.
wide: Callable[[int], Wide] = intrinsic(_widened)
wide_product: Callable[[int, int], Wide] = intrinsic(_product)
# The nearest double or float, and a double truncated towards zero that is known to fit.
wide_to_f64: Callable[[Wide], float] = intrinsic(_to_floating(types.float64, ir.DoubleType()))
wide_to_f32: Callable[[Wide], float] = intrinsic(_to_floating(types.float32, ir.FloatType()))
wide_from_f64: Callable[[float], Wide] = intrinsic(_from_floating)


@compiled
def wide_put(words: Any, index: int, value: Wide) -> None:
    """Store a pair at position `index` of a two-word array."""
    words[uint64(2) * index] = value[0]
    words[uint64(2) * index + uint64(1)] = value[1]
