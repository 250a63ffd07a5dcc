"""Aggregate functions: the state of a group, how a row changes it, how two states merge, what comes out.

A row's update is generated into the kernel. Merging and finishing happen once a group, in NumPy over whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pyflare.codegen.arena import keep_texts
from pyflare.codegen.expressions.comparison import compare
from pyflare.codegen.kernel import Kernel, conjunction
from pyflare.codegen.values import LONG_MAX, LONG_MIN, CodesOf, Source, Value, fits_long
from pyflare.errors import Unsupported
from pyflare.io.columns import Array, Column, Encoding, Layout
from pyflare.plan.operators import AggregateCall
from pyflare.runtime import aggregation
from pyflare.types import DOUBLE, LONG, DataType, Kind, sum_type

UNKNOWN_ROWS: Final = 2**44  # more rows than any query sees: a bound where none is known

Arrays = dict[str, Array]


@dataclass(frozen=True)
class StateArray:
    """One array of group states: `width` elements of `dtype` a group, all zero before the first row."""

    name: str
    dtype: str
    width: int = 1


@dataclass(frozen=True)
class Accumulator:
    """One aggregate call, compiled: everything the kernel and the runtime need of it.

    `update` writes the statements for one row, given the names of the states' cells. `merge(into, other, at)` adds
    `other`'s groups to `into`'s groups at distinct positions `at`. `finish(arrays, count)` makes the result column.
    """

    states: tuple[StateArray, ...]
    update: Callable[[Kernel, Mapping[str, str]], None]
    merge: Callable[[Arrays, Arrays, Array], None]
    finish: Callable[[Arrays, int], Column]
    layout: Layout
    source: Source | None = None  # the source column whose dictionary the result's codes belong to
    is_ordered: bool = False  # whether the result depends on the order of the rows


@dataclass(frozen=True)
class Call:
    """An aggregate call with its arguments' values for the current row. `grouped` is False for a global aggregate.

    Values are null where the FILTER, `condition`, does not hold.
    """

    call: AggregateCall
    values: tuple[Value, ...]
    prefix: str
    grouped: bool
    rows: int
    condition: str | None = None

    @property
    def type(self) -> DataType:
        return self.call.attr.type

    @property
    def value(self) -> Value:
        return self.values[0]

    @property
    def needs_seen(self) -> bool:
        """Whether a group may exist that no value has reached."""
        return self.value.ok is not None or not self.grouped

    def option(self, name: str, default: Any = None) -> Any:
        return dict(self.call.options).get(name, default)

    def state(self, name: str, dtype: str, width: int = 1) -> StateArray:
        return StateArray(f"{self.prefix}_{name}", dtype, width)


Builder = Callable[[Kernel, Call], Accumulator]
AGGREGATES: dict[str, Builder] = {}


def aggregate(*names: str) -> Callable[[Builder], Builder]:
    """Register the builder of aggregate functions."""

    def register(builder: Builder) -> Builder:
        for name in names:
            AGGREGATES[name] = builder
        return builder

    return register


def _validity(arrays: Arrays, seen: StateArray | None, count: int) -> Array | None:
    if seen is None:
        return None
    ok = arrays[seen.name][:count]
    return None if ok.all() else ok


def _guarded(kernel: Kernel, ok: str | None, write: Callable[[], None]) -> None:
    if ok is None:
        write()
    else:
        with kernel.block(f"if {ok}"):
            write()


# count ----------------------------------------------------------------------------------------------------------------


@aggregate("count")
def count(_kernel: Kernel, call: Call) -> Accumulator:
    """Rows in which no argument is null."""
    state = call.state("n", "int64")
    ok = conjunction(*(v.ok for v in call.values)) if any(v.ok for v in call.values) else None

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        _guarded(kernel, ok, lambda: kernel.line(f"{cells[state.name]} += 1"))

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        into[state.name][at] += other[state.name][: len(at)]

    def finish(arrays: Arrays, n: int) -> Column:
        return Column(arrays[state.name][:n].copy())

    return Accumulator((state,), update, merge, finish, Layout(LONG, nullable=False, low=0, high=call.rows))


@aggregate("total")
def total(_kernel: Kernel, call: Call) -> Accumulator:
    """The sum of counts: zero where there is none."""
    state, value = call.state("n", "int64"), call.value

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        kernel.line(f"{cells[state.name]} += {value.code}")

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        into[state.name][at] += other[state.name][: len(at)]

    def finish(arrays: Arrays, n: int) -> Column:
        return Column(arrays[state.name][:n].copy())

    return Accumulator((state,), update, merge, finish, Layout(LONG, nullable=False, low=0))


# sum and avg ----------------------------------------------------------------------------------------------------------


@aggregate("sum")
def sum_(kernel: Kernel, call: Call) -> Accumulator:
    """Sums of integral numbers, decimals and floating-point numbers.

    Whether a sum overflows on the way depends on the order of the rows, which is Spark's own affair. Where the bounds
    do not rule it out, the magnitudes are summed up too, and a query in which some order might overflow is Spark's.
    """
    if call.value.kind in (Kind.F32, Kind.F64):
        return _sum_floating(kernel, call)
    low, high = _total_bounds(call)
    if call.type.is_decimal:
        top = 10**call.type.precision - 1
        if call.value.kind is Kind.INT and fits_long(low, high):
            return _sum_long(kernel, call, (low, high), None if max(-low, high) <= top else top)
        return _sum_wide(kernel, call, (low, high), top)
    if call.option("mode") == "LEGACY" or fits_long(low, high):
        bounds = (low, high) if fits_long(low, high) else (LONG_MIN, LONG_MAX)
        return _sum_long(kernel, call, bounds, None)
    return _sum_long(kernel, call, (LONG_MIN, LONG_MAX), LONG_MAX)


def _total_bounds(call: Call) -> tuple[int, int]:
    low, high = call.value.bounds
    return min(low, 0) * call.rows, max(high, 0) * call.rows


def _seen(call: Call) -> StateArray | None:
    return call.state("seen", "uint8") if call.needs_seen else None


def _present(*states: StateArray | None) -> tuple[StateArray, ...]:
    return tuple(s for s in states if s is not None)


def _mark(kernel: Kernel, cells: Mapping[str, str], seen: StateArray | None) -> None:
    if seen is not None:
        kernel.line(f"{cells[seen.name]} = uint8(1)")


def _merge_seen(into: Arrays, other: Arrays, at: Array, seen: StateArray | None) -> None:
    if seen is not None:
        into[seen.name][at] |= other[seen.name][: len(at)]


@dataclass(frozen=True)
class Magnitude:
    """The sum of the magnitudes of a sum's terms, as a double in `unit`s; at most `top` is sure not to overflow."""

    state: StateArray
    unit: float
    top: int

    @staticmethod
    def of(call: Call, top: int | None) -> Magnitude | None:
        if top is None:
            return None
        return Magnitude(call.state("size", "float64"), 2.0**64 if call.value.kind is Kind.WIDE else 1.0, top)

    def add(self, kernel: Kernel, cells: Mapping[str, str], value: Value) -> None:
        """A value of two words counts by its higher one."""
        size = f"abs(float64({value.code}[1])) + 1.0" if value.kind is Kind.WIDE else f"abs(float64({value.code}))"
        kernel.line(f"{cells[self.state.name]} += {size}")

    def check(self, arrays: Arrays, n: int) -> None:
        if (arrays[self.state.name][:n] * self.unit > self.top * 0.999).any():
            raise aggregation.overflow("a sum")


