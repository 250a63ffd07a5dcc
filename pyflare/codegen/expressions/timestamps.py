"""Timestamps: microseconds since 1970-01-01 00:00:00 UTC, in the session's time zone where local time matters."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pyflare.codegen import times
from pyflare.codegen.expressions.arithmetic import integral, into_range
from pyflare.codegen.expressions.dates import (
    TRUNCATIONS,
    literal_interval,
    moved_by_months,
    truncated_date,
    upper_literal,
)
from pyflare.codegen.expressions.datetime_texts import parsed_seconds
from pyflare.codegen.kernel import Kernel, conjunction, emits, null_value
from pyflare.codegen.values import LONG_MAX, LONG_MIN, Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_datetime as d
from pyflare.types import INTEGER, LONG, TIMESTAMP, TIMESTAMP_NTZ, DataType, Kind
from pyflare.zones import DAY, Zone, zone_of

MICROS_PER_DAY: Final = DAY * times.SECOND
_MAX_MONTHS: Final = 12 * 600_000  # between any two timestamps
_ZERO: Final = times.constant(0)

# Fields ---------------------------------------------------------------------------------------------------------------


def _time_of_day(kernel: Kernel, expr: d.TimeField) -> tuple[Value, Value]:
    """The timestamp and its local second of the day."""
    ts = kernel.emit(expr.child)
    return ts, times.second_of_day(kernel, ts, times.zone_for(expr.child.type, expr.timeZoneId))


@emits(d.Hour)
def hour(kernel: Kernel, expr: d.Hour) -> Value:
    ts, second = _time_of_day(kernel, expr)
    return replace(times.quotient(kernel, "hour", second, 3600), type=expr.type, ok=ts.ok)


@emits(d.Minute)
def minute(kernel: Kernel, expr: d.Minute) -> Value:
    ts, second = _time_of_day(kernel, expr)
    minutes = times.quotient(kernel, "minutes", second, 60)
    value = times.remainder(kernel, "minute", minutes, times.quotient(kernel, "hours", minutes, 60), 60)
    return replace(value, type=expr.type, ok=ts.ok)


def _second_of_minute(kernel: Kernel, second: Value) -> Value:
    return times.remainder(kernel, "second", second, times.quotient(kernel, "minutes", second, 60), 60)


@emits(d.Second)
def second(kernel: Kernel, expr: d.Second) -> Value:
    ts, of_day = _time_of_day(kernel, expr)
    return replace(_second_of_minute(kernel, of_day), type=expr.type, ok=ts.ok)


@emits(d.SecondWithFraction)
def second_with_fraction(kernel: Kernel, expr: d.SecondWithFraction) -> Value:
    """The second of the minute with its microseconds, as a decimal."""
    ts, of_day = _time_of_day(kernel, expr)
    value, _ = times.micros(kernel, _second_of_minute(kernel, of_day), times.micro(kernel, ts), expr.type)
    return value.with_ok(ts.ok)


# Arithmetic -----------------------------------------------------------------------------------------------------------


def _is_nothing(value: Value) -> bool:
    return value.bounds == (0, 0) and value.ok is None


def _plus_micros(kernel: Kernel, ts: Value, micros: Value) -> Value:
    """A timestamp some microseconds later."""
    if _is_nothing(micros):
        return ts
    return replace(integral(kernel, "+", ts, micros, LONG, kernel.all_ok(ts, micros), "ANSI"), type=ts.type)


def _plus_days(kernel: Kernel, ts: Value, days: Value, zone: Zone) -> Value:
    """The same local time some days later."""
    if _is_nothing(days):
        return ts
    moved = times.plus(
        kernel, "moved", times.local_seconds(kernel, ts, zone), times.times(kernel, "seconds", days, DAY)
    )
    return _moved_to(kernel, ts, moved, zone, kernel.all_ok(ts, days))


def _plus_months(kernel: Kernel, ts: Value, months: Value, zone: Zone) -> Value:
    """The same local time some months later, or on that month's last day."""
    if _is_nothing(months):
        return ts
    day = moved_by_months(kernel, times.local_day(kernel, ts, zone), months)
    moved = times.plus(
        kernel, "moved", times.times(kernel, "midnight", day, DAY), times.second_of_day(kernel, ts, zone)
    )
    return _moved_to(kernel, ts, moved, zone, kernel.all_ok(ts, months))


