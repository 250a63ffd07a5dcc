"""Dates: days since 1970-01-01 in the proleptic Gregorian calendar, 32 bits that wrap where Java's `int` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from pyflare import calendar
from pyflare.codegen import times
from pyflare.codegen.expressions.arithmetic import integral
from pyflare.codegen.kernel import Kernel, conjunction, emits, null_value
from pyflare.codegen.values import Value, scalar
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_datetime as d
from pyflare.types import DATE, INTEGER, INTEGRAL_BOUNDS, LONG, DataType, Kind
from pyflare.zones import DAY

MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
WEEKDAYS: Final = "MonTueWedThuFriSatSun"
_MICROS_PER_DAY: Final = DAY * times.SECOND

# Fields ---------------------------------------------------------------------------------------------------------------

Field = Callable[[Kernel, Value], tuple[str, int, int]]


def _field(expr: e.Unary, kernel: Kernel, field: Field) -> Value:
    date = kernel.emit(expr.child)
    code, low, high = field(kernel, date)
    return Value(expr.type, Kind.INT, code, date.ok, low, high)


def _year(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    low, high = map(calendar.year_of, date.bounds)
    return times.civil(kernel, date)[0], low, high


def _month(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    """All months, unless the dates lie in one year."""
    (year, low, _), (end_year, high, _) = map(calendar.civil, date.bounds)
    return times.civil(kernel, date)[1], *((low, high) if year == end_year else (1, 12))


def _quarter(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    month, low, high = _month(kernel, date)
    code = kernel.let("quarter", f"{kernel.use('integers.quotient')}({month} + int64(2), int64(3))")
    return code, (low + 2) // 3, (high + 2) // 3


def _day_of_month(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    return times.civil(kernel, date)[2], 1, 31


def _day_of_year(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    call = f"{kernel.use('dates.day_of_year')}({', '.join(times.civil(kernel, date))})"
    return kernel.let("day_of_year", call), 1, 366


def _weekday(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    """0 for a Monday."""
    return kernel.let("weekday", f"{kernel.use('dates.weekday')}({date.code})"), 0, 6


def _day_of_week(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    """1 for a Sunday."""
    return kernel.let("day_of_week", f"{kernel.use('dates.weekday')}({date.code} + int64(1)) + int64(1)"), 1, 7


def _week(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    return kernel.let("week", f"{kernel.use('dates.week_of')}({date.code})[1]"), 1, 53


def _year_of_week(kernel: Kernel, date: Value) -> tuple[str, int, int]:
    low, high = (calendar.year_of(day - calendar.weekday(day) + 3) for day in date.bounds)
    return kernel.let("year_of_week", f"{kernel.use('dates.week_of')}({date.code})[0]"), low, high


_FIELDS: Final[dict[type[e.Unary], Field]] = {
    d.Year: _year,
    d.YearOfWeek: _year_of_week,
    d.Quarter: _quarter,
    d.Month: _month,
    d.WeekOfYear: _week,
    d.DayOfYear: _day_of_year,
    d.DayOfMonth: _day_of_month,
    d.DayOfWeek: _day_of_week,
    d.WeekDay: _weekday,
}


@emits(*_FIELDS)
def date_field(kernel: Kernel, expr: e.Unary) -> Value:
    return _field(expr, kernel, _FIELDS[type(expr)])


@emits(d.MonthName)
def month_name(kernel: Kernel, expr: d.MonthName) -> Value:
    date = kernel.emit(expr.child)
    return _name(kernel, expr.type, "month_names", MONTHS, f"{times.civil(kernel, date)[1]} - int64(1)", date.ok)


@emits(d.DayName)
def day_name(kernel: Kernel, expr: d.DayName) -> Value:
    date = kernel.emit(expr.child)
    return _name(kernel, expr.type, "day_names", WEEKDAYS, _weekday(kernel, date)[0], date.ok)


def _name(kernel: Kernel, type_: DataType, hint: str, names: str, index: str, ok: str | None) -> Value:
    """A name of three letters. The index of a null may be anything up to 15."""
    letters = np.frombuffer(names.encode().ljust(3 * 16 + 8), np.uint8)
    base = kernel.param(hint, hint, scalar("uint64"), lambda _frame: int(letters.ctypes.data))
    address = kernel.let("name", f"{base} + uint64(int64(3) * (({index}) & int64(15)))")
    return Value(type_, Kind.STR, address, ok, length="int64(3)")


# Days -----------------------------------------------------------------------------------------------------------------


def _days(kernel: Kernel, operator: str, a: Value, b: Value, type_: DataType) -> Value:
    """`a operator b` as Java's `int` computes it."""
    ok = kernel.all_ok(a, b)
    if ok == "False":
        return null_value(type_)
    return replace(integral(kernel, operator, a, b, INTEGER, ok, "LEGACY"), type=type_)


