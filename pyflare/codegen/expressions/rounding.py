"""`round` and its relatives, `ceil` and `floor`: of integers, of decimals, and of what Java prints for a double."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pyflare.codegen.expressions.arithmetic import integral
from pyflare.codegen.expressions.decimals import dropped, times_power, to_precision, within
from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Kernel, emits, null_value
from pyflare.codegen.values import LONG_MIN, Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_math as m
from pyflare.types import MAX_PRECISION, Kind

_ROUNDINGS: Final[dict[type[e.Expr], str]] = {
    m.Round: "half_up",
    m.BRound: "half_even",
    m.RoundCeil: "ceiling",
    m.RoundFloor: "floor",
    m.Ceil: "ceiling",
    m.Floor: "floor",
}
_LONG_DIGITS: Final = 18


@emits(m.Round, m.BRound, m.RoundCeil, m.RoundFloor)
def round_to(kernel: Kernel, expr: m.RoundBase) -> Value:
    """A number rounded to a constant number of digits."""
    if not isinstance(expr.scale, e.Literal):
        raise Unsupported("the number of digits is not a constant", expr.name)
    digits = expr.scale.value
    if digits is None:
        return null_value(expr.type)
    value = kernel.emit(expr.child)
    if value.ok == "False":
        return null_value(expr.type)
    if expr.type.is_decimal:
        return _round_decimal(kernel, expr, value, digits)
    if expr.type.is_floating:
        return _round_floating(kernel, expr, value, digits)
    return value if digits >= 0 else _round_integral(kernel, expr, value, -digits)


def _round_decimal(kernel: Kernel, expr: m.RoundBase, value: Value, digits: int) -> Value:
    scale, rounding = expr.child.type.scale, _ROUNDINGS[type(expr)]
    if digits >= 0:
        return to_precision(kernel, value, scale, expr.type, null_on_overflow=True, rounding=rounding)
    if scale - digits > MAX_PRECISION:
        raise Unsupported(f"rounding of {expr.child.type} to {digits} digits is not supported", expr.name)
    whole = dropped(kernel, value, scale - digits, rounding)
    top = 10 ** max(expr.type.precision + digits, 0) - 1
    whole = within(kernel, whole, -top, top, null_on_overflow=False)
    return replace(times_power(kernel, whole, -digits), type=expr.type)


def _round_integral(kernel: Kernel, expr: m.RoundBase, value: Value, zeros: int) -> Value:
    """An integer with its last digits made zeros; what is too large then is an error or wraps."""
    if zeros > _LONG_DIGITS:
        if expr.type.name == "long" and zeros == _LONG_DIGITS + 1:
            raise Unsupported("rounding of a bigint to its first digit is not supported", expr.name)
        return Value(expr.type, Kind.INT, "int64(0)", value.ok, 0, 0)
    whole = dropped(kernel, value, zeros, _ROUNDINGS[type(expr)])
    unit = 10**zeros
    factor = Value(expr.type, Kind.INT, f"int64({unit})", None, unit, unit)
    ansi = isinstance(expr, m.Round | m.BRound) and expr.ansiEnabled
    return integral(kernel, "*", whole, factor, expr.type, value.ok, "ANSI" if ansi else "LEGACY")


def _round_floating(kernel: Kernel, expr: m.RoundBase, value: Value, digits: int) -> Value:
    """`BigDecimal.valueOf(x).setScale(digits)`: the decimal that Java prints for a double is rounded."""
    rounding = _ROUNDINGS[type(expr)]
    if not -_LONG_DIGITS <= digits <= MAX_PRECISION or not rounding.startswith("half"):
        raise Unsupported(f"rounding of {expr.type} to {digits} digits is not supported", expr.name)
    single = value.kind is Kind.F32
    double = kernel.let("double", f"float64({value.code})") if single else value.code
    even = rounding == "half_even"
    if digits >= 0:
        function = kernel.use("roundings.round_f32" if single else "roundings.round_f64")
        result = kernel.let("round", f"{function}({double}, int64({digits}), {even})")
    else:
        result = kernel.let("round", f"{kernel.use('roundings.round_integer')}({double}, int64({10**-digits}), {even})")
    unknown = f"{kernel.use('roundings.is_unknown')}({result})"
    kernel.fail_when(unknown, value.ok, UNSUPPORTED_ERROR)
    code = f"float32({result})" if single else result
    return replace(value, type=expr.type, code=code)


@emits(m.Ceil, m.Floor)
def ceil_or_floor(kernel: Kernel, expr: e.Unary) -> Value:
    """To the next integer above or below; a double that is too large becomes the largest long."""
    value, rounding = kernel.emit(expr.child), _ROUNDINGS[type(expr)]
    if value.ok == "False":
        return null_value(expr.type)
    if expr.child.type.is_decimal:
        return to_precision(kernel, value, expr.child.type.scale, expr.type, null_on_overflow=False, rounding=rounding)
    if expr.child.type.is_integral:
        return replace(value, type=expr.type)
    code = kernel.let("whole", f"{kernel.use(f'floats.{rounding}_long')}({value.code})")
    return Value(expr.type, Kind.INT, code, value.ok, LONG_MIN)
