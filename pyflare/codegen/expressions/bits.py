"""Operations on the bits of integers, as Java's."""

from __future__ import annotations

from typing import Final

from pyflare.codegen.expressions.arithmetic import into_range
from pyflare.codegen.kernel import Kernel, emits, null_value
from pyflare.codegen.values import LONG_MAX, LONG_MIN, Value
from pyflare.plan import expressions as e
from pyflare.plan import expressions_math as m
from pyflare.types import INTEGRAL_BOUNDS, LONG, Kind

_WIDTHS: Final = {"byte": 8, "short": 16, "integer": 32, "long": 64}
_OPERATORS: Final[dict[type[e.Expr], str]] = {m.BitwiseAnd: "&", m.BitwiseOr: "|", m.BitwiseXor: "^"}


@emits(m.BitwiseAnd, m.BitwiseOr, m.BitwiseXor)
def combine(kernel: Kernel, expr: e.Binary) -> Value:
    """`&`, `|` and `^`; a mask that is not negative bounds the result of `&`."""
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    operator = _OPERATORS[type(expr)]
    low, high = INTEGRAL_BOUNDS[expr.type.name]
    masks = [value.bounds[1] for value in (a, b) if value.bounds[0] >= 0]
    if operator == "&" and masks:
        low, high = 0, min(masks)
    code = kernel.let("bits", f"{a.code} {operator} {b.code}")
    return Value(expr.type, Kind.INT, code, kernel.all_ok(a, b), low, high)


@emits(m.BitwiseNot)
def invert(kernel: Kernel, expr: m.BitwiseNot) -> Value:
    value = kernel.emit(expr.child)
    low, high = value.bounds
    return Value(expr.type, Kind.INT, kernel.let("bits", f"~{value.code}"), value.ok, -high - 1, -low - 1)


@emits(m.BitwiseCount)
def count(kernel: Kernel, expr: m.BitwiseCount) -> Value:
    """How many bits are set in a value that is widened to 64 bits."""
    value = kernel.emit(expr.child)
    code = kernel.let("count", f"{kernel.use('integers.bit_count')}(int64({value.code}))")
    return Value(expr.type, Kind.INT, code, value.ok, 0, 64)


@emits(m.BitwiseGet)
def get(kernel: Kernel, expr: m.BitwiseGet) -> Value:
    """One bit; a position that the type does not have is an error."""
    value, position = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = kernel.all_ok(value, position)
    if ok == "False":
        return null_value(expr.type)
    width = _WIDTHS[expr.left.type.name]
    if position.bounds[0] < 0 or position.bounds[1] >= width:
        kernel.fail_when(f"not (0 <= {position.code} < {width})", ok)
    shifted = f"{kernel.use('integers.shift_right')}({value.code}, {position.code} & int64(63))"
    return Value(expr.type, Kind.INT, kernel.let("bit", f"{shifted} & int64(1)"), ok, 0, 1)


@emits(m.ShiftLeft, m.ShiftRight)
def shift(kernel: Kernel, expr: e.Binary) -> Value:
    """`<<` and `>>`, by the lowest five or six bits of the right operand."""
    value, by = kernel.emit(expr.left), kernel.emit(expr.right)
    is_left = isinstance(expr, m.ShiftLeft)
    function = kernel.use("integers.shift_left" if is_left else "integers.shift_right")
    code = kernel.let("shifted", f"{function}({value.code}, {by.code} & int64({_WIDTHS[expr.type.name] - 1}))")
    low, high = (LONG_MIN, LONG_MAX) if is_left else (min(value.bounds[0], 0), max(value.bounds[1], 0))
    return into_range(kernel, Value(LONG, Kind.INT, code, kernel.all_ok(value, by), low, high), expr.type, "LEGACY")


@emits(m.ShiftRightUnsigned)
def shift_unsigned(kernel: Kernel, expr: m.ShiftRightUnsigned) -> Value:
    """`>>>`, which fills with zeros."""
    value, by = kernel.emit(expr.left), kernel.emit(expr.right)
    width = _WIDTHS[expr.type.name]
    bits = value.code if width == 64 else f"{value.code} & int64({2**32 - 1})"
    function = kernel.use("integers.shift_right_unsigned")
    code = kernel.let("shifted", f"{function}({bits}, {by.code} & int64({width - 1}))")
    return into_range(kernel, Value(LONG, Kind.INT, code, kernel.all_ok(value, by)), expr.type, "LEGACY")
