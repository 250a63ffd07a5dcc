"""Group states while a query runs: one set a thread, grown when full, merged at the end, turned into columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from pyflare.codegen.aggregates import StateArray
from pyflare.codegen.groups import GroupsSpec, KeyColumn
from pyflare.codegen.values import Frame, Source
from pyflare.errors import ExecutionError, TooManyGroups
from pyflare.io.columns import Array, Batch, Column, Dictionary, Encoding
from pyflare.run.together import Together, in_turn, shares
from pyflare.runtime.aggregation import find_or_insert, rehash, widen
from pyflare.runtime.arena import Arena
from pyflare.types import Kind

_FIRST_CAPACITY = 1024
_WINDOW = 1 << 15
_NO_WORDS = Dictionary(np.zeros(1, np.int32), np.zeros(8, np.uint8))


class Groups:
    """One thread's groups. `arrays` is what the kernel's state parameters are bound to."""

    def __init__(self, spec: GroupsSpec) -> None:
        self.spec = spec
        self.arrays: dict[str, Any] = {}
        self.arena = Arena()
        self.keep: list[Any] = [self.arena]
        self.dictionaries: dict[Source, Dictionary] = {}
        named = (*(key.source for key in spec.keys), *(accumulator.source for accumulator in spec.accumulators))
        self._sources = [source for source in named if source is not None]
        layouts = (*(key.layout for key in spec.keys), *(accumulator.layout for accumulator in spec.accumulators))
        self._borrows = any(layout.type.is_stringlike for layout in layouts)

    @staticmethod
    def of(spec: GroupsSpec) -> Groups:
        """Empty groups of the right sort."""
        return {"global": GlobalGroup, "dense": DenseGroups, "hash": HashGroups}[spec.how](spec)

    def prepare(self, frame: Frame) -> None:
        """Make room for what a batch may need, and keep what its values point into."""
        if self._borrows:
            self.keep.append((frame.batch, frame.tables, frame.subqueries))
        for source in self._sources:
            self._note_dictionary(source, frame.column(source).dictionary)

    def _note_dictionary(self, source: Source, dictionary: Dictionary | None) -> None:
        known = self.dictionaries.get(source)
        if dictionary is not None and (known is None or len(known) < len(dictionary)):
            self.dictionaries[source] = dictionary

    def _dictionary(self, source: Source | None) -> Dictionary:
        """A source's dictionary, without entries if no batch has brought one."""
        return _NO_WORDS if source is None else self.dictionaries.get(source, _NO_WORDS)

    def grow(self) -> None:
        """Make room after the kernel has stopped because it was full."""
        raise ExecutionError("a kernel stopped, but its state is not full")

    @property
    def nbytes(self) -> int:
        """What the states take."""
        return sum(array.nbytes for array in self.arrays.values() if isinstance(array, np.ndarray))

    def absorb(self, other: Groups) -> None:
        """Add another thread's groups to these."""
        raise NotImplementedError

    def merged(self, others: Sequence[Groups], _together: Together) -> tuple[Batch, ...]:
        """All threads' groups as batches: keys, then results."""
        for other in others:
            self.absorb(other)
        return (self.result(),)

    def merge_keep(self, other: Groups) -> None:
        """Keep alive what the other's values point into, and know its dictionaries."""
        self.keep.extend(other.keep)
        for source, dictionary in other.dictionaries.items():
            self._note_dictionary(source, dictionary)

    def _results(self, arrays: dict[str, Any], count: int) -> list[Column]:
        columns = []
        for accumulator in self.spec.accumulators:
            column = accumulator.finish(arrays, count)
            if accumulator.source is not None:
                column = Column(column.data, column.ok, dictionary=self._dictionary(accumulator.source))
            columns.append(column)
        return columns

    def result(self) -> Batch:
        """The groups as a batch: keys, then results."""
        raise NotImplementedError


def _merge(spec: GroupsSpec, into: dict[str, Any], other: dict[str, Any], at: Array) -> None:
    for accumulator in spec.accumulators:
        accumulator.merge(into, other, at)


def _fresh(state: StateArray, count: int) -> Array:
    return np.zeros(count * state.width, np.dtype(state.dtype))


class GlobalGroup(Groups):
    """The one group of an aggregate without keys."""

    def __init__(self, spec: GroupsSpec) -> None:
        super().__init__(spec)
        self.arrays.update({state.name: _fresh(state, 1) for state in spec.states})

    def absorb(self, other: Groups) -> None:
        self.merge_keep(other)
        _merge(self.spec, self.arrays, other.arrays, np.zeros(1, np.int64))

    def result(self) -> Batch:
        return Batch(1, tuple(self._results(self.arrays, 1)), tuple(self.keep))