@emits(d.DateAdd)
def date_add(kernel: Kernel, expr: d.DateAdd) -> Value:
    return _days(kernel, "+", kernel.emit(expr.startDate), kernel.emit(expr.days), expr.type)


@emits(d.DateSub)
def date_sub(kernel: Kernel, expr: d.DateSub) -> Value:
    return _days(kernel, "-", kernel.emit(expr.startDate), kernel.emit(expr.days), expr.type)


@emits(d.DateDiff)
def date_diff(kernel: Kernel, expr: d.DateDiff) -> Value:
    return _days(kernel, "-", kernel.emit(expr.endDate), kernel.emit(expr.startDate), expr.type)


@emits(d.SubtractDates)
def subtract_dates(kernel: Kernel, expr: d.SubtractDates) -> Value:
    """The days between two dates, as microseconds."""
    if expr.legacyInterval:
        raise Unsupported("calendar intervals are not supported", expr.name)
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    days = integral(kernel, "-", a, b, INTEGER, kernel.all_ok(a, b), "ANSI")
    factor = times.constant(_MICROS_PER_DAY)
    return replace(integral(kernel, "*", days, factor, LONG, days.ok, "ANSI"), type=expr.type)


@emits(d.UnixDate, d.DateFromUnixDate)
def same_days(kernel: Kernel, expr: e.Unary) -> Value:
    return replace(kernel.emit(expr.child), type=expr.type)


# Months ---------------------------------------------------------------------------------------------------------------


@emits(d.AddMonths)
def add_months(kernel: Kernel, expr: d.AddMonths) -> Value:
    return plus_months(kernel, kernel.emit(expr.startDate), kernel.emit(expr.numMonths))


@emits(d.DateAddYMInterval)
def date_add_ym_interval(kernel: Kernel, expr: d.DateAddYMInterval) -> Value:
    return plus_months(kernel, kernel.emit(expr.date), kernel.emit(expr.interval))


def plus_months(kernel: Kernel, date: Value, months: Value) -> Value:
    """The same day of a month before or after, or that month's last day; an error outside of the range of dates."""
    ok = kernel.all_ok(date, months)
    if ok == "False":
        return null_value(date.type)
    return times.exact_date(kernel, moved_by_months(kernel, date, months).with_ok(ok))


def moved_by_months(kernel: Kernel, date: Value, months: Value) -> Value:
    """The day's number some months before or after, which may have more than 32 bits."""
    call = f"{kernel.use('dates.add_months')}({date.code}, {months.code})"
    (low, high), (fewest, most) = date.bounds, months.bounds
    return times.number(kernel, "moved", call, _moved(low, fewest), _moved(high, most))


def _moved(days: int, months: int) -> int:
    year, month, day = calendar.civil(days)
    year, month = divmod(12 * year + month - 1 + months, 12)
    return calendar.days_of(year, month + 1, min(day, calendar.month_length(year, month + 1)))


@emits(d.DateAddInterval)
def date_add_interval(kernel: Kernel, expr: d.DateAddInterval) -> Value:
    """A date plus the months and then the days of a literal interval."""
    months, days, micros = literal_interval(expr.interval, expr.name)
    if micros:
        raise Unsupported("a date plus an interval with a time of day is not supported", expr.name)
    date = kernel.emit(expr.start)
    if months:
        date = moved_by_months(kernel, date, times.constant(months)).with_ok(date.ok)
    moved = times.plus(kernel, "moved", date, times.constant(days)).with_ok(date.ok)
    return times.exact_date(kernel, moved)


def literal_interval(expr: e.Expr, name: str) -> tuple[int, int, int]:
    """The months, days and microseconds of a calendar interval, which must be a literal."""
    if not isinstance(expr, e.Literal) or expr.value is None:
        raise Unsupported("only literal calendar intervals are supported", name)
    months, days, micros = expr.value
    return months, days, micros


# Other dates ----------------------------------------------------------------------------------------------------------


@emits(d.LastDay)
def last_day(kernel: Kernel, expr: d.LastDay) -> Value:
    """The last day of the date's month."""
    date = kernel.emit(expr.startDate)
    year, month, day = times.civil(kernel, date)
    code = f"{date.code} - {day} + {kernel.use('dates.month_length')}({year}, {month})"
    low, high = (_end_of_month(days) for days in date.bounds)
    return times.wrapped_date(kernel, times.number(kernel, "last_day", code, low, high).with_ok(date.ok))


def _end_of_month(days: int) -> int:
    year, month, day = calendar.civil(days)
    return days - day + calendar.month_length(year, month)


