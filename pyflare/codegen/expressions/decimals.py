"""Decimals: unscaled integers with a scale, in one 64-bit word where the bounds allow it, else in two.

Spark computes exactly and then rounds half up to the result type (`Decimal.toPrecision`); a result that does not fit is
null, or an error in ANSI mode. Where the bounds prove that 128 bits hold everything on the way, the code is plain
integer arithmetic; elsewhere it calls the helpers of `runtime/decimals.py`, which have 256.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Kernel, conjunction, emits, null_value
from pyflare.codegen.values import Value, fits_long
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.types import MAX_PRECISION, DataType, Kind

WIDE_MAX: Final = 2**127 - 1
MAX_DECIMAL: Final = 10**MAX_PRECISION - 1
EXACT_NEGATION: Final = 10**34  # Spark rounds the negation of anything larger


def wide_literal(value: int) -> str:
    """A 128-bit constant in kernel source."""
    low = value & (2**64 - 1)
    low -= (low >> 63) << 64
    return f"(int64({low}), int64({value >> 64}))"


def literal_of(kind: Kind, value: int) -> str:
    """An integer constant in kernel source, in one word or in two."""
    return wide_literal(value) if kind is Kind.WIDE else f"int64({value})"


def widened(kernel: Kernel, value: Value) -> Value:
    """The same value in two words."""
    return value if value.kind is Kind.WIDE else replace(value, kind=Kind.WIDE, code=kernel.wide(value))


def narrowed(value: Value) -> Value:
    """The same value in one word, if its bounds allow it."""
    if value.kind is Kind.WIDE and fits_long(*value.bounds):
        return replace(value, kind=Kind.INT, code=f"{value.code}[0]")
    return value


def largest(value: Value) -> int:
    """A bound of the value's magnitude."""
    return max(abs(bound) for bound in value.bounds)


def fits_wide(low: int, high: int) -> bool:
    """Whether every integer between `low` and `high` fits in 128 bits."""
    return low >= -WIDE_MAX and high <= WIDE_MAX


def exact(kernel: Kernel, operator: str, a: Value, b: Value, type_: DataType, ok: str | None) -> Value:
    """`a operator b` (`+`, `-`, `*`) without rounding, for bounds that keep it within 128 bits."""
    low, high = combine_bounds(operator, a.bounds, b.bounds)
    if not fits_wide(low, high):
        raise Unsupported(f"decimals that are {operator} combined beyond 128 bits")
    if fits_long(low, high) and a.kind is Kind.INT and b.kind is Kind.INT:
        return Value(type_, Kind.INT, kernel.let("dec", f"{a.code} {operator} {b.code}"), ok, low, high)
    if operator == "*" and a.kind is Kind.INT and b.kind is Kind.INT:
        code = f"{kernel.use('int128.wide_product')}({a.code}, {b.code})"
    else:
        name = {"+": "wide_add", "-": "wide_sub", "*": "wide_mul"}[operator]
        code = f"{kernel.use('int128.' + name)}({kernel.wide(a)}, {kernel.wide(b)})"
    return Value(type_, Kind.WIDE, kernel.let("dec", code), ok, low, high)


