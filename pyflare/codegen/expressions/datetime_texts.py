"""Dates and timestamps from and to strings: casts in Spark's own grammar, and functions with a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pyflare.calendar import days_of
from pyflare.codegen import times
from pyflare.codegen.arena import computed_text
from pyflare.codegen.expressions.casts import casts, refused
from pyflare.codegen.expressions.dates import MONTHS, WEEKDAYS
from pyflare.codegen.expressions.strings import text_literal
from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Kernel, emits, null_value
from pyflare.codegen.patterns import read, written
from pyflare.codegen.values import LONG_MAX, LONG_MIN, Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_datetime as d
from pyflare.runtime import datetexts
from pyflare.types import LONG, STRING, TIMESTAMP, TIMESTAMP_NTZ, Kind
from pyflare.zones import DAY, Zone

_LOCALS: Final = (-(2**45), 2**45)  # local seconds of years of up to six digits
_PATTERN_LOCALS: Final = (days_of(0, 1, 1) * DAY, days_of(10000, 1, 1) * DAY)
_MICROS: Final = (0, times.SECOND - 1)

# Casts ----------------------------------------------------------------------------------------------------------------


@casts("string", "date")
def string_to_date(kernel: Kernel, expr: e.Cast, text: Value) -> Value:
    """`[+-]y…y[-m[m][-d[d]]]`, and anything after a date and a blank or `T`."""
    call = f"{kernel.use('datetexts.parse_date')}({', '.join(kernel.text(text))})"
    days, exists = _parts(kernel, ("days", "exists"), call, "(int64(0), False)", text.ok)
    return refused(kernel, expr, Value(expr.type, Kind.INT, days, text.ok), f"not {exists}")


@casts("string", "timestamp timestamp_ntz")
def string_to_timestamp(kernel: Kernel, expr: e.Cast, text: Value) -> Value:
    """A local time, or one with an offset; names of zones, and times without a date, need Spark."""
    call = f"{kernel.use('datetexts.parse_timestamp')}({', '.join(kernel.text(text))})"
    nothing = f"({', '.join(['int64(0)'] * 4)})"
    found, local, micro, offset = _parts(kernel, ("found", "local", "micro", "offset"), call, nothing, text.ok)
    kernel.fail_when(f"{found} == {datetexts.UNKNOWN}", text.ok, UNSUPPORTED_ERROR)
    second = Value(LONG, Kind.INT, local, None, *_LOCALS)
    if expr.type.name == "timestamp":
        zone = times.zone_for(TIMESTAMP, expr.timeZoneId)
        own = times.instant(kernel, zone, second).code
        code = f"{local} - {offset} if {found} == {datetexts.WITH_OFFSET} else {own}"
        second = times.number(kernel, "second", code, _LOCALS[0] - DAY, _LOCALS[1] + DAY)
    value, bad = times.micros(kernel, second, Value(LONG, Kind.INT, micro, None, *_MICROS), expr.type)
    condition = f"{found} == {datetexts.INVALID}" + (f" or {bad}" if bad else "")
    return refused(kernel, expr, value.with_ok(text.ok), condition)


def _parts(kernel: Kernel, hints: Sequence[str], call: str, nothing: str, ok: str | None) -> list[str]:
    """The names of what a helper gives, which is called only where `ok` holds."""
    names = [kernel.writer.fresh(hint) for hint in hints]
    kernel.line(f"{', '.join(names)} = {call if ok is None else f'{call} if {ok} else {nothing}'}")
    return names


@casts("date", "string")
def date_to_string(kernel: Kernel, expr: e.Cast, date: Value) -> Value:
    return computed_text(kernel, expr.type, "datetexts.date_text", (date.code,), date.ok)


@casts("timestamp timestamp_ntz", "string")
def timestamp_to_string(kernel: Kernel, expr: e.Cast, ts: Value) -> Value:
    """The local time."""
    local = times.local_seconds(kernel, ts, times.zone_for(expr.child.type, expr.timeZoneId))
    arguments = (local.code, times.micro(kernel, ts).code)
    return computed_text(kernel, expr.type, "datetexts.timestamp_text", arguments, ts.ok)


# Patterns -------------------------------------------------------------------------------------------------------------


def _pattern(kernel: Kernel, expr: e.Expr, name: str) -> str | None:
    """The pattern in a literal; None for a null."""
    if kernel.conf.get("spark.sql.legacy.timeParserPolicy", "").upper() == "LEGACY":
        raise Unsupported("the legacy time parser is not supported", name)
    if not isinstance(expr, e.Literal):
        raise Unsupported("only a literal is supported as a pattern", name)
    return None if expr.value is None else expr.value.decode()


def _formatted(kernel: Kernel, ts: Value, zone: Zone, pattern: str) -> Value:
    local = times.local_seconds(kernel, ts, zone)
    names = kernel.text(text_literal(kernel, (MONTHS + WEEKDAYS).encode()))[0]
    arguments = (local.code, times.micro(kernel, ts).code, *kernel.text(text_literal(kernel, written(pattern))), names)
    return computed_text(kernel, STRING, "datetexts.pattern_text", arguments, ts.ok)


@emits(d.DateFormatClass)
def date_format(kernel: Kernel, expr: d.DateFormatClass) -> Value:
    """A timestamp's local time in a pattern."""
    ts, pattern = kernel.emit(expr.left), _pattern(kernel, expr.right, expr.name)
    if pattern is None or ts.ok == "False":
        return null_value(expr.type)
    return _formatted(kernel, ts, times.zone_for(TIMESTAMP, expr.timeZoneId), pattern)


