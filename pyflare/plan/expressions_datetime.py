"""Expressions over dates, timestamps and intervals; see `plan/expressions.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyflare.plan.expressions import Binary, Expr, Unary
from pyflare.types import DataType

# Fields of a date -----------------------------------------------------------------------------------------------------


class Year(Unary):
    pass


class YearOfWeek(Unary):
    pass


class Quarter(Unary):
    pass


class Month(Unary):
    pass


class WeekOfYear(Unary):
    pass


class DayOfYear(Unary):
    pass


class DayOfMonth(Unary):
    pass


class DayOfWeek(Unary):
    pass


class WeekDay(Unary):
    pass


class MonthName(Unary):
    pass


class DayName(Unary):
    pass


# Fields of a timestamp ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TimeField(Unary):
    """A part of the local time of day."""

    timeZoneId: str | None


class Hour(TimeField):
    pass


class Minute(TimeField):
    pass


class Second(TimeField):
    pass


class SecondWithFraction(TimeField):
    pass


# Dates ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DateAdd(Expr):
    startDate: Expr
    days: Expr


@dataclass(frozen=True, kw_only=True)
class DateSub(Expr):
    startDate: Expr
    days: Expr


@dataclass(frozen=True, kw_only=True)
class DateDiff(Expr):
    endDate: Expr
    startDate: Expr


@dataclass(frozen=True, kw_only=True)
class AddMonths(Expr):
    startDate: Expr
    numMonths: Expr


@dataclass(frozen=True, kw_only=True)
class DateAddYMInterval(Expr):
    date: Expr
    interval: Expr


@dataclass(frozen=True, kw_only=True)
class DateAddInterval(Expr):
    """A date plus months and days; an interval with microseconds is an error, or goes by way of a timestamp."""

    start: Expr
    interval: Expr
    timeZoneId: str | None
    ansiEnabled: bool


@dataclass(frozen=True, kw_only=True)
class SubtractDates(Binary):
    legacyInterval: bool


@dataclass(frozen=True, kw_only=True)
class LastDay(Expr):
    startDate: Expr


@dataclass(frozen=True, kw_only=True)
class NextDay(Expr):
    startDate: Expr
    dayOfWeek: Expr
    failOnError: bool


@dataclass(frozen=True, kw_only=True)
class TruncDate(Expr):
    date: Expr
    format: Expr


@dataclass(frozen=True, kw_only=True)
class MakeDate(Expr):
    year: Expr
    month: Expr
    day: Expr
    failOnError: bool


class UnixDate(Unary):
    pass


class DateFromUnixDate(Unary):
    pass


# Timestamps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TimestampAddInterval(Expr):
    """A timestamp plus a day-time or a calendar interval."""

    start: Expr
    interval: Expr
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class TimestampAddYMInterval(Expr):
    timestamp: Expr
    interval: Expr
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class SubtractTimestamps(Binary):
    """The difference of the local times."""

    legacyInterval: bool
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class TimestampAdd(Expr):
    unit: str
    quantity: Expr
    timestamp: Expr
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class TimestampDiff(Expr):
    unit: str
    startTimestamp: Expr
    endTimestamp: Expr
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class TruncTimestamp(Expr):
    format: Expr
    timestamp: Expr
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class MonthsBetween(Expr):
    date1: Expr
    date2: Expr
    roundOff: Expr
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class MakeTimestamp(Expr):
    """A timestamp of its parts, `sec` with six digits after the point; `timezone` beats `timeZoneId`."""

    year: Expr
    month: Expr
    day: Expr
    hour: Expr
    min: Expr
    sec: Expr
    timezone: Expr | None
    timeZoneId: str | None
    failOnError: bool
    dataType: DataType


@dataclass(frozen=True, kw_only=True)
class FromUTCTimestamp(Binary):
    pass


@dataclass(frozen=True, kw_only=True)
class ToUTCTimestamp(Binary):
    pass


@dataclass(frozen=True, kw_only=True)
class ConvertTimezone(Expr):
    sourceTz: Expr
    targetTz: Expr
    sourceTs: Expr


# Numbers --------------------------------------------------------------------------------------------------------------


class UnixMicros(Unary):
    pass


class UnixMillis(Unary):
    pass


class UnixSeconds(Unary):
    pass


class SecondsToTimestamp(Unary):
    pass


class MillisToTimestamp(Unary):
    pass


class MicrosToTimestamp(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class PreciseTimestampConversion(Unary):
    """The same microseconds under another name."""

    fromType: DataType
    toType: DataType


@dataclass(frozen=True, kw_only=True)
class UnixTime(Expr):
    """Seconds of a date, a timestamp, or a string in some format."""

    timeExp: Expr
    format: Expr
    timeZoneId: str | None
    failOnError: bool


class UnixTimestamp(UnixTime):
    pass


class ToUnixTimestamp(UnixTime):
    pass


# Patterns -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DateFormatClass(Binary):
    """A timestamp in a pattern."""

    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class FromUnixTime(Expr):
    """Seconds in a pattern."""

    sec: Expr
    format: Expr
    timeZoneId: str | None


@dataclass(frozen=True, kw_only=True)
class GetTimestamp(Binary):
    """The timestamp in a string, by a pattern."""

    dataType: DataType
    timeZoneId: str | None
    failOnError: bool
    ignored: ClassVar[tuple[str, ...]] = ("suggestedFuncOnFail",)


# Intervals ------------------------------------------------------------------------------------------------------------


class ExtractANSIIntervalYears(Unary):
    pass


class ExtractANSIIntervalMonths(Unary):
    pass


class ExtractANSIIntervalDays(Unary):
    pass


class ExtractANSIIntervalHours(Unary):
    pass


class ExtractANSIIntervalMinutes(Unary):
    pass


class ExtractANSIIntervalSeconds(Unary):
    pass
