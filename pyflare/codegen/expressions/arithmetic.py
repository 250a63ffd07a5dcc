"""Arithmetic on numbers, in Spark's three modes: LEGACY wraps, ANSI fails, TRY gives null."""

from __future__ import annotations

from dataclasses import replace

from pyflare.codegen.expressions.decimals import (
    combine_bounds,
    decimal_abs,
    decimal_arithmetic,
    decimal_divide,
    decimal_negate,
    decimal_remainder,
    nonzero,
)
from pyflare.codegen.kernel import Kernel, conjunction, emits, null_value
from pyflare.codegen.values import LONG_MAX, LONG_MIN, Value, fits_long
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.types import INTEGRAL_BOUNDS, DataType, Kind


@emits(e.Add)
def add(kernel: Kernel, expr: e.Add) -> Value:
    return _arithmetic(kernel, expr, "+")


@emits(e.Subtract)
def subtract(kernel: Kernel, expr: e.Subtract) -> Value:
    return _arithmetic(kernel, expr, "-")


@emits(e.Multiply)
def multiply(kernel: Kernel, expr: e.Multiply) -> Value:
    return _arithmetic(kernel, expr, "*")


def _arithmetic(kernel: Kernel, expr: e.Arithmetic, operator: str) -> Value:
    if expr.type.is_decimal:
        return decimal_arithmetic(kernel, expr, operator)
    if not (expr.type.is_floating or expr.type.is_integral):
        raise Unsupported(f"arithmetic on {expr.type} is not supported", expr.name)
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = kernel.all_ok(a, b)
    if ok == "False":
        return null_value(expr.type)
    if expr.type.is_floating:
        return Value(expr.type, expr.type.kind, kernel.let("num", f"{a.code} {operator} {b.code}"), ok)
    return integral(kernel, operator, a, b, expr.type, ok, expr.mode)


def integral(kernel: Kernel, operator: str, a: Value, b: Value, type_: DataType, ok: str | None, mode: str) -> Value:
    """`a operator b` in an integral type, checked only where the bounds do not rule an overflow out."""
    low, high = combine_bounds(operator, a.bounds, b.bounds)
    if fits_long(low, high):
        value = Value(type_, Kind.INT, kernel.let("num", f"{a.code} {operator} {b.code}"), ok, low, high)
        return into_range(kernel, value, type_, mode)
    return _checked_long(kernel, operator, a, b, type_, ok, mode)


def into_range(kernel: Kernel, value: Value, type_: DataType, mode: str) -> Value:
    """A 64-bit value brought into the range of `type_`: checked or wrapped, as the mode says."""
    low, high = INTEGRAL_BOUNDS[type_.name]
    if low <= value.bounds[0] and value.bounds[1] <= high:
        return replace(value, type=type_)
    if mode == "LEGACY":
        element = type_.storage.name
        code = kernel.let("wrapped", f"int64({element}({value.code}))")
        return Value(type_, Kind.INT, code, value.ok, low, high)
    fits = f"int64({low}) <= {value.code} <= int64({high})"
    bounds = max(low, value.bounds[0]), min(high, value.bounds[1])
    return checked(kernel, replace(value, type=type_, low=bounds[0], high=bounds[1]), fits, mode)


def checked(kernel: Kernel, value: Value, fits: str, mode: str) -> Value:
    """The value where `fits` holds; elsewhere an error in ANSI mode, and null in TRY mode."""
    if mode == "ANSI":
        kernel.fail_when(f"not ({fits})", value.ok)
        return value
    return value.with_ok(kernel.let("fits", conjunction(value.ok, fits)))


def _checked_long(
    kernel: Kernel, operator: str, a: Value, b: Value, type_: DataType, ok: str | None, mode: str
) -> Value:
    name = {"+": "wrap_add", "-": "wrap_sub", "*": "wrap_mul"}[operator]
    code = kernel.let("num", f"{kernel.use('integers.' + name)}({a.code}, {b.code})")
    value = Value(type_, Kind.INT, code, ok, LONG_MIN, LONG_MAX)
    if mode == "LEGACY":
        return value
    if operator == "*":
        fits = f"{kernel.use('int128.wide_product')}({a.code}, {b.code})[1] == {code} >> 63"
    elif operator == "+":
        fits = f"(({a.code} ^ {code}) & ({b.code} ^ {code})) >= 0"
    else:
        fits = f"(({a.code} ^ {b.code}) & ({a.code} ^ {code})) >= 0"
    return checked(kernel, value, fits, mode)


