"""The proleptic Gregorian calendar over Python's integers: days since 1970-01-01, with no limits.

What kernels compute is in `runtime/dates.py`; this is for bounds and tables that are made before they run.
"""

from __future__ import annotations

from typing import Final

ERA: Final = 146097  # days in 400 years
_EPOCH: Final = 719468  # 1970-01-01 in days since 0000-03-01


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day."""
    era, day = divmod(days + _EPOCH, ERA)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153  # counted from March
    return 400 * era + year + month // 10, (month + 2) % 12 + 1, day - (153 * month + 2) // 5 + 1


def days_of(year: int, month: int, day: int) -> int:
    """The day's number."""
    era, year = divmod(year - (month <= 2), 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * ERA + 365 * year + year // 4 - year // 100 + day_of_year - _EPOCH


def year_of(days: int) -> int:
    """The year that a day falls into."""
    return civil(days)[0]


def leap(year: int) -> bool:
    """Whether a year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    """The number of days of a month."""
    return 28 + leap(year) if month == 2 else 30 + (month + month // 8) % 2


def weekday(days: int) -> int:
    """0 for a Monday."""
    return (days + 3) % 7