def _state_of(size: Magnitude | None) -> StateArray | None:
    return None if size is None else size.state


def _sum_long(_kernel: Kernel, call: Call, bounds: tuple[int, int], top: int | None) -> Accumulator:
    """Sums in one word; they wrap if `top` is None and the bounds do not exclude it."""
    state, seen, size, value = call.state("sum", "int64"), _seen(call), Magnitude.of(call, top), call.value

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        def add() -> None:
            kernel.line(f"{cells[state.name]} += {value.code}")
            if size is not None:
                size.add(kernel, cells, value)
            _mark(kernel, cells, seen)

        _guarded(kernel, value.ok, add)

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        _merge_sums(into, other, at, state, size)
        _merge_seen(into, other, at, seen)

    def finish(arrays: Arrays, n: int) -> Column:
        if size is not None:
            size.check(arrays, n)
        values = arrays[state.name][:n].copy()
        if call.type.is_decimal and call.type.kind is Kind.WIDE:
            values = aggregation.widen(values)
        return Column(values, _validity(arrays, seen, n))

    layout = Layout(call.type, nullable=seen is not None, low=bounds[0], high=bounds[1])
    return Accumulator(_present(state, _state_of(size), seen), update, merge, finish, layout)


def _merge_sums(into: Arrays, other: Arrays, at: Array, state: StateArray, size: Magnitude | None) -> None:
    for one in _present(state, _state_of(size)):
        into[one.name][at] += other[one.name][: len(at)]


