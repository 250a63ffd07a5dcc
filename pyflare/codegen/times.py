"""Dates and timestamps in kernels: the steps between microseconds, seconds, local time and days.

Each step gives a `Value` with proven bounds (never null itself: whoever makes a result of it adds the validity), and is
written once for each timestamp and zone. Microseconds are split first, so that nothing overflows on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final

import numpy as np

from pyflare.codegen.kernel import Kernel, conjunction
from pyflare.codegen.values import LONG_MAX, LONG_MIN, Value, fits_long
from pyflare.errors import Unsupported
from pyflare.types import DATE, LONG, DataType, Kind
from pyflare.zones import DAY, Zone, zone_of

SECOND: Final = 1_000_000
_DAYS: Final = (-(2**31), 2**31 - 1)


def number(kernel: Kernel, hint: str, code: str, low: int, high: int) -> Value:
    """A whole number with bounds."""
    return Value(LONG, Kind.INT, kernel.let(hint, code), None, low, high)


def constant(value: int) -> Value:
    """A number that is part of the kernel."""
    return Value(LONG, Kind.INT, f"int64({value})", None, value, value)


def once(kernel: Kernel, key: Hashable, make: Callable[[], Value]) -> Value:
    """What `make` writes, written once in this block."""
    found: Value | None = kernel.recall(key)
    if found is None:
        found = make()
        kernel.remember(key, found)
    return found


def plus(kernel: Kernel, hint: str, a: Value, b: Value) -> Value:
    """A sum that cannot overflow."""
    (low, high), (b_low, b_high) = a.bounds, b.bounds
    if b_low == b_high == 0:
        return a
    return number(kernel, hint, f"{a.code} + {b.code}", low + b_low, high + b_high)


def times(kernel: Kernel, hint: str, a: Value, factor: int) -> Value:
    """A product, by a positive factor, that cannot overflow."""
    low, high = a.bounds
    return number(kernel, hint, f"{a.code} * int64({factor})", low * factor, high * factor)


def quotient(kernel: Kernel, hint: str, a: Value, divisor: int) -> Value:
    """The quotient by a positive divisor, rounded down."""
    low, high = a.bounds
    function = kernel.use("integers.quotient" if low >= 0 else "dates.floor_quotient")
    return number(kernel, hint, f"{function}({a.code}, int64({divisor}))", low // divisor, high // divisor)


def remainder(kernel: Kernel, hint: str, a: Value, quotient_: Value, divisor: int) -> Value:
    """What `quotient` leaves."""
    low, high = a.bounds
    same = low // divisor == high // divisor
    bounds = (low % divisor, high % divisor) if same else (0, divisor - 1)
    return number(kernel, hint, f"{a.code} - {quotient_.code} * int64({divisor})", *bounds)


# Zones ----------------------------------------------------------------------------------------------------------------


def zone_for(type_: DataType, name: str | None) -> Zone:
    """The zone in which a timestamp of that type has its local time."""
    if type_.name == "timestamp_ntz":
        return zone_of("UTC")
    if name is None:
        raise Unsupported("the expression has no time zone")
    return zone_of(name)


def _tables(kernel: Kernel, zone: Zone, *parts: str) -> str:
    """The names of a zone's tables: `instants`, `locals`."""
    return ", ".join(_table(kernel, zone, part) for part in parts)


def _table(kernel: Kernel, zone: Zone, part: str) -> str:
    key = ("zone", zone.id, len(zone.starts), zone.starts[-1], part)
    if key in kernel.params:
        return kernel.params[key].name
    table = np.array(zone.table(local=part == "locals"), np.int64)
    return kernel.constant_array(key, f"{zone.id.rsplit('/', 1)[-1]}_{part}", "int64", table)


