"""Dates and timestamps as text, in Spark's lenient grammar and in its patterns, over raw memory."""

from __future__ import annotations

from typing import Any

from numba import int64, uint8, uint64

from pyflare.runtime.arena import arena_take, arena_trim
from pyflare.runtime.compiled import compiled
from pyflare.runtime.dates import civil, days_of, floor_quotient, is_date, weekday
from pyflare.runtime.integers import quotient, remainder
from pyflare.runtime.memory import load8, store8

Words = Any
Text = tuple[int, int]

# What `parse_timestamp` finds: no timestamp, a local time, one with an offset, or one that needs Spark.
INVALID, LOCAL, WITH_OFFSET, UNKNOWN = 0, 1, 2, 3

# A pattern's fields: this byte, which no text has, and one of these; `width` follows where it matters.
FIELD = 255
YEAR, PLAIN_YEAR, MONTH, MONTH_NAME, DAY, DAY_NAME, HOUR, HOUR_OF_HALF, HALF, MINUTE, SECOND, FRACTION = range(12)

_MINUS, _PLUS, _DOT, _COLON, _BLANK, _T = 45, 43, 46, 58, 32, 84
_ABSENT, _MALFORMED = -1, -2  # an absent month or day is the first


# Reading --------------------------------------------------------------------------------------------------------------


@compiled
def byte_at(text: int, at: int) -> int:
    """A byte of a text."""
    return int64(load8(text + uint64(at)))


@compiled
def is_blank(byte: int) -> bool:
    """Whether Spark trims a byte: white space and control characters."""
    return byte <= _BLANK or byte == 127


@compiled
def trimmed(text: int, text_n: int) -> Text:
    """Where a text begins and ends without the blanks around it."""
    start, end = int64(0), text_n
    while start < end and is_blank(byte_at(text, start)):
        start += 1
    while end > start and is_blank(byte_at(text, end - 1)):
        end -= 1
    return start, end


@compiled
def digits_at(text: int, at: int, end: int, most: int) -> Text:
    """The number at `at`, of which the first `most` digits count, and where it ends."""
    value, last = int64(0), at + most
    while at < end:
        digit = byte_at(text, at) - int64(48)
        if digit < 0 or digit > 9:
            break
        if at < last:
            value = value * int64(10) + digit
        at += int64(1)
    return value, at


@compiled
def year_at(text: int, at: int, end: int) -> tuple[int, int, int]:
    """A year with its sign, how many digits it has, and where it ends."""
    sign = byte_at(text, at) if at < end else int64(0)
    if sign in (_MINUS, _PLUS):
        at += int64(1)
    year, stop = digits_at(text, at, end, int64(8))
    return -year if sign == _MINUS else year, stop - at, stop


@compiled
def part_at(text: int, at: int, end: int, separator: int, other: int) -> Text:
    """The number of one or two digits behind a separator, or `_ABSENT` or `_MALFORMED`, and where it ends."""
    if at >= end:
        return int64(_ABSENT), at
    if byte_at(text, at) != separator and byte_at(text, at) != other:
        return int64(_MALFORMED), at
    value, stop = digits_at(text, at + int64(1), end, int64(2))
    if stop - at < 2 or stop - at > 3:
        return int64(_MALFORMED), at
    return value, stop


@compiled
def parse_date(text: int, text_n: int) -> tuple[int, bool]:
    """`[+-]y…y[-m[m][-d[d]]]`, after a whole date anything behind a blank or `T`."""
    start, end = trimmed(text, text_n)
    year, digits, at = year_at(text, start, end)
    month, at = part_at(text, at, end, int64(_MINUS), int64(_MINUS))
    day, at = part_at(text, at, end, int64(_MINUS), int64(_MINUS))
    good = digits >= 4 and digits <= 7 and month != _MALFORMED and day != _MALFORMED
    if at < end and byte_at(text, at) != _BLANK and byte_at(text, at) != _T:
        good = False
    if not good or not is_date(year, abs(month), abs(day)):
        return int64(0), False
    days = days_of(year, abs(month), abs(day))
    return days, days >= -(2**31) and days < 2**31


@compiled
def parse_offset(text: int, at: int, end: int) -> tuple[bool, int]:
    """`Z`, `UTC` or `[+-]h[h][:m[m]]` after blanks, in seconds; anything else may be a zone, but is not known here."""
    while at < end and byte_at(text, at) <= _BLANK:
        at += int64(1)
    if end - at == 1 and byte_at(text, at) == 90:
        return True, int64(0)
    if end - at == 3 and byte_at(text, at) == 85 and byte_at(text, at + 1) == _T and byte_at(text, at + 2) == 67:
        return True, int64(0)
    if end - at < 2 or (byte_at(text, at) != _PLUS and byte_at(text, at) != _MINUS):
        return False, int64(0)
    negative = byte_at(text, at) == _MINUS
    hours, at = part_at(text, at, end, int64(_PLUS), int64(_MINUS))
    minutes, at = part_at(text, at, end, int64(_COLON), int64(_COLON))
    offset = hours * int64(3600) + max(minutes, int64(0)) * int64(60)
    known = hours >= 0 and minutes != _MALFORMED and at == end and minutes <= 59 and offset <= 64800
    return known, -offset if negative else offset