def _sum_wide(_kernel: Kernel, call: Call, bounds: tuple[int, int], top: int) -> Accumulator:
    """Decimal sums in two words."""
    state, seen, value = call.state("sum", "int64", 2), _seen(call), call.value
    size = Magnitude.of(call, top if max(-bounds[0], bounds[1]) > top else None)

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        def add() -> None:
            total = f"{kernel.use('int128.wide_add')}({cells[state.name]}, {kernel.wide(value)})"
            kernel.line(cells[state.name + "="].format(total))
            if size is not None:
                size.add(kernel, cells, value)
            _mark(kernel, cells, seen)

        _guarded(kernel, value.ok, add)

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        aggregation.merge_wide(into[state.name], other[state.name], at)
        if size is not None:
            into[size.state.name][at] += other[size.state.name][: len(at)]
        _merge_seen(into, other, at, seen)

    def finish(arrays: Arrays, n: int) -> Column:
        if size is not None:
            size.check(arrays, n)
        words = arrays[state.name][: 2 * n].copy()
        if call.type.kind is not Kind.WIDE:
            words = words[::2].copy()
        return Column(words, _validity(arrays, seen, n))

    layout = Layout(call.type, nullable=seen is not None, low=max(bounds[0], -top), high=min(bounds[1], top))
    return Accumulator(_present(state, _state_of(size), seen), update, merge, finish, layout)


def _sum_floating(_kernel: Kernel, call: Call) -> Accumulator:
    state, seen, value = call.state("sum", "float64"), _seen(call), call.value

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        def add() -> None:
            kernel.line(f"{cells[state.name]} += float64({value.code})")
            _mark(kernel, cells, seen)

        _guarded(kernel, value.ok, add)

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        into[state.name][at] += other[state.name][: len(at)]
        _merge_seen(into, other, at, seen)

    def finish(arrays: Arrays, n: int) -> Column:
        return Column(arrays[state.name][:n].copy(), _validity(arrays, seen, n))

    return Accumulator(_present(state, seen), update, merge, finish, Layout(DOUBLE, nullable=seen is not None))


@aggregate("avg", "mean")
def avg(kernel: Kernel, call: Call) -> Accumulator:
    """Sum over count; decimals are divided exactly and rounded half up at the result's scale.

    `mean` is the average of groups whose sums and counts are its arguments.
    """
    value = call.value
    total_type, increment = sum_type(value.type), "1"
    if call.call.function == "mean":
        total_type, increment = value.type, call.values[1].code
    if value.kind is Kind.INT and not value.type.is_decimal:
        value = Value(DOUBLE, Kind.F64, f"float64({value.code})", value.ok)
    inner_attr = type(call.call.attr)(type=total_type, nullable=True, label=call.call.attr.label, id=-1)
    inner = AggregateCall("sum", call.call.args, inner_attr, options=call.call.options)
    never_null = Call(inner, (value,), call.prefix, True, call.rows)
    total = sum_(kernel, never_null)
    state = call.state("n", "int64")

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        total.update(kernel, cells)
        _guarded(kernel, value.ok, lambda: kernel.line(f"{cells[state.name]} += {increment}"))

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        total.merge(into, other, at)
        into[state.name][at] += other[state.name][: len(at)]

    def finish(arrays: Arrays, n: int) -> Column:
        counts = arrays[state.name][:n]
        column = total.finish(arrays, n)
        validity = None if (counts > 0).all() else (counts > 0).astype(np.uint8)
        if not call.type.is_decimal:
            return Column(column.data / np.maximum(counts, 1), validity)
        words = column.data if total_type.kind is Kind.WIDE else aggregation.widen(column.data)
        shift = call.type.scale - total_type.scale
        return Column(aggregation.mean_decimal(words, np.maximum(counts, 1), shift, call.type), validity)

    states = (*total.states, state)
    return Accumulator(states, update, merge, finish, Layout(call.type, nullable=call.needs_seen))