def _within(kernel: Kernel, zone: Zone, second: Value, slack: int = 0) -> tuple[Zone, str, str]:
    """The part of a zone that matters to a second, the second in that part, and what has to be added to come back."""
    low, high = second.bounds
    part = zone.between(low - slack, high + slack)
    if part.repeats is None:
        return part, second.code, ""
    code = kernel.let("cycle", f"{kernel.use('zones.repeated')}({second.code}, int64({part.repeats}))")
    return part, code, f" + ({second.code} - {code})"


def _offset(kernel: Kernel, zone: Zone, second: Value) -> Value:
    part, code, _ = _within(kernel, zone, second)
    if part.fixed is not None:
        return constant(part.fixed)
    call = f"{kernel.use('zones.offset_at')}({_tables(kernel, part, 'instants')}, {code})"
    return number(kernel, "offset", call, min(part.offsets), max(part.offsets))


def offset(kernel: Kernel, ts: Value, zone: Zone) -> Value:
    """The zone's offset at a timestamp, in seconds."""
    return once(kernel, ("offset", ts.code, zone.id), lambda: _offset(kernel, zone, seconds(kernel, ts)))


def _instant(kernel: Kernel, zone: Zone, local: Value, function: str) -> Value:
    part, code, back = _within(kernel, zone, local)
    low, high = local.bounds
    if part.fixed is not None:
        return plus(kernel, "second", local, constant(-part.fixed))
    call = f"{kernel.use(f'zones.{function}')}({_tables(kernel, part, 'locals')}, {code}){back}"
    return number(kernel, "second", call, low - max(part.offsets), high - min(part.offsets))


def instant(kernel: Kernel, zone: Zone, local: Value) -> Value:
    """The second of a local one: moved on by a gap's length inside of it, the earlier one in an overlap."""
    return _instant(kernel, zone, local, "instant_of")


def start_of_day(kernel: Kernel, zone: Zone, day: Value) -> Value:
    """The first second of a local date."""
    midnight = times(kernel, "midnight", replace(day, ok=None), DAY)
    return _instant(kernel, zone, midnight, "start_of_day")


def instant_near(kernel: Kernel, zone: Zone, local: Value, before: Value) -> Value:
    """The second of a local one that was moved from an instant with the offset `before`, which is kept if possible."""
    part, code, back = _within(kernel, zone, local)
    low, high = local.bounds
    if part.fixed is not None and before.bounds == (part.fixed, part.fixed):
        return plus(kernel, "second", local, constant(-part.fixed))
    tables = _tables(kernel, part, "instants", "locals")
    call = f"{kernel.use('zones.instant_near')}({tables}, {code}, {before.code}){back}"
    largest, smallest = max(*part.offsets, before.bounds[1]), min(*part.offsets, before.bounds[0])
    return number(kernel, "second", call, low - largest, high - smallest)


def truncated(kernel: Kernel, zone: Zone, ts: Value, unit: int) -> Value:
    """The second at which a timestamp's local minute, hour or day (`unit` seconds) has begun."""
    second = seconds(kernel, ts)
    low, high = second.bounds
    part, code, back = _within(kernel, zone, second, slack=unit)
    if part.fixed is not None:
        local = plus(kernel, "local", second, constant(part.fixed))
        begun = times(kernel, "begun", quotient(kernel, "units", local, unit), unit)
        return plus(kernel, "second", begun, constant(-part.fixed))
    tables = _tables(kernel, part, "instants", "locals")
    call = f"{kernel.use('zones.truncated')}({tables}, {code}, int64({unit})){back}"
    return number(kernel, "second", call, low - unit - DAY, high + DAY)


# Timestamps -----------------------------------------------------------------------------------------------------------


def seconds(kernel: Kernel, ts: Value) -> Value:
    """A timestamp's whole seconds, rounded down."""
    return once(kernel, ("seconds", ts.code), lambda: quotient(kernel, "seconds", ts, SECOND))


def micro(kernel: Kernel, ts: Value) -> Value:
    """A timestamp's microseconds within its second."""
    return once(kernel, ("micro", ts.code), lambda: remainder(kernel, "micro", ts, seconds(kernel, ts), SECOND))