@emits(d.FromUnixTime)
def from_unixtime(kernel: Kernel, expr: d.FromUnixTime) -> Value:
    """The local time of a number of seconds, in a pattern; what is too large wraps."""
    value, pattern = kernel.emit(expr.sec), _pattern(kernel, expr.format, expr.name)
    if pattern is None or value.ok == "False":
        return null_value(expr.type)
    low, high = (bound * times.SECOND for bound in value.bounds)
    fits = low >= LONG_MIN and high <= LONG_MAX
    code = kernel.let("micros", f"{kernel.use('integers.wrap_mul')}({value.code}, int64({times.SECOND}))")
    ts = Value(TIMESTAMP, Kind.INT, code, value.ok, low if fits else LONG_MIN, high if fits else LONG_MAX)
    return _formatted(kernel, ts, times.zone_for(TIMESTAMP, expr.timeZoneId), pattern)


@emits(d.GetTimestamp)
def get_timestamp(kernel: Kernel, expr: d.GetTimestamp) -> Value:
    """The timestamp in a string, by a pattern."""
    second, micro, ok = _parsed(kernel, expr.left, expr.right, expr.name)
    if ok == "False":
        return null_value(expr.type)
    if expr.dataType != TIMESTAMP_NTZ:
        second = times.instant(kernel, times.zone_for(TIMESTAMP, expr.timeZoneId), second)
    return times.timestamp(kernel, second, micro, expr.type, ok)


def parsed_seconds(kernel: Kernel, expr: d.UnixTime) -> Value:
    """The seconds of the timestamp in a string, by a pattern, truncated towards zero."""
    local, micro, ok = _parsed(kernel, expr.timeExp, expr.format, expr.name)
    if ok == "False":
        return null_value(expr.type)
    second = times.instant(kernel, times.zone_for(TIMESTAMP, expr.timeZoneId), local)
    low, high = second.bounds
    code = f"{kernel.use('times.toward_zero')}({second.code}, {micro.code})"
    return replace(times.number(kernel, "seconds", code, low, high + 1), type=expr.type, ok=ok)


def _parsed(kernel: Kernel, text: e.Expr, format_: e.Expr, name: str) -> tuple[Value, Value, str | None]:
    """The local second and the microseconds of a string. Spark decides about one that does not match to the letter."""
    if text.type != STRING:
        raise Unsupported(f"a {text.type} is not parsed with a pattern", name)
    value, pattern = kernel.emit(text), _pattern(kernel, format_, name)
    if pattern is None or value.ok == "False":
        return times.constant(0), times.constant(0), "False"
    program, missing = read(pattern)
    arguments = ", ".join((*kernel.text(value), *kernel.text(text_literal(kernel, program)), f"int64({missing})"))
    call = f"{kernel.use('datetexts.parse_pattern')}({arguments})"
    hints, nothing = ("matches", "local", "micro"), "(False, int64(0), int64(0))"
    matches, local, micro = _parts(kernel, hints, call, nothing, value.ok)
    kernel.fail_when(f"not {matches}", value.ok, UNSUPPORTED_ERROR)
    return (
        Value(LONG, Kind.INT, local, None, *_PATTERN_LOCALS),
        Value(LONG, Kind.INT, micro, None, *_MICROS),
        value.ok,
    )