# min, max, first, last ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """A value kept in state arrays: how to store it, compare with it and give it back."""

    call: Call
    states: tuple[StateArray, ...]

    @staticmethod
    def of(call: Call) -> Held:
        kind = call.value.kind
        if kind is Kind.STR and call.value.codes is None:
            return Held(call, (call.state("p", "uint64"), call.state("len", "int64")))
        if kind is Kind.WIDE:
            return Held(call, (call.state("v", "int64", 2),))
        dtype = {Kind.F32: "float32", Kind.F64: "float64", Kind.BOOL: "uint8"}.get(kind, "int64")
        return Held(call, (call.state("v", dtype),))

    def store(self, kernel: Kernel, cells: Mapping[str, str], value: Value) -> None:
        """Statements that put the row's value into the state."""
        name = self.states[0].name
        if value.kind is Kind.WIDE:
            kernel.line(cells[name + "="].format(value.code))
        elif value.kind is Kind.STR and value.codes is None:
            address, length = kernel.text(value)
            kernel.line(f"{cells[name]} = {address}")
            kernel.line(f"{cells[self.states[1].name]} = {length}")
            keep_texts(kernel)
        else:
            code = value.codes.name if value.codes else value.code
            kernel.line(f"{cells[name]} = {f'uint8({code})' if value.kind is Kind.BOOL else code}")

    def current(self, cells: Mapping[str, str]) -> Value:
        """The state as a value, for comparing."""
        value, name = self.call.value, self.states[0].name
        if value.kind is Kind.STR and value.codes is None:
            return Value(value.type, Kind.STR, cells[name], length=cells[self.states[1].name])
        if value.codes is not None:
            return Value(value.type, Kind.STR, "", codes=CodesOf(cells[name], value.codes.column))
        return Value(value.type, value.kind, cells[name])

    def take(self, into: Arrays, other: Arrays, at: Array, where: Array) -> None:
        """Copy `other`'s states over `into`'s for the groups in `where`."""
        for state in self.states:
            a, b = into[state.name].reshape(-1, state.width), other[state.name].reshape(-1, state.width)
            a[at[where]] = b[: len(at)][where]

    def column(self, arrays: Arrays, n: int, ok: Array | None) -> Column:
        data = arrays[self.states[0].name][: n * self.states[0].width].copy()
        value, type_ = self.call.value, self.call.type
        if value.kind is Kind.STR and value.codes is None:
            return Column(data, ok, lengths=arrays[self.states[1].name][:n].astype(np.int32))
        if value.kind is Kind.STR:
            return Column(data.astype(np.int32), ok)
        if type_.kind is Kind.WIDE and value.kind is Kind.INT:
            return Column(aggregation.widen(data), ok)
        return Column(data.astype(type_.storage, copy=False), ok)

    def layout(self, nullable: bool) -> Layout:
        value = self.call.value
        if value.kind is Kind.STR:
            return Layout(self.call.type, Encoding.CODES if value.codes else Encoding.VIEWS, nullable)
        return Layout(self.call.type, nullable=nullable, low=value.low, high=value.high)


@aggregate("min", "max")
def extreme(_kernel: Kernel, call: Call) -> Accumulator:
    """The smallest or largest value in Spark's order."""
    held, seen = Held.of(call), call.state("seen", "uint8")
    operator = "<" if call.call.function == "min" else ">"
    value = call.value

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        def keep() -> None:
            better = compare(kernel, operator, value, held.current(cells))
            with kernel.block(f"if {cells[seen.name]} == 0 or {better}"):
                held.store(kernel, cells, value)
                kernel.line(f"{cells[seen.name]} = uint8(1)")

        _guarded(kernel, value.ok, keep)

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        theirs, ours = other[seen.name][: len(at)] != 0, into[seen.name][at] != 0
        better = aggregation.better(held.states, value, operator, into, other, at)
        held.take(into, other, at, theirs & (~ours | better))
        into[seen.name][at] |= other[seen.name][: len(at)]

    def finish(arrays: Arrays, n: int) -> Column:
        return held.column(arrays, n, _validity(arrays, seen, n))

    return Accumulator((*held.states, seen), update, merge, finish, held.layout(call.needs_seen))