@emits(e.Divide)
def divide(kernel: Kernel, expr: e.Divide) -> Value:
    if expr.type.is_decimal:
        return decimal_divide(kernel, expr)
    if not expr.type.is_floating:
        raise Unsupported(f"division of {expr.type} is not supported", expr.name)
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = _floating_divisor(kernel, b, kernel.all_ok(a, b), expr.mode)
    return Value(expr.type, expr.type.kind, kernel.let("ratio", f"{a.code} / {b.code}"), ok)


def _floating_divisor(kernel: Kernel, divisor: Value, ok: str | None, mode: str) -> str | None:
    """Validity of a quotient: a zero divisor fails in ANSI mode and gives null otherwise."""
    if mode == "ANSI":
        kernel.fail_when(f"{divisor.code} == 0", ok)
        return ok
    return kernel.let("ok", conjunction(ok, f"{divisor.code} != 0"))


@emits(e.IntegralDivide, e.Remainder, e.Pmod)
def division(kernel: Kernel, expr: e.Arithmetic) -> Value:
    """`DIV`, `%` and `pmod`."""
    if expr.left.type.is_decimal:
        return decimal_remainder(kernel, expr)
    if expr.left.type.is_floating:
        return _floating_remainder(kernel, expr)
    if expr.left.type.is_integral:
        return _integral_division(kernel, expr)
    raise Unsupported(f"{expr.name} of {expr.left.type} is not supported", expr.name)


def _floating_remainder(kernel: Kernel, expr: e.Arithmetic) -> Value:
    """Java's `%` is C's `fmod`; `pmod` adds the divisor once to a negative remainder."""
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = _floating_divisor(kernel, b, kernel.all_ok(a, b), expr.mode)
    name = ("positive" if expr.name == "Pmod" else "java") + "_remainder" + ("32" if a.kind is Kind.F32 else "")
    code = kernel.let("rest", f"{kernel.use('floats.' + name)}({a.code}, {b.code})")
    return Value(expr.type, expr.type.kind, code, ok)


_INTEGRAL = {"IntegralDivide": "java_divide", "Remainder": "java_remainder", "Pmod": "java_pmod"}


def _integral_division(kernel: Kernel, expr: e.Arithmetic) -> Value:
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = nonzero(kernel, b, kernel.all_ok(a, b), ansi=expr.mode == "ANSI")
    if ok == "False":
        return null_value(expr.type)
    name = _INTEGRAL[expr.name] + ("_int" if expr.name == "Pmod" and expr.type.name == "integer" else "")
    size = max(abs(bound) for bound in (a.bounds if expr.name == "IntegralDivide" else b.bounds))
    code = kernel.let("num", f"{kernel.use('integers.' + name)}({a.code}, {b.code})")
    value = Value(expr.type, Kind.INT, code, ok, max(-size, LONG_MIN), min(size, LONG_MAX))
    may_overflow = a.bounds[0] == LONG_MIN and b.bounds[0] <= -1 <= b.bounds[1]
    if expr.name == "IntegralDivide" and expr.mode != "LEGACY" and may_overflow:
        return checked(kernel, value, f"{a.code} != int64({LONG_MIN}) or {b.code} != -1", expr.mode)
    return value


@emits(e.UnaryMinus)
def negate(kernel: Kernel, expr: e.UnaryMinus) -> Value:
    return _negative(kernel, kernel.emit(expr.child), expr)


def _negative(kernel: Kernel, value: Value, expr: e.UnaryMinus | e.Abs) -> Value:
    if expr.type.is_floating:
        return replace(value, code=kernel.let("negative", f"-{value.code}"))
    if value.ok == "False":
        return value
    if expr.type.is_decimal:
        return decimal_negate(kernel, value, expr.type)
    if not expr.type.is_integral:
        raise Unsupported(f"{expr.name} of {expr.type} is not supported", expr.name)
    zero = Value(expr.type, Kind.INT, "int64(0)", None, 0, 0)
    return integral(kernel, "-", zero, value, expr.type, value.ok, "ANSI" if expr.failOnError else "LEGACY")


@emits(e.Abs)
def absolute(kernel: Kernel, expr: e.Abs) -> Value:
    """The magnitude; in legacy mode that of the smallest integer is itself."""
    value = kernel.emit(expr.child)
    if expr.type.is_floating:
        return replace(value, code=kernel.let("magnitude", f"abs({value.code})"))
    if expr.type.is_decimal:
        return decimal_abs(kernel, value, expr.type)
    negative = _negative(kernel, value, expr)
    low, high = value.bounds
    bottom = INTEGRAL_BOUNDS[expr.type.name][0]
    code = kernel.let("magnitude", f"{value.code} if {value.code} >= 0 else {negative.code}")
    return replace(value, code=code, low=bottom if low == bottom else 0, high=max(min(-low, -bottom - 1), high))


__all__ = ["integral", "into_range"]