@compiled
def is_time_only(text: int, start: int, end: int) -> bool:
    """Whether a text may be a time of today: `T…` at its very beginning, or a number and a colon."""
    if start == 0 and end > 0 and byte_at(text, start) == _T:
        return True
    stop = digits_at(text, start, end, int64(2))[1]
    return stop < end and byte_at(text, stop) == _COLON


@compiled
def fraction_at(text: int, at: int, end: int) -> Text:
    """The microseconds behind a point, if there is one, and where they end."""
    if at >= end or byte_at(text, at) != _DOT:
        return int64(0), at
    micro, stop = digits_at(text, at + int64(1), end, int64(6))
    for _ in range(stop - at - int64(1), int64(6)):
        micro *= int64(10)
    return micro, stop


@compiled
def parse_timestamp(text: int, text_n: int) -> tuple[int, int, int, int]:
    """What there is, the local second, the microseconds in it, and the offset.

    A date as in `parse_date` (of up to six digits a year), then a blank or `T`, `h[h][:m[m][:s[s][.f…]][zone]]`.
    """
    start, end = trimmed(text, text_n)
    if is_time_only(text, start, end):
        return int64(UNKNOWN), int64(0), int64(0), int64(0)
    year, digits, at = year_at(text, start, end)
    month, at = part_at(text, at, end, int64(_MINUS), int64(_MINUS))
    day, at = part_at(text, at, end, int64(_MINUS), int64(_MINUS))
    hour, at = part_at(text, at, end, int64(_BLANK), int64(_T))
    minute, at = part_at(text, at, end, int64(_COLON), int64(_COLON))
    second, at = part_at(text, at, end, int64(_COLON), int64(_COLON))
    worst = min(month, day, hour, minute, second)
    good = worst != _MALFORMED and digits >= 4 and digits <= 6 and is_date(year, abs(month), abs(day))
    if not good or hour > 23 or minute > 59 or second > 59:
        return int64(INVALID), int64(0), int64(0), int64(0)
    micro, at = fraction_at(text, at, end)
    found, offset = int64(LOCAL), int64(0)
    if at < end:
        known, offset = parse_offset(text, at, end)
        found = int64(WITH_OFFSET if known else UNKNOWN)
    local = (days_of(year, abs(month), abs(day)) * int64(24) + max(hour, int64(0))) * int64(3600)
    return found, local + max(minute, int64(0)) * int64(60) + max(second, int64(0)), micro, offset


@compiled
def parse_pattern(text: int, text_n: int, pattern: int, pattern_n: int, fields: int) -> tuple[bool, int, int]:
    """The local second and the microseconds of a text that a pattern of fixed widths matches to the letter.

    In such a pattern a field is named by its place in `fields`, which holds what the missing ones are.
    """
    at, place = int64(0), int64(0)
    while place < pattern_n:
        byte = byte_at(pattern, place)
        place += int64(1)
        if byte == FIELD:
            shift, width = byte_at(pattern, place), byte_at(pattern, place + int64(1))
            place += int64(2)
            value, stop = digits_at(text, at, min(at + width, text_n), width)
            for _ in range(width, int64(6) if shift == 0 else width):
                value *= int64(10)
            fields |= value << shift
        else:
            width, stop = int64(1), at + int64(at < text_n and byte_at(text, at) == byte)
        if stop - at != width:
            return False, int64(0), int64(0)
        at = stop
    year, month, day = fields >> 50 & int64(16383), fields >> 44 & int64(63), fields >> 38 & int64(63)
    hour, minute, second = fields >> 32 & int64(63), fields >> 26 & int64(63), fields >> 20 & int64(63)
    good = at == text_n and is_date(year, month, day) and hour <= 23 and minute <= 59 and second <= 59
    local = (days_of(year, month, day) * int64(24) + hour) * int64(3600) + minute * int64(60) + second
    return good, local, fields & int64(1048575)


# Writing --------------------------------------------------------------------------------------------------------------


@compiled
def put_byte(at: int, byte: int) -> int:
    """Write a byte; the address behind it."""
    store8(at, uint8(byte))
    return at + uint64(1)


@compiled
def put_two(at: int, value: int) -> int:
    """Write a number below 100 with two digits; the address behind it."""
    tens = quotient(value, int64(10))
    store8(at, uint8(int64(48) + tens))
    store8(at + uint64(1), uint8(int64(48) + value - int64(10) * tens))
    return at + uint64(2)