class DenseGroups(Groups):
    """Groups numbered by their keys: a mixed-radix number with one digit a key."""

    def __init__(self, spec: GroupsSpec) -> None:
        super().__init__(spec)
        self.spans = [max(key.span, 1) for key in spec.keys]
        self._allocate()

    def _allocate(self) -> None:
        count = math.prod(self.spans)
        self.arrays = {state.name: _fresh(state, count) for state in self.spec.states}
        self.arrays["occupied"] = np.zeros(count, np.uint8)
        self.arrays["spans"] = self.spans

    def prepare(self, frame: Frame) -> None:
        super().prepare(frame)
        self._widen([self._span(index, key) for index, key in enumerate(self.spec.keys)])

    def _span(self, index: int, key: KeyColumn) -> int:
        if key.source is None:
            return self.spans[index]
        dictionary = self.dictionaries.get(key.source)
        needed = (0 if dictionary is None else len(dictionary)) + (key.bit is not None)
        return self.spans[index] if needed <= self.spans[index] else 1 << max(needed - 1, 1).bit_length()

    def _widen(self, spans: Sequence[int]) -> None:
        if list(spans) == self.spans:
            return
        if math.prod(spans) > 2**24:
            raise TooManyGroups("too many groups for a dense table")
        old_spans, old = self.spans, self.arrays
        self.spans = list(spans)
        self._allocate()
        window = tuple(slice(0, span) for span in old_spans)
        for name, array in old.items():
            if name == "spans":
                continue
            width = len(array) // math.prod(old_spans)
            self.arrays[name].reshape(*self.spans, width)[window] = array.reshape(*old_spans, width)

    def merged(self, others: Sequence[Groups], together: Together) -> tuple[Batch, ...]:
        """A batch for each share of the places, which different threads may merge."""
        parts = [part for part in (self, *others) if isinstance(part, DenseGroups)]
        for part in parts[1:]:
            self.merge_keep(part)
        spans = [max(sizes) for sizes in zip(*(part.spans for part in parts), strict=True)]
        for part in parts:
            part._widen(spans)
        jobs = [partial(self._share, parts[1:], *share) for share in shares(math.prod(spans))]
        batches = together(jobs) if len(jobs) > 1 else in_turn(jobs)
        return tuple(batch for batch in batches if batch.length) or tuple(batches[:1])

    def _share(self, others: Sequence[DenseGroups], start: int, stop: int) -> Batch:
        for other in others:
            for window in range(start, stop, _WINDOW):
                self._absorb_window(other, window, min(stop, window + _WINDOW))
        return self._result(start, stop)

    def _absorb_window(self, other: DenseGroups, start: int, stop: int) -> None:
        """Threads seldom meet in the same window where the keys come in order."""
        mine, theirs = self._window(start, stop), other._window(start, stop)
        at = _positions(theirs["occupied"])
        if not len(at):
            return
        if mine["occupied"].any():
            _merge(self.spec, mine, _picked(theirs, self.spec.states, at), at)
            mine["occupied"] |= theirs["occupied"]
            return
        for name, array in mine.items():
            array[:] = theirs[name]

    def _window(self, start: int, stop: int) -> dict[str, Any]:
        """The states of some groups, not copied."""
        window = {s.name: self.arrays[s.name][start * s.width : stop * s.width] for s in self.spec.states}
        window["occupied"] = self.arrays["occupied"][start:stop]
        return window

    def _result(self, start: int, stop: int) -> Batch:
        window = self._window(start, stop)
        at = _positions(window["occupied"])
        digits = np.unravel_index(at + start, self.spans) if len(self.spans) > 1 else (at + start,)
        columns = [self._key(key, digit) for key, digit in zip(self.spec.keys, digits, strict=True)]
        columns += self._results(_picked(window, self.spec.states, at), len(at))
        return Batch(len(at), tuple(columns), tuple(self.keep))

    def _key(self, key: KeyColumn, digit: Array) -> Column:
        ok = None
        if key.bit is not None:
            ok = (digit > 0).astype(np.uint8)
            digit = np.maximum(digit - 1, 0)
        type_ = key.layout.type
        if key.layout.encoding is Encoding.CODES:
            return Column(digit.astype(np.int32), ok, dictionary=self._dictionary(key.source))
        values = digit + np.int64(key.low)
        if type_.kind is Kind.WIDE:
            return Column(widen(values), ok)
        return Column(values.astype(type_.storage, copy=False), ok)


