"""Casts between strings and binaries, booleans and numbers."""

from __future__ import annotations

from dataclasses import replace

from pyflare.codegen.arena import arena, computed_text
from pyflare.codegen.expressions.casts import casts, refused
from pyflare.codegen.expressions.comparison import done
from pyflare.codegen.expressions.decimals import literal_of
from pyflare.codegen.expressions.numeric_casts import INTEGRAL
from pyflare.codegen.expressions.strings import called, text_literal
from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Kernel, zero_of
from pyflare.codegen.values import Value, fits_long
from pyflare.plan import expressions as e
from pyflare.runtime.parse import NEEDS_SPARK, NO_NUMBER
from pyflare.types import INTEGRAL_BOUNDS, Kind


@casts("string", "binary")
@casts("binary", "string")
def same_bytes(_kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """A binary becomes a string unchecked."""
    return replace(value, type=expr.type)


# From strings ---------------------------------------------------------------------------------------------------------


def _parsed(kernel: Kernel, call: str, ok: str | None, zero: str) -> tuple[str, str]:
    """The names of what a parser gives: a number and its status. It runs only where `ok` holds."""
    number, status = kernel.writer.fresh("number"), kernel.writer.fresh("status")
    kernel.line(f"{number}, {status} = {call if ok is None else f'{call} if {ok} else ({zero}, int64(1))'}")
    return number, status


@casts("string", INTEGRAL)
def to_integral(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """White space around it is nothing; a fraction is cut off in legacy mode only."""
    call = called(kernel, "parse.parse_integer", value, str(expr.evalMode == "LEGACY"))
    number, status = _parsed(kernel, call, value.ok, "int64(0)")
    low, high = INTEGRAL_BOUNDS[expr.type.name]
    parsed = Value(expr.type, Kind.INT, number, value.ok, low, high)
    beyond = "" if expr.type.name == "long" else f" or {number} < {low} or {number} > {high}"
    return refused(kernel, expr, parsed, f"{status} == {NO_NUMBER}{beyond}")


@casts("string", "boolean")
def to_boolean(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """`t`, `true`, `y`, `yes`, `1` and their opposites, in any case."""
    call = called(kernel, "parse.parse_boolean", value)
    answer = kernel.let("answer", call if value.ok is None else f"{call} if {value.ok} else int64(0)")
    return refused(kernel, expr, kernel.boolean(f"{answer} == 1", value.ok), f"{answer} < 0")


@casts("string", "decimal")
def to_decimal(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Rounded half up to the scale; too many digits are as bad as none."""
    top = 10**expr.type.precision - 1
    limits = f"int64({expr.type.scale})", literal_of(Kind.WIDE, top)
    call = called(kernel, "parse.parse_decimal", value, *limits)
    number, status = _parsed(kernel, call, value.ok, zero_of(Kind.WIDE))
    kernel.fail_when(f"{status} == {NEEDS_SPARK}", value.ok, UNSUPPORTED_ERROR)
    parsed = Value(expr.type, Kind.WIDE, number, value.ok, -top, top)
    if fits_long(-top, top):
        parsed = replace(parsed, kind=Kind.INT, code=f"{number}[0]")
    return refused(kernel, expr, parsed, f"{status} == {NO_NUMBER}")


@casts("string", "float double")
def to_floating(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Decimal numbers, infinities and NaN; what else Java reads needs Spark."""
    call = called(kernel, f"parse.parse_{expr.type.name}", arena(kernel), value)
    number, status = _parsed(kernel, call, value.ok, zero_of(expr.type.kind))
    kernel.fail_when(f"{status} == {NEEDS_SPARK}", value.ok, UNSUPPORTED_ERROR)
    return refused(kernel, expr, Value(expr.type, expr.type.kind, number, value.ok), f"{status} == {NO_NUMBER}")


# To strings -----------------------------------------------------------------------------------------------------------


@casts(INTEGRAL, "string")
def from_integral(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    return computed_text(kernel, expr.type, "digits.integer_text", (value.code,), value.ok)


@casts("decimal", "string")
def from_decimal(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """With an exponent for small numbers in legacy mode."""
    plain = str(expr.evalMode != "LEGACY")
    arguments = (kernel.wide(value), f"int64({expr.child.type.scale})", plain)
    return computed_text(kernel, expr.type, "digits.decimal_text", arguments, value.ok)


@casts("boolean", "string")
def from_boolean(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    yes, no = text_literal(kernel, b"true"), text_literal(kernel, b"false")
    chosen = kernel.select(value.code, done(yes), done(no), expr.type)
    return chosen.with_ok(value.ok)