@compiled
def put_number(at: int, value: int, width: int) -> int:
    """Write a number that is not negative, with zeros before it up to `width` digits; the address behind it."""
    digits, rest = int64(1), quotient(value, int64(10))
    while rest > 0:
        digits += int64(1)
        rest = quotient(rest, int64(10))
    digits = max(digits, width)
    for place in range(digits):
        store8(at + uint64(digits - int64(1) - place), uint8(int64(48) + remainder(value, int64(10))))
        value = quotient(value, int64(10))
    return at + uint64(digits)


@compiled
def put_year(at: int, year: int) -> int:
    """Write a year of at least four digits, with its sign if it has more or is negative."""
    if year >= 0 and year <= 9999:
        century = quotient(year, int64(100))
        return put_two(put_two(at, century), year - int64(100) * century)
    return put_number(put_byte(at, int64(_MINUS if year < 0 else _PLUS)), abs(year), int64(4))


@compiled
def put_date(at: int, days: int) -> int:
    """Write `yyyy-MM-dd`; the address behind it."""
    year, month, day = civil(days)
    at = put_byte(put_year(at, year), int64(_MINUS))
    return put_two(put_byte(put_two(at, month), int64(_MINUS)), day)


@compiled
def date_text(arena: Words, days: int) -> Text:
    """A date as a cast writes it."""
    made = arena_take(arena, int64(24))
    if made == 0:
        return made, int64(-1)
    end = put_date(made, days)
    arena_trim(arena, end)
    return made, int64(end - made)


@compiled
def put_fraction(at: int, micro: int, width: int) -> int:
    """Write the first `width` digits of microseconds; the address behind them."""
    for place in range(width):
        store8(at + uint64(place), uint8(int64(48) + quotient(micro, int64(100000))))
        micro = remainder(micro, int64(100000)) * int64(10)
    return at + uint64(width)


@compiled
def timestamp_text(arena: Words, local: int, micro: int) -> Text:
    """A local time as a cast writes it: microseconds without the zeros at their end."""
    made = arena_take(arena, int64(40))
    if made == 0:
        return made, int64(-1)
    days = floor_quotient(local, int64(86400))
    second = local - days * int64(86400)
    end = put_byte(put_date(made, days), int64(_BLANK))
    end = put_byte(put_two(end, quotient(second, int64(3600))), int64(_COLON))
    end = put_byte(put_two(end, remainder(quotient(second, int64(60)), int64(60))), int64(_COLON))
    end = put_two(end, remainder(second, int64(60)))
    if micro > 0:
        end = put_fraction(put_byte(end, int64(_DOT)), micro, int64(6))
        while load8(end - uint64(1)) == 48:
            end -= uint64(1)
    arena_trim(arena, end)
    return made, int64(end - made)


@compiled
def put_name(at: int, names: int, index: int) -> int:
    """Write one of some names of three letters."""
    for place in range(int64(3)):
        store8(at + uint64(place), load8(names + uint64(int64(3) * index + place)))
    return at + uint64(3)


@compiled
def number_of(field: int, month: int, day: int, second: int) -> int:
    """The value of a field that is a number of one or two digits."""
    hour = quotient(second, int64(3600))
    if field == MONTH:
        return month
    if field == DAY:
        return day
    if field == HOUR:
        return hour
    if field == HOUR_OF_HALF:
        return remainder(hour + int64(11), int64(12)) + int64(1)
    minutes = quotient(second, int64(60)) if field == MINUTE else second
    return remainder(minutes, int64(60))


@compiled
def put_field(at: int, field: int, width: int, days: int, second: int, micro: int, names: int) -> int:
    """Write one field of a local time; the address behind it. `names` are the twelve months and the seven days."""
    year, month, day = civil(days)
    if field == YEAR:
        return put_year(at, year)
    if field == PLAIN_YEAR:
        return put_number(put_byte(at, int64(_MINUS)) if year < 0 else at, abs(year), int64(1))
    if field == MONTH_NAME:
        return put_name(at, names, month - int64(1))
    if field == DAY_NAME:
        return put_name(at, names, int64(12) + weekday(days))
    if field == HALF:
        return put_byte(put_byte(at, int64(80 if second >= 43200 else 65)), int64(77))
    if field == FRACTION:
        return put_fraction(at, micro, width)
    value = number_of(field, month, day, second)
    return put_two(at, value) if width == 2 else put_number(at, value, width)


@compiled
def pattern_text(arena: Words, local: int, micro: int, pattern: int, pattern_n: int, names: int) -> Text:
    """A local time in a pattern."""
    made = arena_take(arena, int64(8) * pattern_n + int64(16))
    if made == 0:
        return made, int64(-1)
    days = floor_quotient(local, int64(86400))
    end, place = made, int64(0)
    while place < pattern_n:
        byte = byte_at(pattern, place)
        place += int64(1)
        if byte == FIELD:
            field, width = byte_at(pattern, place), byte_at(pattern, place + int64(1))
            place += int64(2)
            end = put_field(end, field, width, days, local - days * int64(86400), micro, names)
        else:
            end = put_byte(end, byte)
    arena_trim(arena, end)
    return made, int64(end - made)