def _picked(arrays: dict[str, Any], states: Sequence[StateArray], at: Array) -> dict[str, Any]:
    return {s.name: _taken(arrays[s.name], s.width, at) for s in states}


def _taken(array: Array, width: int, at: Array) -> Array:
    taken: Array = array[at] if width == 1 else array.reshape(-1, width)[at].ravel()
    return taken


def _positions(occupied: Array) -> Array:
    """The groups that exist. NumPy looks through booleans faster than through bytes."""
    return np.flatnonzero(occupied.view(np.bool_))


class HashGroups(Groups):
    """Groups in an open-addressing table: slots hold group numbers; hashes, key words and states lie by group."""

    def __init__(self, spec: GroupsSpec, capacity: int = _FIRST_CAPACITY) -> None:
        super().__init__(spec)
        self.width = len(spec.texts)
        self.arrays = {state.name: _fresh(state, capacity) for state in spec.states}
        self.arrays["ht_slots"] = np.full(2 * capacity, -1, np.int32)
        self.arrays["ht_hashes"] = np.zeros(capacity, np.uint64)
        self.arrays["ht_keys"] = np.zeros(capacity * self.width, np.int64)
        self.arrays["ht_count"] = np.zeros(1, np.int64)

    @property
    def count(self) -> int:
        return int(self.arrays["ht_count"][0])

    @property
    def capacity(self) -> int:
        return len(self.arrays["ht_hashes"])

    def grow(self) -> None:
        self.reserve(self.capacity * 4)

    def reserve(self, groups: int) -> None:
        """Room for at least `groups` groups."""
        if groups <= self.capacity:
            return
        capacity = 1 << (groups - 1).bit_length()
        old, count = self.arrays, self.count
        self.arrays = {s.name: _extended(old[s.name], _fresh(s, capacity)) for s in self.spec.states}
        self.arrays["ht_hashes"] = _extended(old["ht_hashes"], np.zeros(capacity, np.uint64))
        self.arrays["ht_keys"] = _extended(old["ht_keys"], np.zeros(capacity * self.width, np.int64))
        self.arrays["ht_count"] = old["ht_count"]
        self.arrays["ht_slots"] = np.full(2 * capacity, -1, np.int32)
        rehash(self.arrays["ht_slots"], self.arrays["ht_hashes"], count)

    def absorb(self, other: Groups) -> None:
        assert isinstance(other, HashGroups)
        self.merge_keep(other)
        self.reserve(self.count + other.count)
        texts = np.array(self.spec.texts, np.uint8)
        mine, theirs = self.arrays, other.arrays
        places = np.empty(other.count, np.int64)
        mine["ht_count"][0] = find_or_insert(
            mine["ht_slots"], mine["ht_hashes"], mine["ht_keys"], texts, self.count,
            theirs["ht_hashes"], theirs["ht_keys"], places,
        )  # fmt: skip
        _merge(self.spec, self.arrays, theirs, places)

    def result(self) -> Batch:
        count = self.count
        words = self.arrays["ht_keys"][: count * self.width].reshape(count, self.width)
        columns = [self._key(key, words) for key in self.spec.keys]
        columns += self._results(self.arrays, count)
        return Batch(count, tuple(columns), tuple(self.keep))

    def _key(self, key: KeyColumn, words: Array) -> Column:
        ok = None
        if key.bit is not None:
            ok = ((words[:, 0] >> key.bit) & 1).astype(np.uint8)
        values, type_ = np.ascontiguousarray(words[:, key.word]), key.layout.type
        if key.layout.encoding is Encoding.CODES:
            return Column(values.astype(np.int32), ok, dictionary=self._dictionary(key.source))
        if type_.is_stringlike:
            return Column(values.view(np.uint64), ok, lengths=words[:, key.word + 1].astype(np.int32))
        if type_.kind is Kind.WIDE:
            data = words[:, key.word : key.word + 2].ravel() if key.width == 2 else widen(values)
            return Column(data, ok)
        if type_.name == "double":
            return Column(values.view(np.float64), ok)
        if type_.name == "float":
            return Column(values.astype(np.int32).view(np.float32), ok)
        return Column(values.astype(type_.storage), ok)


def _extended(old: Array, new: Array) -> Array:
    new[: len(old)] = old
    return new