def local_seconds(kernel: Kernel, ts: Value, zone: Zone) -> Value:
    """A timestamp's local time, in seconds as if it were UTC."""
    return once(
        kernel,
        ("local", ts.code, zone.id),
        lambda: plus(kernel, "local", seconds(kernel, ts), offset(kernel, ts, zone)),
    )


def local_day(kernel: Kernel, ts: Value, zone: Zone) -> Value:
    """A timestamp's local date."""
    return once(
        kernel,
        ("day", ts.code, zone.id),
        lambda: replace(quotient(kernel, "day", local_seconds(kernel, ts, zone), DAY), type=DATE),
    )


def second_of_day(kernel: Kernel, ts: Value, zone: Zone) -> Value:
    """The seconds of a timestamp's local time of day."""
    local, day = local_seconds(kernel, ts, zone), local_day(kernel, ts, zone)
    return once(kernel, ("second of day", ts.code, zone.id), lambda: remainder(kernel, "of_day", local, day, DAY))


def micros(kernel: Kernel, second: Value, fraction: Value, type_: DataType) -> tuple[Value, str | None]:
    """The timestamp of a second and its microseconds, and code that says where it does not fit, if it may."""
    low, high = (s * SECOND + f for s, f in zip(second.bounds, fraction.bounds, strict=True))
    if fits_long(low, high):
        tail = "" if fraction.bounds == (0, 0) else f" + {fraction.code}"
        code = kernel.let("micros", f"{second.code} * int64({SECOND}){tail}")
        return Value(type_, Kind.INT, code, None, low, high), None
    code = kernel.let("micros", f"{kernel.use('times.micros_of')}({second.code}, {fraction.code})")
    bad = f"not {kernel.use('times.micros_fit')}({second.code}, {fraction.code})"
    return Value(type_, Kind.INT, code, None, max(low, LONG_MIN), min(high, LONG_MAX)), bad


def timestamp(
    kernel: Kernel, second: Value, fraction: Value, type_: DataType, ok: str | None, mode: str = "ANSI"
) -> Value:
    """The timestamp of a second and its microseconds; Spark raises where it does not fit, except in TRY mode."""
    value, bad = micros(kernel, second, fraction, type_)
    if bad is None:
        return value.with_ok(ok)
    if mode == "TRY":
        return value.with_ok(kernel.let("fits", conjunction(ok, f"not ({bad})")))
    kernel.fail_when(bad, ok)
    return value.with_ok(ok)


# Dates ----------------------------------------------------------------------------------------------------------------


def civil(kernel: Kernel, date: Value) -> tuple[str, str, str]:
    """The names of a date's year, month and day of the month."""
    key = ("civil", date.code)
    found: tuple[str, str, str] | None = kernel.recall(key)
    if found is None:
        fresh = kernel.writer.fresh
        found = fresh("year"), fresh("month"), fresh("day_of_month")
        kernel.line(f"{', '.join(found)} = {kernel.use('dates.civil')}({date.code})")
        kernel.remember(key, found)
    return found


def wrapped_date(kernel: Kernel, days: Value) -> Value:
    """A date of a day's number, with 32 bits as Java's `int`."""
    low, high = days.bounds
    if _DAYS[0] <= low and high <= _DAYS[1]:
        return replace(days, type=DATE)
    return Value(DATE, Kind.INT, kernel.let("wrapped", f"int64(int32({days.code}))"), days.ok)


def exact_date(kernel: Kernel, days: Value) -> Value:
    """A date of a day's number; Spark raises where it has more than 32 bits."""
    low, high = days.bounds
    if not (_DAYS[0] <= low and high <= _DAYS[1]):
        kernel.fail_when(f"not (int64({_DAYS[0]}) <= {days.code} <= int64({_DAYS[1]}))", days.ok)
    return replace(days, type=DATE, low=max(low, _DAYS[0]), high=min(high, _DAYS[1]))
