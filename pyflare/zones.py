"""Time zones as the JVM beside this process knows them: its own `tzdb.dat`, from which `java.time` reads its rules.

A zone is a table of periods, each with one offset from UTC. Where the rules go on for ever, the table holds one full
cycle of the calendar (400 years), after which everything repeats.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from pyflare.calendar import days_of, month_length, weekday, year_of
from pyflare.errors import Unsupported

DAY: Final = 86400
CYCLE: Final = 146097 * DAY  # 400 years: leap years and the days of the week repeat
BEGINNING: Final = -(2**63)
_END: Final = 2**63 - 1
_BUCKETS: Final = 4096
_MARGIN: Final = 2 * DAY  # more than two offsets can differ by

# `ZoneId.SHORT_IDS`, without those that newer versions of Java map to something else.
_SHORT: Final = {
    "ACT": "Australia/Darwin",
    "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo",
    "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka",
    "CAT": "Africa/Harare",
    "CNT": "America/St_Johns",
    "CST": "America/Chicago",
    "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris",
    "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia",
    "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi",
    "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles",
    "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
}
_AMBIGUOUS: Final = ("EST", "HST", "MST")
_OFFSET: Final = re.compile(r"(?:UTC|GMT|UT)?([+-])(?:(\d)|(\d\d)(?:(:?)(\d\d)(?:\4(\d\d))?)?)")
# What Spark writes in full before it asks Java: `+5:30` and `+05:3`.
_ONE_DIGIT: Final = ((re.compile(r"([+-])(\d):"), r"\g<1>0\2:"), (re.compile(r"([+-]\d\d):(\d)$"), r"\1:0\2"))


@dataclass(frozen=True)
class Zone:
    """`offsets[k]` (seconds east of UTC) holds from `starts[k]` (UTC seconds; the first is `BEGINNING`) to the next.

    From `repeats` on, if that is not None, the table goes on for `CYCLE` seconds and stands for all cycles to come.
    """

    id: str
    starts: tuple[int, ...]
    offsets: tuple[int, ...]
    repeats: int | None = None

    @property
    def fixed(self) -> int | None:
        """The only offset; None if there are several."""
        return self.offsets[0] if len(self.offsets) == 1 else None

    @property
    def local_starts(self) -> tuple[int, ...]:
        """The local second from which `offsets[k]` is the one that `java.time` takes: after a gap, after an overlap."""
        periods = zip(self.starts[1:], pairwise(self.offsets), strict=True)
        return (BEGINNING, *(start + max(offsets) for start, offsets in periods))

    def table(self, *, local: bool) -> list[int]:
        """What `runtime/zones.py` searches, by UTC or by local seconds.

        Four words: the second of the first change, the shift that divides the seconds after it into buckets, the last
        bucket, and the number of periods and one more. For each bucket then (the first for all seconds before) where in
        this table its period's start is; the starts, and an end that is never reached; the offsets; the UTC starts.
        """
        keys = (*(self.local_starts if local else self.starts), _END)
        first, span = keys[min(1, len(keys) - 2)], max(keys[-2] - keys[min(1, len(keys) - 2)], 0)
        shift = (span // _BUCKETS).bit_length()
        buckets = [0, *(bisect_right(keys, first + (k << shift)) - 1 for k in range((span >> shift) + 1))]
        head = [first, shift, len(buckets) - 1, len(keys)]
        at = len(head) + len(buckets)
        return [*head, *(at + period for period in buckets), *keys, *self.offsets, 0, *self.starts, _END]

    def between(self, low: int, high: int) -> Zone:
        """The zone with the periods that instants (or local times) from `low` to `high`, in seconds, can fall into."""
        low, high = low - _MARGIN, high + _MARGIN
        if self.repeats is not None and high >= self.repeats + CYCLE:
            return self
        last = max(k for k, start in enumerate(self.starts) if k == 0 or start <= high)
        first = max(k for k, start in enumerate(self.starts[: last + 1]) if k == 0 or start <= low)
        return Zone(self.id, (BEGINNING, *self.starts[first + 1 : last + 1]), self.offsets[first : last + 1])


@cache
def zone_of(name: str) -> Zone:
    """The zone that Spark means by a name. Raises `Unsupported` for one that is not known here."""
    if name in ("Z", "UTC", "GMT", "UT"):
        return _fixed(name, 0)
    offset = _offset(name)
    if offset is not None:
        return _fixed(name, offset)
    rules = _database().get(_SHORT.get(name, name)) if name not in _AMBIGUOUS else None
    if rules is None:
        raise Unsupported(f"the time zone {name} is not known")
    return _zone(name, rules)


def region_names() -> list[str]:
    """The names of all regions that the JVM knows."""
    return sorted(_database())


def use(file: str | None) -> None:
    """Read zones from the JVM's `tzdb.dat`; None if its rules come from elsewhere, so that only offsets are known."""
    _source.file = file
    _database.cache_clear()
    zone_of.cache_clear()


@dataclass
class _Source:
    """Where the rules are; until `use` says where, those of the Java that Spark would find."""

    file: str | None = ""


_source = _Source()


def _fixed(name: str, offset: int) -> Zone:
    return Zone(name, (BEGINNING,), (offset,))