def _moved_to(kernel: Kernel, ts: Value, local: Value, zone: Zone, ok: str | None) -> Value:
    """A timestamp moved to another local second: its offset stays, if that is valid there."""
    second = times.instant_near(kernel, zone, local, times.offset(kernel, ts, zone))
    return times.timestamp(kernel, second, times.micro(kernel, ts), ts.type, ok)


@emits(d.TimestampAddInterval)
def timestamp_add_interval(kernel: Kernel, expr: d.TimestampAddInterval) -> Value:
    """Whole days are local days, the rest is time that passes."""
    ts, zone = kernel.emit(expr.start), times.zone_for(expr.start.type, expr.timeZoneId)
    if expr.interval.type.name == "interval":
        months, days, micros = map(times.constant, literal_interval(expr.interval, expr.name))
        later = _plus_days(kernel, _plus_months(kernel, ts, months, zone), days, zone)
        return _plus_micros(kernel, later, micros)
    interval = kernel.emit(expr.interval)
    if kernel.all_ok(ts, interval) == "False":
        return null_value(expr.type)
    days, rest = _whole_days(kernel, interval)
    return _plus_micros(kernel, _plus_days(kernel, ts, days, zone), rest)


def _whole_days(kernel: Kernel, interval: Value) -> tuple[Value, Value]:
    """A day-time interval's days and the rest, both with its sign."""
    low, high = (abs(bound) // MICROS_PER_DAY * (1 if bound > 0 else -1) for bound in interval.bounds)
    if low == high == 0:
        return _ZERO, interval
    if interval.bounds[0] == interval.bounds[1]:
        days, rest = times.constant(low), times.constant(interval.bounds[0] - low * MICROS_PER_DAY)
        return days.with_ok(interval.ok), rest.with_ok(interval.ok)
    function = kernel.use("integers.quotient")
    days = times.number(kernel, "days", f"{function}({interval.code}, int64({MICROS_PER_DAY}))", low, high)
    top = MICROS_PER_DAY - 1
    rest = times.number(kernel, "rest", f"{interval.code} - {days.code} * int64({MICROS_PER_DAY})", -top, top)
    return days.with_ok(interval.ok), rest.with_ok(interval.ok)


@emits(d.TimestampAddYMInterval)
def timestamp_add_ym_interval(kernel: Kernel, expr: d.TimestampAddYMInterval) -> Value:
    ts, months = kernel.emit(expr.timestamp), kernel.emit(expr.interval)
    if kernel.all_ok(ts, months) == "False":
        return null_value(expr.type)
    return _plus_months(kernel, ts, months, times.zone_for(expr.timestamp.type, expr.timeZoneId))


# Units of TIMESTAMPADD and TIMESTAMPDIFF: microseconds, days or months.
_TIMES: Final = {
    "MICROSECOND": 1,
    "MILLISECOND": 1000,
    "SECOND": times.SECOND,
    "MINUTE": 60 * times.SECOND,
    "HOUR": 3600 * times.SECOND,
}
_DAYS: Final = {"DAY": 1, "DAYOFYEAR": 1, "WEEK": 7}
_MONTHS: Final = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


@emits(d.TimestampAdd)
def timestamp_add(kernel: Kernel, expr: d.TimestampAdd) -> Value:
    """A number of units later; numbers that do not fit are errors."""
    unit, ts, count = expr.unit.upper(), kernel.emit(expr.timestamp), kernel.emit(expr.quantity)
    ok = kernel.all_ok(ts, count)
    if ok == "False":
        return null_value(expr.type)
    count, zone = count.with_ok(ok), times.zone_for(expr.timestamp.type, expr.timeZoneId)
    if unit in _TIMES:
        return _plus_micros(kernel, ts, _multiplied(kernel, count, _TIMES[unit], LONG))
    if unit in _DAYS:
        return _plus_days(kernel, ts, _multiplied(kernel, count, _DAYS[unit], INTEGER), zone)
    if unit in _MONTHS:
        return _plus_months(kernel, ts, _multiplied(kernel, count, _MONTHS[unit], INTEGER), zone)
    raise Unsupported(f"the unit {expr.unit} is not supported", expr.name)


def _multiplied(kernel: Kernel, count: Value, factor: int, type_: DataType) -> Value:
    """A checked product."""
    count = into_range(kernel, count, type_, "ANSI")
    return count if factor == 1 else integral(kernel, "*", count, times.constant(factor), type_, count.ok, "ANSI")


# Differences ----------------------------------------------------------------------------------------------------------


def _difference(kernel: Kernel, end: Value, start: Value, zone: Zone) -> tuple[Value, Value]:
    """The seconds, rounded down, and the microseconds from one local time to another."""
    seconds = [times.local_seconds(kernel, ts, zone) for ts in (end, start)]
    fractions = [times.micro(kernel, ts) for ts in (end, start)]
    (low, high), (start_low, start_high) = (second.bounds for second in seconds)
    borrow = kernel.let("less", f"{fractions[0].code} - {fractions[1].code}")
    second = times.number(
        kernel,
        "apart",
        f"{seconds[0].code} - {seconds[1].code} + ({borrow} >> 63)",
        low - start_high - 1,
        high - start_low,
    )
    code = f"{borrow} + int64({times.SECOND}) if {borrow} < 0 else {borrow}"
    return second, times.number(kernel, "micros_apart", code, 0, times.SECOND - 1)


@emits(d.SubtractTimestamps)
def subtract_timestamps(kernel: Kernel, expr: d.SubtractTimestamps) -> Value:
    """The time between two local times."""
    if expr.legacyInterval:
        raise Unsupported("calendar intervals are not supported", expr.name)
    end, start = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = kernel.all_ok(end, start)
    zone = times.zone_for(expr.left.type, expr.timeZoneId)
    if zone.fixed is not None:
        return replace(integral(kernel, "-", end, start, LONG, ok, "ANSI"), type=expr.type)
    return times.timestamp(kernel, *_difference(kernel, end, start, zone), expr.type, ok)


@emits(d.TimestampDiff)
def timestamp_diff(kernel: Kernel, expr: d.TimestampDiff) -> Value:
    """The whole units between two local times."""
    unit, zone = expr.unit.upper(), times.zone_for(expr.endTimestamp.type, expr.timeZoneId)
    start, end = kernel.emit(expr.startTimestamp), kernel.emit(expr.endTimestamp)
    ok = kernel.all_ok(start, end)
    if unit in _MONTHS:
        return replace(_whole_months(kernel, start, end, zone, _MONTHS[unit]), type=expr.type, ok=ok)
    if unit in _TIMES or unit in ("DAY", "WEEK"):
        second, fraction = _difference(kernel, end, start, zone)
        if unit == "MICROSECOND":
            return times.timestamp(kernel, second, fraction, expr.type, ok)
        size = _TIMES.get(unit) or _DAYS[unit] * MICROS_PER_DAY
        return replace(_whole_units(kernel, second, fraction, size), type=expr.type, ok=ok)
    raise Unsupported(f"the unit {expr.unit} is not supported", expr.name)


def _whole_units(kernel: Kernel, second: Value, fraction: Value, size: int) -> Value:
    """Units of `size` microseconds (a thousand, or whole seconds), truncated towards zero."""
    low, high = (bound * times.SECOND // size for bound in second.bounds)
    if size < times.SECOND:
        code = f"{kernel.use('times.whole_millis')}({second.code}, {fraction.code})"
    else:
        whole = f"{kernel.use('times.toward_zero')}({second.code}, {fraction.code})"
        code = f"{kernel.use('integers.quotient')}({whole}, int64({size // times.SECOND}))"
    return times.number(kernel, "units", code, low, high + 1000)


def _whole_months(kernel: Kernel, start: Value, end: Value, zone: Zone, unit: int) -> Value:
    arguments = []
    for ts in (start, end):
        of_day = times.second_of_day(kernel, ts, zone)
        micro = times.micro(kernel, ts)
        arguments += [times.local_day(kernel, ts, zone).code, f"{of_day.code} * int64({times.SECOND}) + {micro.code}"]
    months = f"{kernel.use('dates.whole_months')}({', '.join(arguments)})"
    code = months if unit == 1 else f"{kernel.use('integers.quotient')}({months}, int64({unit}))"
    return times.number(kernel, "months", code, -_MAX_MONTHS, _MAX_MONTHS)


@emits(d.MonthsBetween)
def months_between(kernel: Kernel, expr: d.MonthsBetween) -> Value:
    """Months as a double, by days of 31 to a month unless both are on the same day or both on the month's last."""
    values = [kernel.emit(expr.date1), kernel.emit(expr.date2)]
    rounds, zone = kernel.emit(expr.roundOff), times.zone_for(TIMESTAMP, expr.timeZoneId)
    ok = kernel.all_ok(*values, rounds)
    arguments = []
    for ts in values:
        day = times.local_day(kernel, ts, zone)
        start = times.start_of_day(kernel, zone, day)
        times.timestamp(kernel, start, _ZERO, TIMESTAMP, ok)
        arguments += [day.code, f"{times.seconds(kernel, ts).code} - {start.code}"]
    months = kernel.let("months", f"{kernel.use('dates.months_between')}({', '.join(arguments)})")
    if rounds.code != "False":
        rounded = f"{kernel.use('times.half_up')}({months} * 1e8) / 1e8"
        months = kernel.let(
            "rounded", rounded if rounds.code == "True" else f"{rounded} if {rounds.code} else {months}"
        )
    return Value(expr.type, Kind.F64, months, ok)


# Truncation -----------------------------------------------------------------------------------------------------------

_UNITS: Final = {"MINUTE": 60, "HOUR": 3600, "DAY": DAY, "DD": DAY}


@emits(d.TruncTimestamp)
def trunc_timestamp(kernel: Kernel, expr: d.TruncTimestamp) -> Value:
    """The beginning of the timestamp's unit in local time; null for an unknown unit."""
    unit = upper_literal(expr.format, expr.name) or ""
    ts, zone = kernel.emit(expr.timestamp), times.zone_for(expr.timestamp.type, expr.timeZoneId)
    if ts.ok == "False" or unit not in ("MICROSECOND", "MILLISECOND", "SECOND", *_UNITS, *TRUNCATIONS):
        return null_value(expr.type)
    if unit in ("MICROSECOND", "MILLISECOND", "SECOND"):
        return _truncated_second(kernel, ts, _TIMES[unit])
    if unit in _UNITS:
        second = times.truncated(kernel, zone, ts, _UNITS[unit])
    else:
        day = truncated_date(kernel, times.local_day(kernel, ts, zone), TRUNCATIONS[unit])
        second = times.start_of_day(kernel, zone, day)
    return times.timestamp(kernel, second, _ZERO, expr.type, ts.ok)


def _truncated_second(kernel: Kernel, ts: Value, unit: int) -> Value:
    """Below a second the zone does not matter; here Spark's arithmetic wraps."""
    if unit == 1:
        return ts
    rest = kernel.let("rest", f"{kernel.use('dates.floor_remainder')}({ts.code}, int64({unit}))")
    low, high = ts.bounds
    if low - unit >= LONG_MIN:
        return replace(ts, code=kernel.let("begun", f"{ts.code} - {rest}"), low=low - unit, high=high)
    code = kernel.let("begun", f"{kernel.use('integers.wrap_sub')}({ts.code}, {rest})")
    return replace(ts, code=code, low=LONG_MIN, high=LONG_MAX)


# Zones ----------------------------------------------------------------------------------------------------------------


def _literal_zone(expr: e.Expr, name: str) -> Zone | None:
    """The zone that a literal names; None for a null."""
    if not isinstance(expr, e.Literal):
        raise Unsupported("only a literal is supported as a time zone", name)
    return None if expr.value is None else zone_of(expr.value.decode())


@emits(d.FromUTCTimestamp)
def from_utc_timestamp(kernel: Kernel, expr: d.FromUTCTimestamp) -> Value:
    """The local time in a zone, written as if it were UTC."""
    ts, zone = kernel.emit(expr.left), _literal_zone(expr.right, expr.name)
    return null_value(expr.type) if zone is None or ts.ok == "False" else to_local(kernel, ts, zone, expr.type)


@emits(d.ToUTCTimestamp)
def to_utc_timestamp(kernel: Kernel, expr: d.ToUTCTimestamp) -> Value:
    """The instant of a local time in a zone."""
    ts, zone = kernel.emit(expr.left), _literal_zone(expr.right, expr.name)
    return null_value(expr.type) if zone is None or ts.ok == "False" else from_local(kernel, ts, zone, expr.type)


@emits(d.ConvertTimezone)
def convert_timezone(kernel: Kernel, expr: d.ConvertTimezone) -> Value:
    """The local time in one zone when it is some local time in another."""
    ts = kernel.emit(expr.sourceTs)
    source, target = (_literal_zone(zone, expr.name) for zone in (expr.sourceTz, expr.targetTz))
    if source is None or target is None or ts.ok == "False":
        return null_value(expr.type)
    return to_local(kernel, from_local(kernel, ts, source, TIMESTAMP), target, TIMESTAMP_NTZ)


def to_local(kernel: Kernel, ts: Value, zone: Zone, type_: DataType, mode: str = "ANSI") -> Value:
    """A timestamp's local time; Spark raises where that does not fit, except in TRY mode."""
    if zone.fixed == 0:
        return replace(ts, type=type_)
    local = times.local_seconds(kernel, ts, zone)
    return times.timestamp(kernel, local, times.micro(kernel, ts), type_, ts.ok, mode)


def from_local(kernel: Kernel, ts: Value, zone: Zone, type_: DataType, mode: str = "ANSI") -> Value:
    """The instant of a local time; Spark raises where that does not fit, except in TRY mode."""
    if zone.fixed == 0:
        return replace(ts, type=type_)
    second = times.instant(kernel, zone, times.seconds(kernel, ts))
    return times.timestamp(kernel, second, times.micro(kernel, ts), type_, ts.ok, mode)


# Parts ----------------------------------------------------------------------------------------------------------------


@emits(d.MakeTimestamp)
def make_timestamp(kernel: Kernel, expr: d.MakeTimestamp) -> Value:
    """A timestamp of its parts: null, or an error in ANSI mode, if there is no such time. 60 seconds are a minute."""
    values = [kernel.emit(part) for part in (expr.year, expr.month, expr.day, expr.hour, expr.min, expr.sec)]
    ok = kernel.all_ok(*values)
    zone = _made_in(expr)
    if ok == "False" or zone is None:
        return null_value(expr.type)
    date, (hour, minute, sec) = ", ".join(v.code for v in values[:3]), (v.code for v in values[3:])
    sec = kernel.let("sec", f"int64(int32({sec}))")
    seconds = kernel.let("second", f"{kernel.use('dates.floor_quotient')}({sec}, int64({times.SECOND}))")
    fraction = times.number(kernel, "micro", f"{sec} - {seconds} * int64({times.SECOND})", 0, times.SECOND - 1)
    exists = kernel.let(
        "exists",
        f"{kernel.use('dates.is_date')}({date}) and 0 <= {hour} <= 23 and 0 <= {minute} <= 59 "
        f"and (0 <= {seconds} <= 59 or ({seconds} == 60 and {fraction.code} == 0))",
    )
    if expr.failOnError:
        kernel.fail_when(f"not {exists}", ok)
    else:
        ok = kernel.let("ok", conjunction(ok, exists))
    hours = kernel.let("hours", f"{kernel.use('dates.days_of')}({date}) * int64(24) + {hour}")
    code = f"{hours} * int64(3600) + {minute} * int64(60) + {seconds}"
    local = times.number(kernel, "local", code, -(2**55), 2**55)
    return times.timestamp(kernel, times.instant(kernel, zone, local), fraction, expr.type, ok)


def _made_in(expr: d.MakeTimestamp) -> Zone | None:
    if expr.dataType == TIMESTAMP_NTZ:
        return zone_of("UTC")
    if expr.timezone is not None:
        return _literal_zone(expr.timezone, expr.name)
    return times.zone_for(TIMESTAMP, expr.timeZoneId)


# Numbers --------------------------------------------------------------------------------------------------------------


@emits(d.UnixMicros, d.MicrosToTimestamp, d.PreciseTimestampConversion)
def same_micros(kernel: Kernel, expr: e.Unary) -> Value:
    return replace(kernel.emit(expr.child), type=expr.type)


@emits(d.UnixMillis)
def unix_millis(kernel: Kernel, expr: d.UnixMillis) -> Value:
    ts = kernel.emit(expr.child)
    return replace(times.quotient(kernel, "millis", ts, 1000), type=expr.type, ok=ts.ok)


@emits(d.UnixSeconds)
def unix_seconds(kernel: Kernel, expr: d.UnixSeconds) -> Value:
    ts = kernel.emit(expr.child)
    return replace(times.seconds(kernel, ts), type=expr.type, ok=ts.ok)


@emits(d.MillisToTimestamp)
def millis_to_timestamp(kernel: Kernel, expr: d.MillisToTimestamp) -> Value:
    value = kernel.emit(expr.child)
    return replace(_multiplied(kernel, replace(value, type=LONG), 1000, LONG), type=expr.type)


@emits(d.SecondsToTimestamp)
def seconds_to_timestamp(kernel: Kernel, expr: d.SecondsToTimestamp) -> Value:
    """Seconds, which may have a fraction: what does not fit is an error, NaN and infinities are null."""
    value, type_ = kernel.emit(expr.child), expr.child.type
    if value.ok == "False":
        return null_value(expr.type)
    if type_.is_floating:
        return floating_seconds(kernel, value, expr.type)
    if type_.is_integral or (type_.is_decimal and type_.scale <= 6 and value.kind is Kind.INT):
        micros = _multiplied(kernel, replace(value, type=LONG), 10 ** (6 - type_.scale), LONG)
        return replace(micros, type=expr.type)
    raise Unsupported(f"timestamps of seconds of type {type_} are not supported", expr.name)


def floating_seconds(kernel: Kernel, value: Value, type_: DataType) -> Value:
    """Seconds as a double: truncated to microseconds, brought into range; null if it is NaN or infinite."""
    double = f"float64({value.code}) * 1000000.0"
    ok = kernel.let("finite", conjunction(value.ok, f"{value.code} - {value.code} == 0"))
    code = kernel.let("micros", f"{kernel.use('floats.to_long')}({double})")
    return Value(type_, Kind.INT, code, ok, LONG_MIN, LONG_MAX)


@emits(d.UnixTimestamp, d.ToUnixTimestamp)
def unix_timestamp(kernel: Kernel, expr: d.UnixTime) -> Value:
    """The seconds of a date's first instant, or of a timestamp, truncated towards zero."""
    type_ = expr.timeExp.type
    if type_.is_stringlike:
        return parsed_seconds(kernel, expr)
    value = kernel.emit(expr.timeExp)
    if type_.name == "date":
        second = times.start_of_day(kernel, times.zone_for(TIMESTAMP, expr.timeZoneId), value)
        times.timestamp(kernel, second, _ZERO, TIMESTAMP, value.ok)
        return replace(second, type=expr.type, ok=value.ok)
    code = kernel.let("seconds", f"{kernel.use('integers.quotient')}({value.code}, int64({times.SECOND}))")
    low, high = (bound // times.SECOND for bound in value.bounds)
    return Value(expr.type, Kind.INT, code, value.ok, low, high + 1)


# Intervals ------------------------------------------------------------------------------------------------------------


@emits(d.ExtractANSIIntervalYears, d.ExtractANSIIntervalMonths)
def interval_months(kernel: Kernel, expr: e.Unary) -> Value:
    """Whole years, or the months that are left, with the interval's sign."""
    months = kernel.emit(expr.child)
    function = "quotient" if isinstance(expr, d.ExtractANSIIntervalYears) else "remainder"
    code = kernel.let("part", f"{kernel.use(f'integers.{function}')}({months.code}, int64(12))")
    return Value(expr.type, Kind.INT, code, months.ok)


# How many microseconds a part has, and of how many microseconds it is the rest.
_PARTS: Final = {
    d.ExtractANSIIntervalDays: (MICROS_PER_DAY, 0),
    d.ExtractANSIIntervalHours: (3600 * times.SECOND, MICROS_PER_DAY),
    d.ExtractANSIIntervalMinutes: (60 * times.SECOND, 3600 * times.SECOND),
    d.ExtractANSIIntervalSeconds: (1, 60 * times.SECOND),
}


@emits(*_PARTS)
def interval_part(kernel: Kernel, expr: e.Unary) -> Value:
    """Days, or the hours, minutes or seconds that are left, with the interval's sign."""
    interval = kernel.emit(expr.child)
    unit, whole = _PARTS[type(expr)]
    code, top = interval.code, max(abs(bound) for bound in interval.bounds) // unit
    if whole:
        code, top = f"{kernel.use('integers.remainder')}({code}, int64({whole}))", whole // unit - 1
    if unit > 1:
        code = f"{kernel.use('integers.quotient')}({code}, int64({unit}))"
    return Value(expr.type, Kind.INT, kernel.let("part", code), interval.ok, -top, top)
