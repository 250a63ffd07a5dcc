"""The values that the keys of a join table have, as far as it takes to leave out what cannot match."""

from __future__ import annotations

import ctypes
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pyflare.codegen.generate import Generated
from pyflare.codegen.joins import JoinSpec
from pyflare.io.columns import Array
from pyflare.io.prune import Facts
from pyflare.types import Kind

MAX_VALUES: Final = 2**14  # more are known by the smallest and the largest only


class KeyValues(Protocol):
    """The values of one key."""

    def has_any(self, low: Any, high: Any) -> bool:
        """Whether one of the values may lie from `low` to `high`."""
        ...


@dataclass(frozen=True)
class DenseValues:
    """The values of a key that is its own group number: `low + g` is one if group g has rows."""

    starts: Array
    low: int

    def has_any(self, low: int, high: int) -> bool:
        first, end = max(low - self.low, 0), min(high - self.low + 1, len(self.starts) - 1)
        return first < end and bool(self.starts[first] < self.starts[end])


@dataclass(frozen=True)
class Intervals:
    """Closed intervals, apart from each other and ascending, that hold the values."""

    lows: Sequence[Any]
    highs: Sequence[Any]

    def has_any(self, low: Any, high: Any) -> bool:
        at = bisect_left(self.highs, low)
        return at < len(self.highs) and bool(self.lows[at] <= high)


def key_values(build: Generated, arrays: Mapping[str, Any], key: int) -> KeyValues | None:
    """The values of key number `key` of a join table, which is not empty; None if they are not worth finding."""
    spec, layouts = build.spec, build.shape.layouts
    assert isinstance(spec, JoinSpec)
    if spec.dense:
        return DenseValues(arrays["starts"], spec.low)
    kinds = [layouts[index].type.kind for index in spec.keys]
    groups, width = len(arrays["starts"]) - 1, len(spec.texts)
    words = arrays["keys"][: groups * width].reshape(groups, width)
    at = sum(2 if kind in (Kind.STR, Kind.WIDE) else 1 for kind in kinds[:key])
    if kinds[key] is Kind.INT:
        return _of_numbers(words[:, at])
    if groups > MAX_VALUES or kinds[key] not in (Kind.STR, Kind.WIDE):
        return None
    pairs = set(zip(words[:, at].tolist(), words[:, at + 1].tolist(), strict=True))
    if kinds[key] is Kind.STR:
        values = sorted({ctypes.string_at(address % 2**64, length) for address, length in pairs})
        return Intervals(values, values)
    numbers = sorted((high << 64) | (low % 2**64) for low, high in pairs)
    return Intervals(numbers, numbers)


def _of_numbers(values: Array) -> Intervals:
    if len(values) > MAX_VALUES:
        return Intervals([int(values.min())], [int(values.max())])
    numbers = sorted(set(values.tolist()))
    return Intervals(numbers, numbers)


def excludes(values: KeyValues, found: Facts) -> bool:
    """Whether no row can have one of the values. Nulls never match."""
    return found.is_all_null or (found.low is not None and not values.has_any(found.low, found.high))
