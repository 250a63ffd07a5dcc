"""The calendar: what kernels compute against what Python computes, and both against the standard library."""

from __future__ import annotations

import datetime
import random
from calendar import monthrange

import pytest

from pyflare import calendar
from pyflare.runtime import dates

EPOCH = datetime.date(1970, 1, 1).toordinal()
DAYS = (-(2**31), -(2**31) + 1, -719529, -719528, -1, 0, 58, 59, 60, 11016, 2**31 - 1)


def test_against_the_standard_library() -> None:
    """Every seventeenth day that the standard library knows."""
    for ordinal in range(1, datetime.date.max.toordinal() + 1, 17):
        date = datetime.date.fromordinal(ordinal)
        assert calendar.civil(ordinal - EPOCH) == (date.year, date.month, date.day)
        assert calendar.days_of(date.year, date.month, date.day) == ordinal - EPOCH
        assert calendar.weekday(ordinal - EPOCH) == date.weekday()
        assert calendar.month_length(date.year, date.month) == monthrange(date.year, date.month)[1]
        year, week, _ = date.isocalendar()
        assert dates.week_of(ordinal - EPOCH) == (year, week)


@pytest.mark.parametrize("span", [10**6, 2**31])
def test_kernels(span: int) -> None:
    """What kernels compute, far away from today too."""
    rng = random.Random(span)
    for days in (*DAYS, *(rng.randrange(-span, span) for _ in range(3000))):
        year, month, day = calendar.civil(days)
        assert dates.civil(days) == (year, month, day)
        assert dates.days_of(year, month, day) == days
        assert dates.month_length(year, month) == calendar.month_length(year, month)
        assert dates.day_of_year(year, month, day) == days - calendar.days_of(year, 1, 1) + 1
        assert dates.weekday(days) == calendar.weekday(days)


def test_months() -> None:
    """Months are added as one would by hand: the day stays, or becomes the month's last."""
    rng = random.Random(1)
    for _ in range(3000):
        days, months = rng.randrange(-(2**31), 2**31), rng.randrange(-(2**31), 2**31)
        year, month, day = calendar.civil(days)
        years, other = divmod(12 * year + month - 1 + months, 12)
        expected = calendar.days_of(years, other + 1, min(day, calendar.month_length(years, other + 1)))
        assert dates.add_months(days, months) == expected
