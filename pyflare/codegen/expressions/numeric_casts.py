"""Casts among booleans, integers, floating-point numbers and decimals."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pyflare.codegen.expressions.arithmetic import checked, into_range
from pyflare.codegen.expressions.casts import casts
from pyflare.codegen.expressions.decimals import is_zero, largest, literal_of, to_precision, within
from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Kernel, conjunction
from pyflare.codegen.values import LONG_MAX, LONG_MIN, Value, fits_long
from pyflare.plan import expressions as e
from pyflare.types import INTEGRAL_BOUNDS, DataType, Kind

INTEGRAL: Final = "byte short integer long"
FLOATING: Final = "float double"
NUMERIC: Final = f"{INTEGRAL} {FLOATING} decimal"

_DOUBLE_DIGITS, _DOUBLE_INTEGERS = 22, 2**53  # what a double holds exactly: powers of ten, integers
_FLOAT_DIGITS, _FLOAT_INTEGERS = 10, 2**24
_SAFE_SCALE: Final = 6  # a fraction of so few digits is not rounded to an integer with the double that it is near to


@casts("boolean", INTEGRAL)
def from_boolean(_kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    return Value(expr.type, Kind.INT, f"int64({value.code})", value.ok, 0, 1)


@casts("boolean", FLOATING)
def boolean_to_floating(_kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    element = expr.type.storage.name
    return Value(expr.type, expr.type.kind, f"{element}(int64({value.code}))", value.ok)


@casts("boolean", "decimal")
def boolean_to_decimal(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    return to_decimal(kernel, expr, from_boolean(kernel, expr, value))


@casts(NUMERIC, "boolean")
def to_boolean(kernel: Kernel, _expr: e.Cast, value: Value) -> Value:
    """Whatever is not zero is true, NaN too."""
    return kernel.boolean(f"not ({is_zero(kernel, value)})", value.ok)


@casts(INTEGRAL, INTEGRAL)
def integral_to_integral(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    return into_range(kernel, value, expr.type, expr.evalMode)


@casts(f"{INTEGRAL} {FLOATING}", FLOATING)
def to_floating(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Rounded to the nearest."""
    return Value(expr.type, expr.type.kind, kernel.let("num", f"{expr.type.storage.name}({value.code})"), value.ok)


