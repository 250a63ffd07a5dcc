"""64-bit integer operations with the machine's (Java's) semantics, where Python's differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import int32, int64
from numba.core import types
from numba.extending import intrinsic

from pyflare.runtime.compiled import compiled


def _binary(operation: str) -> Callable[..., Any]:
    def define(_typing: Any, a: Any, b: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return getattr(builder, operation)(args[0], args[1])

        return types.int64(types.int64, types.int64), generate

    return define


def _count(_typing: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.int64), generate


# Division truncates towards zero; the caller excludes a zero divisor and MIN_VALUE / -1.
quotient: Callable[[int, int], int] = intrinsic(_binary("sdiv"))
remainder: Callable[[int, int], int] = intrinsic(_binary("srem"))
# Two's complement wraparound, whatever the operands' signs.
wrap_add: Callable[[int, int], int] = intrinsic(_binary("add"))
wrap_sub: Callable[[int, int], int] = intrinsic(_binary("sub"))
wrap_mul: Callable[[int, int], int] = intrinsic(_binary("mul"))
# Shifts by 0 to 63 bits.
shift_left: Callable[[int, int], int] = intrinsic(_binary("shl"))
shift_right: Callable[[int, int], int] = intrinsic(_binary("ashr"))
shift_right_unsigned: Callable[[int, int], int] = intrinsic(_binary("lshr"))
bit_count: Callable[[int], int] = intrinsic(_count)


@compiled
def java_divide(a: int, b: int) -> int:
    """Java's `a / b`; anything for a zero divisor, whose result is never used."""
    if b == 0:
        return 0
    if b == -1:
        return wrap_sub(0, a)
    return quotient(a, b)


@compiled
def java_remainder(a: int, b: int) -> int:
    """Java's `a % b`; anything for a zero divisor."""
    if b == 0 or b == -1:
        return 0
    return remainder(a, b)


@compiled
def java_pmod(a: int, b: int) -> int:
    """Spark's `pmod`: the remainder, moved by `b` once if it is negative; anything for a zero divisor."""
    rest = java_remainder(a, b)
    if rest < 0 and b != 0:
        return java_remainder(wrap_add(rest, b), b)
    return rest


@compiled
def java_pmod_int(a: int, b: int) -> int:
    """`pmod` of two Java `int`s: the divisor is added in 32 bits."""
    rest = java_remainder(a, b)
    if rest < 0 and b != 0:
        return java_remainder(int64(int32(rest + b)), b)
    return rest