def _offset(name: str) -> int | None:
    """The seconds of an offset as `ZoneOffset.of` reads it, with or without `UTC` before it."""
    for pattern, full in _ONE_DIGIT:
        name = pattern.sub(full, name, count=1)
    match = _OFFSET.fullmatch(name)
    if match is None:
        return None
    sign, hour, hours, _, minutes, seconds = match.groups()
    offset = int(hour or hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    if offset > 18 * 3600 or int(minutes or 0) > 59 or int(seconds or 0) > 59:
        return None
    return -offset if sign == "-" else offset


# Rules → periods ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """A transition of every year: on `day` of `month` (counted from its end if negative), moved to `weekday`."""

    month: int
    day: int
    weekday: int | None
    second: int
    clock: int
    standard: int
    before: int
    after: int

    def at(self, year: int) -> int:
        """The UTC second of the transition."""
        day = self.day if self.day > 0 else month_length(year, self.month) + 1 + self.day
        date = days_of(year, self.month, day)
        if self.weekday is not None:
            ahead = (self.weekday - weekday(date)) % 7
            date += ahead if self.day > 0 or ahead == 0 else ahead - 7
        shift = {0: 0, 1: self.before, 2: self.standard}[self.clock]
        return date * DAY + self.second - shift


@dataclass(frozen=True)
class _Rules:
    """A zone as `ZoneRules` writes it: its past transitions, and the rules that follow them."""

    starts: tuple[int, ...]
    offsets: tuple[int, ...]
    rules: tuple[Rule, ...]


def _zone(name: str, rules: _Rules) -> Zone:
    starts, offsets = [BEGINNING, *rules.starts], list(rules.offsets)
    repeats = None
    if rules.starts and rules.rules:
        last = year_of((rules.starts[-1] + offsets[-1]) // DAY)
        repeats = days_of(last + 2, 1, 1) * DAY
        for start, offset in _future(rules.rules, range(last, last + 404)):
            if start > starts[-1] and offset != offsets[-1]:
                starts.append(start)
                offsets.append(offset)
    zone = Zone(name, tuple(starts), tuple(offsets), repeats)
    if any(a >= b for a, b in pairwise(zone.local_starts)):
        raise Unsupported(f"the time zone {name} changes its offset faster than its clocks run")
    return zone


def _future(rules: tuple[Rule, ...], years: range) -> Iterator[tuple[int, int]]:
    for year in years:
        yield from ((rule.at(year), rule.after) for rule in rules)


# The file -------------------------------------------------------------------------------------------------------------


@cache
def _database() -> dict[str, _Rules]:
    """All regions of the JVM's `tzdb.dat`."""
    if _source.file is None:
        raise Unsupported("the JVM has time zone rules of its own")
    path = Path(_source.file) if _source.file else _installed_java() / "lib" / "tzdb.dat"
    try:
        return _regions(_Bytes(path.read_bytes()))
    except (OSError, struct.error, IndexError, ValueError) as error:
        raise Unsupported(f"the JVM's time zones cannot be read from {path}: {error}") from error


def _installed_java() -> Path:
    from pyflare.jar import JarError, java

    try:
        return Path(java()).resolve().parent.parent
    except JarError as error:
        raise Unsupported(str(error)) from error


def _regions(data: _Bytes) -> dict[str, _Rules]:
    if data.unsigned(1) != 1 or data.text() != "TZDB":
        raise ValueError("not a time zone file")
    for _ in range(data.unsigned(2)):
        data.text()
    names = [data.text() for _ in range(data.unsigned(2))]
    blobs = [data.next(data.unsigned(2)) for _ in range(data.unsigned(2))]
    pairs = [(data.unsigned(2), data.unsigned(2)) for _ in range(data.unsigned(2))]
    return {names[name]: _parse(blobs[blob]) for name, blob in pairs}


@cache
def _parse(blob: bytes) -> _Rules:
    data = _Bytes(blob)
    if data.unsigned(1) != 1:
        raise ValueError("not the rules of a zone")
    standard = data.unsigned(4)
    for _ in range(standard):
        data.second()
    for _ in range(standard + 1):
        data.offset()
    count = data.unsigned(4)
    starts = tuple(data.second() for _ in range(count))
    offsets = tuple(data.offset() for _ in range(count + 1))
    return _Rules(starts, offsets, tuple(_rule(data) for _ in range(data.unsigned(1))))


def _rule(data: _Bytes) -> Rule:
    """One packed rule: whatever does not fit into its bits follows as a word of its own."""
    bits = data.unsigned(4)
    hour, standard = bits >> 14 & 31, bits >> 4 & 255
    second = data.signed() if hour == 31 else hour * 3600
    offset = data.signed() if standard == 255 else (standard - 128) * 900
    before, after = (data.signed() if part == 3 else offset + part * 1800 for part in (bits >> 2 & 3, bits & 3))
    day_of_week = bits >> 19 & 7
    return Rule(
        month=bits >> 28,
        day=(bits >> 22 & 63) - 32,
        weekday=day_of_week - 1 if day_of_week else None,
        second=second,
        clock=bits >> 12 & 3,
        standard=offset,
        before=before,
        after=after,
    )


class _Bytes:
    """Java's `DataInput` over bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next(self, count: int) -> bytes:
        """The next `count` bytes."""
        if self._at + count > len(self._data):
            raise ValueError("the file is cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def unsigned(self, width: int) -> int:
        """An unsigned integer."""
        return int.from_bytes(self.next(width))

    def signed(self) -> int:
        """A signed integer of four bytes."""
        return int.from_bytes(self.next(4), signed=True)

    def text(self) -> str:
        """A string."""
        return self.next(self.unsigned(2)).decode()

    def second(self) -> int:
        """A point in time: quarters of an hour since 1825, or seconds since 1970."""
        quarters = self.unsigned(1)
        if quarters == 255:
            return int.from_bytes(self.next(8), signed=True)
        return (quarters << 16 | self.unsigned(2)) * 900 - 4575744000

    def offset(self) -> int:
        """An offset: quarters of an hour, or seconds."""
        quarters = int.from_bytes(self.next(1), signed=True)
        return self.signed() if quarters == 127 else quarters * 900