def combine_bounds(operator: str, a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Bounds of `a operator b`."""
    if operator == "+":
        return a[0] + b[0], a[1] + b[1]
    if operator == "-":
        return a[0] - b[1], a[1] - b[0]
    products = [x * y for x in a for y in b]
    return min(products), max(products)


def times_power(kernel: Kernel, value: Value, digits: int) -> Value:
    """The value times a power of ten, which is known to stay within 128 bits."""
    if digits == 0:
        return value
    factor = 10**digits
    kind = Kind.INT if fits_long(factor, factor) else Kind.WIDE
    constant = Value(value.type, kind, literal_of(kind, factor), None, factor, factor)
    return exact(kernel, "*", value, constant, value.type, value.ok)


def rescaled(kernel: Kernel, value: Value, source: int, target: int) -> Value:
    """The value at another scale: exact upwards, rounded half up downwards."""
    if source <= target:
        return times_power(kernel, value, target - source)
    return dropped(kernel, value, source - target, "half_up")


_ROUNDINGS: Final = {
    "half_up": lambda value, divisor: (2 * abs(value) + divisor) // (2 * divisor) * (1 if value >= 0 else -1),
    "half_even": lambda value, divisor: (2 * abs(value) + divisor) // (2 * divisor) * (1 if value >= 0 else -1),
    "floor": lambda value, divisor: value // divisor,
    "ceiling": lambda value, divisor: -(-value // divisor),
}


def dropped(kernel: Kernel, value: Value, digits: int, rounding: str) -> Value:
    """The value without its last digits: `half_up`, `half_even`, `floor` or `ceiling`."""
    if digits == 0:
        return value
    if digits > MAX_PRECISION:
        raise Unsupported(f"decimals without their last {digits} digits are not supported")
    divisor = 10**digits
    low, high = (_ROUNDINGS[rounding](bound, divisor) for bound in value.bounds)
    if value.kind is Kind.INT and fits_long(divisor, divisor):
        function, kind = kernel.use(f"decimals.divide_{rounding}"), Kind.INT
    else:
        function, kind, value = kernel.use(f"decimals.wide_divide_{rounding}"), Kind.WIDE, widened(kernel, value)
    code = kernel.let("rounded", f"{function}({value.code}, {literal_of(kind, divisor)})")
    return narrowed(replace(value, kind=kind, code=code, low=low, high=high))


def to_precision(
    kernel: Kernel, value: Value, scale: int, type_: DataType, *, null_on_overflow: bool, rounding: str = "half_up"
) -> Value:
    """`Decimal.toPrecision`: the value at the type's scale; what exceeds its precision is null or an error."""
    if scale >= type_.scale:
        value = dropped(kernel, value, scale - type_.scale, rounding)
        return within_precision(kernel, value, type_, null_on_overflow=null_on_overflow)
    digits = type_.scale - scale
    top = 10 ** (type_.precision - digits) - 1
    value = within(kernel, value, -top, top, null_on_overflow=null_on_overflow)
    return replace(times_power(kernel, value, digits), type=type_)


def within_precision(kernel: Kernel, value: Value, type_: DataType, *, null_on_overflow: bool) -> Value:
    """A value already at the type's scale, checked against its precision."""
    top = 10**type_.precision - 1
    return replace(within(kernel, value, -top, top, null_on_overflow=null_on_overflow), type=type_)


def within(kernel: Kernel, value: Value, low: int, high: int, *, null_on_overflow: bool) -> Value:
    """The value where it lies between `low` and `high`; elsewhere null or an error."""
    if low <= value.bounds[0] and value.bounds[1] <= high:
        return narrowed(value)
    inside = between(kernel, value, low, high)
    value = replace(value, low=max(value.bounds[0], low), high=min(value.bounds[1], high))
    if not null_on_overflow:
        kernel.fail_when(f"not ({inside})", value.ok)
        return narrowed(value)
    return narrowed(value.with_ok(kernel.let("fits", conjunction(value.ok, inside))))


def between(kernel: Kernel, value: Value, low: int, high: int) -> str:
    """Code that says whether `low <= value <= high`."""
    if value.kind is Kind.INT:
        return f"int64({max(low, -(2**63))}) <= {value.code} <= int64({min(high, 2**63 - 1)})"
    less = kernel.use("int128.wide_le")
    return f"{less}({wide_literal(low)}, {value.code}) and {less}({value.code}, {wide_literal(high)})"


def is_zero(kernel: Kernel, value: Value) -> str:
    """Code that says whether the value is zero."""
    if value.kind is Kind.WIDE:
        return f"{kernel.use('int128.wide_eq')}({value.code}, {wide_literal(0)})"
    return f"{value.code} == 0"


# Arithmetic -----------------------------------------------------------------------------------------------------------


def decimal_arithmetic(kernel: Kernel, expr: e.Arithmetic, operator: str) -> Value:
    """`+`, `-` and `*` of two decimals."""
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = kernel.all_ok(a, b)
    if ok == "False":
        return null_value(expr.type)
    left, right = expr.left.type.scale, expr.right.type.scale
    nulls = expr.mode != "ANSI"
    if operator == "*":
        value, scale = _product(kernel, a, b, left + right, expr.type, ok)
    else:
        value, scale = _total(kernel, operator, (a, left), (b, right), expr.type, ok)
    return to_precision(kernel, value, scale, expr.type, null_on_overflow=nulls)


def _product(kernel: Kernel, a: Value, b: Value, scale: int, type_: DataType, ok: str | None) -> tuple[Value, int]:
    """The product, and the scale it has: the exact one, or the result's."""
    if largest(a) * largest(b) <= WIDE_MAX and scale - type_.scale <= MAX_PRECISION:
        return exact(kernel, "*", a, b, type_, ok), scale
    function = kernel.use("decimals.multiply_rounded")
    code = f"{function}({kernel.wide(a)}, {kernel.wide(b)}, int64({scale - type_.scale}))"
    return Value(type_, Kind.WIDE, kernel.let("product", code), ok, -WIDE_MAX, WIDE_MAX), type_.scale


def _total(
    kernel: Kernel, operator: str, left: tuple[Value, int], right: tuple[Value, int], type_: DataType, ok: str | None
) -> tuple[Value, int]:
    """The sum or difference of two values at their scales, and the scale it has."""
    (a, a_scale), (b, b_scale) = left, right
    scale = max(a_scale, b_scale)
    bound = largest(a) * 10 ** (scale - a_scale) + largest(b) * 10 ** (scale - b_scale)
    if fits_wide(-bound, bound):
        a, b = times_power(kernel, a, scale - a_scale), times_power(kernel, b, scale - b_scale)
        return exact(kernel, operator, a, b, type_, ok), scale
    if operator == "-":
        b = exact(kernel, "-", Value(b.type, Kind.INT, "int64(0)", None, 0, 0), b, b.type, b.ok)
    terms = f"{kernel.wide(a)}, int64({scale - a_scale}), {kernel.wide(b)}, int64({scale - b_scale})"
    code = f"{kernel.use('decimals.add_rounded')}({terms}, int64({scale - type_.scale}))"
    return Value(type_, Kind.WIDE, kernel.let("total", code), ok, -WIDE_MAX, WIDE_MAX), type_.scale


def decimal_divide(kernel: Kernel, expr: e.Divide) -> Value:
    """A quotient; a zero divisor is null, or an error in ANSI mode."""
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    return divided(kernel, a, expr.left.type.scale, b, expr.right.type.scale, expr.type, ansi=expr.mode == "ANSI")


def divided(kernel: Kernel, a: Value, a_scale: int, b: Value, b_scale: int, type_: DataType, *, ansi: bool) -> Value:
    """`a / b` rounded half up at the scale of `type_`."""
    ok = nonzero(kernel, b, kernel.all_ok(a, b), ansi=ansi)
    if ok == "False":
        return null_value(type_)
    shift = type_.scale - a_scale + b_scale
    if max(largest(a) * 10 ** max(shift, 0), largest(b) * 10 ** max(-shift, 0)) <= WIDE_MAX:
        value = _ratio(kernel, a, b, shift, type_, ok)
    else:
        arguments = f"{kernel.wide(a)}, {kernel.wide(b)}, int64({shift})"
        code = kernel.let("ratio", f"{kernel.use('decimals.divide_rounded')}({arguments})")
        value = Value(type_, Kind.WIDE, code, ok, -WIDE_MAX, WIDE_MAX)
    return within_precision(kernel, value, type_, null_on_overflow=not ansi)


def _ratio(kernel: Kernel, a: Value, b: Value, shift: int, type_: DataType, ok: str | None) -> Value:
    """`a * 10**shift / b`, where numerator and divisor stay within 128 bits."""
    numerator, divisor = times_power(kernel, a, max(shift, 0)), times_power(kernel, b, max(-shift, 0))
    bound = largest(numerator)
    if numerator.kind is Kind.INT and divisor.kind is Kind.INT:
        code = f"{kernel.use('decimals.divide_half_up_safe')}({numerator.code}, {divisor.code})"
        return Value(type_, Kind.INT, kernel.let("ratio", code), ok, -bound, bound)
    code = f"{kernel.use('decimals.wide_divide_half_up_safe')}({kernel.wide(numerator)}, {kernel.wide(divisor)})"
    return Value(type_, Kind.WIDE, kernel.let("ratio", code), ok, -bound, bound)


def nonzero(kernel: Kernel, divisor: Value, ok: str | None, *, ansi: bool) -> str | None:
    """The validity of a quotient: a zero divisor fails in ANSI mode and gives null otherwise."""
    if not divisor.bounds[0] <= 0 <= divisor.bounds[1] or ok == "False":
        return ok
    zero = is_zero(kernel, divisor)
    if ansi:
        kernel.fail_when(zero, ok)
        return ok
    return kernel.let("ok", conjunction(ok, f"not ({zero})"))


def decimal_remainder(kernel: Kernel, expr: e.Arithmetic) -> Value:
    """`DIV`, `%` and `pmod` of two decimals. Rows whose integral quotient has more than 38 digits are Spark's."""
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = nonzero(kernel, b, kernel.all_ok(a, b), ansi=expr.mode == "ANSI")
    if ok == "False":
        return null_value(expr.type)
    scale = max(expr.left.type.scale, expr.right.type.scale)
    shifts = scale - expr.left.type.scale, scale - expr.right.type.scale
    ratio = _truncated(kernel, a, b, shifts, ok)
    if expr.name == "IntegralDivide":
        return _integral_quotient(kernel, expr, f"{ratio}[0]", ok)
    bound = min(largest(a) * 10 ** shifts[0], largest(b) * 10 ** shifts[1])
    rest = Value(expr.type, Kind.WIDE, f"{ratio}[1]", ok, -bound, bound)
    if expr.name == "Pmod":
        arguments = f"{rest.code}, {kernel.wide(b)}, int64({shifts[1]})"
        positive = kernel.let("positive", f"{kernel.use('decimals.positive_rest')}({arguments})")
        rest = replace(rest, code=positive, low=-WIDE_MAX, high=WIDE_MAX)
    return to_precision(kernel, rest, scale, expr.type, null_on_overflow=expr.mode != "ANSI")


def _truncated(kernel: Kernel, a: Value, b: Value, shifts: tuple[int, int], ok: str | None) -> str:
    """Quotient and remainder of two values as a pair."""
    function = kernel.use("decimals.truncated_ratio")
    arguments = f"{kernel.wide(a)}, int64({shifts[0]}), {kernel.wide(b)}, int64({shifts[1]})"
    ratio = kernel.let("ratio", f"{function}({arguments})")
    if largest(a) * 10 ** shifts[0] > MAX_DECIMAL:
        too_large = f"{kernel.use('int128.wide_eq')}({ratio}[0], {wide_literal(WIDE_MAX)})"
        kernel.fail_when(too_large, ok, UNSUPPORTED_ERROR)
    return ratio


def _integral_quotient(kernel: Kernel, expr: e.Arithmetic, quotient: str, ok: str | None) -> Value:
    """The quotient as a long: the low 64 bits of what fits in the decimal type that Spark derives for it."""
    left, right = expr.left.type, expr.right.type
    digits = min(max(left.precision - left.scale + right.scale, 1), MAX_PRECISION)
    value = Value(expr.type, Kind.WIDE, quotient, ok, -WIDE_MAX, WIDE_MAX)
    top = 10**digits - 1
    value = within(kernel, value, -top, top, null_on_overflow=expr.mode != "ANSI")
    if value.kind is Kind.INT:
        return value
    return Value(expr.type, Kind.INT, f"{quotient}[0]", value.ok)


def decimal_negate(kernel: Kernel, value: Value, type_: DataType) -> Value:
    """`-value`. Spark rounds results of more than 34 digits, and raises if that makes them too long for the type."""
    low, high = value.bounds
    if max(-low, high) < EXACT_NEGATION:
        zero = Value(type_, Kind.INT, "int64(0)", None, 0, 0)
        return exact(kernel, "-", zero, value, type_, value.ok)
    code = kernel.let("negative", f"{kernel.use('decimals.negated')}({kernel.wide(value)})")
    rounded = Value(type_, Kind.WIDE, code, value.ok, -(10**MAX_PRECISION), 10**MAX_PRECISION)
    return within_precision(kernel, rounded, type_, null_on_overflow=False)


def decimal_abs(kernel: Kernel, value: Value, type_: DataType) -> Value:
    """`abs(value)`: negative values are negated as by `-`."""
    low, high = value.bounds
    if low >= 0:
        return value
    is_negative = kernel.let("is_negative", f"{value.code}[1] < 0" if value.kind is Kind.WIDE else f"{value.code} < 0")
    negative_ok = kernel.let("ok", conjunction(value.ok, is_negative))
    negative = decimal_negate(kernel, replace(value, ok=negative_ok, high=min(high, 0)), type_)
    kind = Kind.WIDE if Kind.WIDE in (value.kind, negative.kind) else Kind.INT
    choices = [kernel.wide(v) if kind is Kind.WIDE else v.code for v in (negative, value)]
    code = kernel.let("magnitude", f"{choices[0]} if {is_negative} else {choices[1]}")
    return narrowed(Value(type_, kind, code, value.ok, 0, max(largest(negative), high)))


# Wrappers of Spark's planner ------------------------------------------------------------------------------------------


@emits(e.UnscaledValue)
def unscaled(kernel: Kernel, expr: e.UnscaledValue) -> Value:
    return replace(narrowed(kernel.emit(expr.child)), type=expr.type)


@emits(e.MakeDecimal)
def make_decimal(kernel: Kernel, expr: e.MakeDecimal) -> Value:
    return within_precision(kernel, kernel.emit(expr.child), expr.type, null_on_overflow=expr.nullOnOverflow)


@emits(e.CheckOverflow, e.CheckOverflowInSum)
def check_overflow(kernel: Kernel, expr: e.CheckOverflow) -> Value:
    value = kernel.emit(expr.child)
    return to_precision(kernel, value, expr.child.type.scale, expr.type, null_on_overflow=expr.nullOnOverflow)