_DAYS_OF_WEEK: Final = {
    name[:length]: number
    for number, name in enumerate(("THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY"))
    for length in (2, 3, len(name))
}


@emits(d.NextDay)
def next_day(kernel: Kernel, expr: d.NextDay) -> Value:
    """The first such day of the week after a date."""
    date, name = kernel.emit(expr.startDate), upper_literal(expr.dayOfWeek, expr.name)
    if name is None or date.ok == "False":
        return null_value(expr.type)
    if name not in _DAYS_OF_WEEK:
        if expr.failOnError:
            kernel.fail_when("True", date.ok)
        return null_value(expr.type)
    code = kernel.let("next_day", f"{kernel.use('dates.next_day')}({date.code}, int64({_DAYS_OF_WEEK[name]}))")
    return bounded_date(code, date.ok, date.bounds[0] + 1, date.bounds[1] + 7)


def bounded_date(code: str, ok: str | None, low: int, high: int) -> Value:
    """A date that has wrapped if it had to: the bounds are proven only if they lie within its 32 bits."""
    bottom, top = INTEGRAL_BOUNDS["integer"]
    fits = bottom <= low and high <= top
    return Value(DATE, Kind.INT, code, ok, low if fits else None, high if fits else None)


def upper_literal(expr: e.Expr, name: str) -> str | None:
    """The text of a literal in capital letters; None for a null."""
    if not isinstance(expr, e.Literal):
        raise Unsupported("only a literal is supported as the name of a day or unit", name)
    text: str | None = None if expr.value is None else expr.value.decode()
    if text is not None and not text.isascii():
        raise Unsupported(f"the name {text} of a day or unit is not supported", name)
    return None if text is None else text.upper()


TRUNCATIONS: Final = {
    **dict.fromkeys(("YEAR", "YYYY", "YY"), "year"),
    "QUARTER": "quarter",
    **dict.fromkeys(("MON", "MONTH", "MM"), "month"),
    "WEEK": "week",
}


@emits(d.TruncDate)
def trunc_date(kernel: Kernel, expr: d.TruncDate) -> Value:
    """The first day of the date's week, month, quarter or year; null for any other unit."""
    unit = TRUNCATIONS.get(upper_literal(expr.format, expr.name) or "")
    date = kernel.emit(expr.date)
    if unit is None or date.ok == "False":
        return null_value(expr.type)
    return truncated_date(kernel, date, unit)


def truncated_date(kernel: Kernel, date: Value, unit: str) -> Value:
    """The first day of the date's `week`, `month`, `quarter` or `year`."""
    low, high = date.bounds
    if unit == "week":
        code = kernel.let("monday", f"{kernel.use('dates.monday')}({date.code})")
        return bounded_date(code, date.ok, low - calendar.weekday(low), high - calendar.weekday(high))
    code = kernel.let("first_day", _first_day(kernel, date, unit))
    first = Value(LONG, Kind.INT, code, date.ok, _truncated(low, unit), _truncated(high, unit))
    return (times.exact_date if unit == "quarter" else times.wrapped_date)(kernel, first)


def _first_day(kernel: Kernel, date: Value, unit: str) -> str:
    year, _, day = times.civil(kernel, date)
    if unit == "month":
        return f"{date.code} - {day} + int64(1)"
    if unit == "year":
        return f"{kernel.use('dates.days_of')}({year}, int64(1), int64(1))"
    quarter, _, _ = _quarter(kernel, date)
    return f"{kernel.use('dates.days_of')}({year}, int64(3) * {quarter} - int64(2), int64(1))"


def _truncated(days: int, unit: str) -> int:
    year, month, _ = calendar.civil(days)
    first = {"year": 1, "quarter": (month - 1) // 3 * 3 + 1, "month": month}[unit]
    return calendar.days_of(year, first, 1)


@emits(d.MakeDate)
def make_date(kernel: Kernel, expr: d.MakeDate) -> Value:
    """A date of its parts: null, or an error in ANSI mode, if there is no such day; an error if it is too far away."""
    parts = [kernel.emit(part) for part in (expr.year, expr.month, expr.day)]
    ok = kernel.all_ok(*parts)
    if ok == "False":
        return null_value(expr.type)
    arguments = ", ".join(part.code for part in parts)
    exists = kernel.let("exists", f"{kernel.use('dates.is_date')}({arguments})")
    if expr.failOnError:
        kernel.fail_when(f"not {exists}", ok)
    else:
        ok = kernel.let("ok", conjunction(ok, exists))
    years = parts[0].bounds
    low, high = calendar.days_of(years[0], 1, 1), calendar.days_of(years[1], 12, 31)
    days = times.number(kernel, "days", f"{kernel.use('dates.days_of')}({arguments})", low, high)
    return times.exact_date(kernel, days.with_ok(ok))