@aggregate("first", "last")
def first_last(_kernel: Kernel, call: Call) -> Accumulator:
    """The value of the first or last row seen; nulls count unless ignored."""
    held, seen, valid = Held.of(call), call.state("seen", "uint8"), call.state("ok", "uint8")
    value, is_first = call.value, call.call.function == "first"
    skip_nulls = bool(call.option("ignoreNulls"))

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        row = value.ok if skip_nulls else call.condition
        wanted = conjunction(row, f"{cells[seen.name]} == 0" if is_first else None)
        with kernel.block(f"if {wanted}"):
            held.store(kernel, cells, value)
            kernel.line(f"{cells[valid.name]} = uint8({value.ok or 1})")
            kernel.line(f"{cells[seen.name]} = uint8(1)")

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        theirs, ours = other[seen.name][: len(at)] != 0, into[seen.name][at] != 0
        where = theirs & ~ours if is_first else theirs
        held.take(into, other, at, where)
        into[valid.name][at[where]] = other[valid.name][: len(at)][where]
        into[seen.name][at] |= other[seen.name][: len(at)]

    def finish(arrays: Arrays, n: int) -> Column:
        return held.column(arrays, n, _validity(arrays, valid, n))

    source = value.codes.column if value.codes else None
    layout = held.layout(call.needs_seen)
    return Accumulator((*held.states, seen, valid), update, merge, finish, layout, source, is_ordered=True)


# moments --------------------------------------------------------------------------------------------------------------

_DIVISOR_SHIFT: Final = {"var_pop": 0, "stddev_pop": 0, "var_samp": 1, "stddev_samp": 1}


@aggregate("var_pop", "var_samp", "stddev_pop", "stddev_samp")
def variance(_kernel: Kernel, call: Call) -> Accumulator:
    """Second central moment by Welford's update, merged by Chan's formula, as Spark's `CentralMomentAgg`."""
    n_state, mean, m2 = (call.state(name, "float64") for name in ("n", "mean", "m2"))
    value, function = call.value, call.call.function

    def update(kernel: Kernel, cells: Mapping[str, str]) -> None:
        def add() -> None:
            kernel.line(f"{cells[n_state.name]} += 1.0")
            delta = kernel.let("delta", f"{value.code} - {cells[mean.name]}")
            step = kernel.let("step", f"{delta} / {cells[n_state.name]}")
            kernel.line(f"{cells[mean.name]} += {step}")
            kernel.line(f"{cells[m2.name]} += {delta} * ({delta} - {step})")

        _guarded(kernel, value.ok, add)

    def merge(into: Arrays, other: Arrays, at: Array) -> None:
        aggregation.merge_moments(into, other, at, n_state.name, mean.name, m2.name)

    def finish(arrays: Arrays, n: int) -> Column:
        counts, moments = arrays[n_state.name][:n], arrays[m2.name][:n]
        divisor = counts - _DIVISOR_SHIFT[function]
        with np.errstate(all="ignore"):
            result = moments / divisor
        ok = counts > 0
        if _DIVISOR_SHIFT[function]:
            single = counts == 1
            if call.option("nullOnDivideByZero", True):
                ok = ok & ~single
            else:
                result = np.where(single, np.nan, result)
        if function.startswith("stddev"):
            with np.errstate(all="ignore"):
                result = np.sqrt(result)
        return Column(np.where(ok, result, 0.0), None if ok.all() else ok.astype(np.uint8))

    return Accumulator((n_state, mean, m2), update, merge, finish, Layout(DOUBLE))


def build(kernel: Kernel, calls: Sequence[Call]) -> list[Accumulator]:
    """The accumulators of an aggregate's calls. Raises `Unsupported` for an unknown function."""
    built = []
    for call in calls:
        builder = AGGREGATES.get(call.call.function)
        if builder is None:
            raise Unsupported("this aggregate function is not supported", call.call.function)
        built.append(builder(kernel, call))
    return built