@casts(INTEGRAL, "decimal")
def to_decimal(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    return to_precision(kernel, value, 0, expr.type, null_on_overflow=expr.evalMode != "ANSI")


# Floating point -------------------------------------------------------------------------------------------------------


@casts(FLOATING, INTEGRAL)
def floating_to_integral(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Truncated. In legacy mode what is too large becomes the nearest int or long, and that is wrapped."""
    double = value.code if value.kind is Kind.F64 else kernel.let("double", f"float64({value.code})")
    element = "long" if expr.type.name == "long" else "int"
    code = kernel.let("whole", f"{kernel.use(f'floats.to_{element}')}({double})")
    low, high = INTEGRAL_BOUNDS["long" if element == "long" else "integer"]
    whole = Value(expr.type, Kind.INT, code, value.ok, low, high)
    if expr.evalMode == "LEGACY":
        return into_range(kernel, whole, expr.type, "LEGACY")
    low, high = INTEGRAL_BOUNDS[expr.type.name]
    fits = f"{float(low)!r} <= {double} <= {float(high)!r}"
    if element == "int":
        fits = f"{float(low - 1)!r} < {double} < {float(high + 1)!r}"
    return checked(kernel, replace(whole, low=low, high=high), fits, expr.evalMode)


@casts(FLOATING, "decimal")
def floating_to_decimal(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """What `Double.toString` writes, rounded half up; NaN and infinities are null."""
    double = value.code if value.kind is Kind.F64 else kernel.let("double", f"float64({value.code})")
    ok = kernel.let("finite", conjunction(value.ok, f"{double} - {double} == 0.0"))
    limits = f"int64({expr.type.scale}), int64({expr.type.precision})"
    code = kernel.let("dec", f"{kernel.use('roundings.from_f64')}({double}, {limits}, False)")
    reject_unknown(kernel, code, ok)
    unscaled = Value(expr.type, Kind.WIDE, code, ok, -(2**127), 2**127 - 1)
    top = 10**expr.type.precision - 1
    return replace(within(kernel, unscaled, -top, top, null_on_overflow=expr.evalMode != "ANSI"), type=expr.type)


def reject_unknown(kernel: Kernel, code: str, ok: str | None) -> None:
    """Leave a query to Spark whose result depends on the version of Java."""
    kernel.fail_when(f"{code}[1] == int64({LONG_MIN}) and {code}[0] == 0", ok, UNSUPPORTED_ERROR)


# Decimals -------------------------------------------------------------------------------------------------------------


@casts("decimal", "decimal")
def decimal_to_decimal(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    scale = expr.child.type.scale
    return to_precision(kernel, value, scale, expr.type, null_on_overflow=expr.evalMode != "ANSI")


@casts("decimal", FLOATING)
def decimal_to_floating(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    return Value(expr.type, expr.type.kind, floating_code(kernel, value, expr.child.type.scale, expr.type), value.ok)


def floating_code(kernel: Kernel, value: Value, scale: int, type_: DataType) -> str:
    """The name of the number nearest to an unscaled decimal's value."""
    single, element = type_.kind is Kind.F32, type_.storage.name
    digits, integers = (_FLOAT_DIGITS, _FLOAT_INTEGERS) if single else (_DOUBLE_DIGITS, _DOUBLE_INTEGERS)
    if value.kind is Kind.INT and scale == 0:
        return kernel.let("num", f"{element}({value.code})")
    if value.kind is Kind.INT and scale <= digits and largest(value) <= integers:
        return kernel.let("num", f"{element}({value.code}) / {element}({float(10**scale)!r})")
    function = kernel.use("roundings.to_f32" if single else "roundings.to_f64")
    return kernel.let("num", f"{function}({kernel.wide(value)}, int64({scale}))")


@casts("decimal", INTEGRAL)
def decimal_to_integral(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Truncated; in legacy mode the low bits of what is too large."""
    scale, mode = expr.child.type.scale, expr.evalMode
    if mode != "LEGACY" and expr.type.name != "long" and scale > _SAFE_SCALE:
        _reject_almost_integral(kernel, value, scale)
    whole = _truncated(kernel, value, scale)
    if mode != "LEGACY":
        low, high = INTEGRAL_BOUNDS[expr.type.name]
        return replace(within(kernel, whole, low, high, null_on_overflow=mode == "TRY"), type=expr.type)
    if whole.kind is Kind.WIDE:
        whole = Value(expr.type, Kind.INT, f"{whole.code}[0]", whole.ok, LONG_MIN, LONG_MAX)
    return into_range(kernel, whole, expr.type, mode)


def _truncated(kernel: Kernel, value: Value, scale: int) -> Value:
    if scale == 0:
        return value
    divisor = 10**scale
    if value.kind is Kind.INT and not fits_long(divisor, divisor):
        return replace(value, code="int64(0)", low=0, high=0)
    function = kernel.use("integers.quotient" if value.kind is Kind.INT else "int128.wide_quotient")
    code = kernel.let("whole", f"{function}({value.code}, {literal_of(value.kind, divisor)})")
    low, high = (abs(bound) // divisor * (1 if bound >= 0 else -1) for bound in value.bounds)
    return replace(value, code=code, low=low, high=high)


def _reject_almost_integral(kernel: Kernel, value: Value, scale: int) -> None:
    """Leave rows to Spark that are a hair below an integer: it truncates the nearest double of some decimals."""
    unit = 10**scale
    if value.kind is Kind.INT and not fits_long(unit, unit):
        return
    wide = value.kind is Kind.WIDE
    remainder = kernel.use("int128.wide_remainder" if wide else "integers.remainder")
    rest = kernel.let("rest", f"{remainder}({value.code}, {literal_of(value.kind, unit)})")
    top = unit - unit // 2**21 - 1
    inside = f"int64({-top}) < {rest} < int64({top})"
    if wide:
        less = kernel.use("int128.wide_lt")
        inside = f"{less}({literal_of(Kind.WIDE, -top)}, {rest}) and {less}({rest}, {literal_of(Kind.WIDE, top)})"
    kernel.fail_when(f"not ({inside})", value.ok, UNSUPPORTED_ERROR)
