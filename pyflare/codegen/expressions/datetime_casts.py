"""Casts among dates, timestamps and numbers. Timestamps are seconds since 1970 as numbers; dates are none."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pyflare.codegen import times
from pyflare.codegen.expressions.arithmetic import into_range
from pyflare.codegen.expressions.casts import casts, refused
from pyflare.codegen.expressions.decimals import to_precision
from pyflare.codegen.expressions.numeric_casts import FLOATING, INTEGRAL, NUMERIC
from pyflare.codegen.expressions.timestamps import floating_seconds, from_local, to_local
from pyflare.codegen.kernel import Kernel, null_value
from pyflare.codegen.values import LONG_MAX, LONG_MIN, Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.types import TIMESTAMP, TIMESTAMP_NTZ, Kind

_LONG_END: Final = "9223372036854775808.0"
_LAST_SECOND: Final = LONG_MAX // times.SECOND


@casts("date", "timestamp timestamp_ntz")
def date_to_timestamp(kernel: Kernel, expr: e.Cast, date: Value) -> Value:
    """The date's first instant."""
    second = times.start_of_day(kernel, times.zone_for(expr.type, expr.timeZoneId), date)
    return times.timestamp(kernel, second, times.constant(0), expr.type, date.ok, expr.evalMode)


@casts("timestamp timestamp_ntz", "date")
def timestamp_to_date(kernel: Kernel, expr: e.Cast, ts: Value) -> Value:
    """The local date."""
    day = times.local_day(kernel, ts, times.zone_for(expr.child.type, expr.timeZoneId))
    return replace(day, type=expr.type, ok=ts.ok)


@casts("timestamp", "timestamp_ntz")
def timestamp_to_local(kernel: Kernel, expr: e.Cast, ts: Value) -> Value:
    return to_local(kernel, ts, times.zone_for(TIMESTAMP, expr.timeZoneId), TIMESTAMP_NTZ, expr.evalMode)


@casts("timestamp_ntz", "timestamp")
def local_to_timestamp(kernel: Kernel, expr: e.Cast, ts: Value) -> Value:
    return from_local(kernel, ts, times.zone_for(TIMESTAMP, expr.timeZoneId), TIMESTAMP, expr.evalMode)


# Numbers --------------------------------------------------------------------------------------------------------------


@casts("timestamp", INTEGRAL)
def timestamp_to_integral(kernel: Kernel, expr: e.Cast, ts: Value) -> Value:
    """Whole seconds, rounded down; null if there are too many, and an error in ANSI mode."""
    mode = "ANSI" if expr.evalMode == "ANSI" else "TRY"
    return into_range(kernel, times.seconds(kernel, ts).with_ok(ts.ok), expr.type, mode)


@casts("timestamp", FLOATING)
def timestamp_to_floating(kernel: Kernel, expr: e.Cast, ts: Value) -> Value:
    """Seconds, computed as a double."""
    seconds = f"float64({ts.code}) / 1000000.0"
    code = f"float32({seconds})" if expr.type.kind is Kind.F32 else seconds
    return Value(expr.type, expr.type.kind, kernel.let("seconds", code), ts.ok)


@casts("timestamp", "decimal")
def timestamp_to_decimal(kernel: Kernel, expr: e.Cast, ts: Value) -> Value:
    return to_precision(kernel, ts, 6, expr.type, null_on_overflow=expr.evalMode != "ANSI")


@casts("timestamp", "boolean")
def timestamp_to_boolean(kernel: Kernel, _expr: e.Cast, ts: Value) -> Value:
    return kernel.boolean(f"{ts.code} != 0", ts.ok)


@casts("date", f"{NUMERIC} boolean")
def date_to_number(_kernel: Kernel, expr: e.Cast, _date: Value) -> Value:
    """Always null, as in Hive."""
    return null_value(expr.type)


@casts("boolean", "timestamp")
def boolean_to_timestamp(_kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """One microsecond after 1970 began, or none."""
    return Value(expr.type, Kind.INT, f"int64({value.code})", value.ok, 0, 1)


@casts(INTEGRAL, "timestamp")
def integral_to_timestamp(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Seconds; what is too large becomes the first or the last timestamp."""
    low, high = value.bounds
    if low >= -_LAST_SECOND and high <= _LAST_SECOND:
        return replace(times.times(kernel, "micros", value, times.SECOND), type=expr.type, ok=value.ok)
    code = kernel.let("micros", f"{kernel.use('times.saturated_micros')}({value.code})")
    bounds = (max(LONG_MIN, low * times.SECOND), min(LONG_MAX, high * times.SECOND))
    return Value(expr.type, Kind.INT, code, value.ok, *bounds)


@casts(FLOATING, "timestamp")
def floating_to_timestamp(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Seconds, truncated to microseconds. In legacy mode what is too large becomes the first or the last timestamp."""
    if expr.evalMode == "LEGACY":
        return floating_seconds(kernel, value, expr.type)
    micros = kernel.let("micros", f"float64({value.code}) * 1000000.0")
    code = kernel.let("whole", f"{kernel.use('floats.to_long')}({micros})")
    whole = Value(expr.type, Kind.INT, code, value.ok, LONG_MIN, LONG_MAX)
    infinite = f"{value.code} - {value.code} != 0"
    return refused(kernel, expr, whole, f"{infinite} or not (-{_LONG_END} <= {micros} <= {_LONG_END})")


@casts("decimal", "timestamp")
def decimal_to_timestamp(kernel: Kernel, expr: e.Cast, value: Value) -> Value:
    """Seconds, truncated to microseconds; of what is too large the low 64 bits."""
    if value.kind is not Kind.INT:
        raise Unsupported(f"cast from {expr.child.type} to timestamp is not supported", expr.name)
    scale = expr.child.type.scale
    if scale > 6:
        code = f"{kernel.use('integers.quotient')}({value.code}, int64({10 ** (scale - 6)}))"
        return Value(expr.type, Kind.INT, kernel.let("micros", code), value.ok)
    code = f"{kernel.use('integers.wrap_mul')}({value.code}, int64({10 ** (6 - scale)}))"
    return Value(expr.type, Kind.INT, kernel.let("micros", code), value.ok)
