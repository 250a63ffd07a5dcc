"""Dates in kernels: days since 1970-01-01 in the proleptic Gregorian calendar, as `java.time.LocalDate` counts them.

Years begin in March here, so that the leap day is the last one; counting from long before the first date keeps every
number positive, where division needs no branch (Neri and Schneider, "Euclidean affine functions and their application
to calendar algorithms").
"""

from __future__ import annotations

from numba import int32, int64

from pyflare.runtime.compiled import compiled
from pyflare.runtime.integers import quotient, remainder

_ERAS = 500_000  # of 400 years: enough for a date that is moved by 2**31 months
_YEARS = 400 * _ERAS
_DAYS = 146097 * _ERAS + 719468  # from the first March to 1970-01-01


@compiled
def floor_quotient(value: int, divisor: int) -> int:
    """Java's `floorDiv` by a positive divisor."""
    return quotient(value, divisor) - int64(remainder(value, divisor) < 0)


@compiled
def floor_remainder(value: int, divisor: int) -> int:
    """Java's `floorMod` by a positive divisor."""
    rest = remainder(value, divisor)
    return rest + divisor if rest < 0 else rest


@compiled
def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day's number of up to 38 bits."""
    quarters = int64(4) * (days + int64(_DAYS)) + int64(3)
    century = quotient(quarters, int64(146097))
    scaled = int64(2939745) * ((remainder(quarters, int64(146097))) | int64(3))
    day_of_year = quotient(scaled & int64(0xFFFFFFFF), int64(2939745 * 4))
    packed = int64(2141) * day_of_year + int64(197913)
    wraps = int64(day_of_year >= 306)
    year = int64(100) * century + (scaled >> 32) - int64(_YEARS) + wraps
    month = (packed >> 16) - int64(12) * wraps
    return year, month, quotient(packed & int64(0xFFFF), int64(2141)) + int64(1)


@compiled
def days_of(year: int, month: int, day: int) -> int:
    """The number of a day; its year may have up to 28 bits."""
    wraps = int64(month <= 2)
    counted = year + int64(_YEARS) - wraps
    century = quotient(counted, int64(100))
    of_year = quotient(int64(979) * (month + int64(12) * wraps) - int64(2919), int64(32))
    of_era = quotient(int64(1461) * counted, int64(4)) - century + quotient(century, int64(4))
    return of_era + of_year + day - int64(_DAYS + 1)


@compiled
def is_leap(year: int) -> bool:
    """Whether a year has 366 days."""
    return year & (int64(15) if remainder(year, int64(25)) == 0 else int64(3)) == 0


@compiled
def month_length(year: int, month: int) -> int:
    """The number of days of a month."""
    if month == 2:
        return int64(28) + int64(is_leap(year))
    return int64(30) | (month ^ (month >> 3))


@compiled
def day_of_year(year: int, month: int, day: int) -> int:
    """1 for the first of January."""
    if month <= 2:
        return int64(31) * (month - 1) + day
    return quotient(int64(979) * month - int64(2919), int64(32)) + day + int64(59) + int64(is_leap(year))


@compiled
def weekday(days: int) -> int:
    """0 for a Monday."""
    return floor_remainder(days + int64(3), int64(7))


@compiled
def week_of(days: int) -> tuple[int, int]:
    """The ISO year and week: those of the week's Thursday."""
    thursday = days - weekday(days) + int64(3)
    year, month, day = civil(thursday)
    return year, quotient(day_of_year(year, month, day) + int64(6), int64(7))


@compiled
def next_day(days: int, day_of_week: int) -> int:
    """The first day after `days` that is a `day_of_week` (0 for a Thursday), with Java's 32-bit arithmetic."""
    ahead = remainder(int64(int32(day_of_week - int64(1) - days)), int64(7))
    return int64(int32(days + int64(1) + (ahead + int64(7) if ahead < 0 else ahead)))


@compiled
def monday(days: int) -> int:
    """The Monday on or before `days`, as Spark finds it: the first one after the same day of the week before."""
    return next_day(int64(int32(days - int64(7))), int64(4))


@compiled
def add_months(days: int, months: int) -> int:
    """The same day of another month, or that month's last one; `months` has 32 bits."""
    year, month, day = civil(days)
    counted = int64(12) * (year + int64(_YEARS)) + month - int64(1) + months
    year = quotient(counted, int64(12)) - int64(_YEARS)
    month = remainder(counted, int64(12)) + int64(1)
    return days_of(year, month, min(day, month_length(year, month)))


@compiled
def is_date(year: int, month: int, day: int) -> bool:
    """Whether there is such a day in the years that Java knows."""
    if month < 1 or month > 12 or day < 1 or year < -999_999_999 or year > 999_999_999:
        return False
    return day <= month_length(year, month)


@compiled
def whole_months(start: int, start_time: int, end: int, end_time: int) -> int:
    """The whole months from one local date and time of day to another, truncated towards zero."""
    if end > start and end_time < start_time:
        end -= int64(1)
    elif end < start and end_time > start_time:
        end += int64(1)
    year, month, day = civil(start)
    end_year, end_month, end_day = civil(end)
    months = int64(12) * (end_year - year) + end_month - month
    return quotient(int64(32) * months + end_day - day, int64(32))


@compiled
def months_between(day1: int, seconds1: int, day2: int, seconds2: int) -> float:
    """Hive's months from the second date to the first: 31 days each; the seconds count where the days differ."""
    year1, month1, of_month1 = civil(day1)
    year2, month2, of_month2 = civil(day2)
    months = float(int64(12) * (year1 - year2) + month1 - month2)
    last1 = of_month1 == month_length(year1, month1)
    if of_month1 == of_month2 or (last1 and of_month2 == month_length(year2, month2)):
        return months
    seconds = (of_month1 - of_month2) * int64(86400) + seconds1 - seconds2
    return months + float(seconds) / 2678400.0
