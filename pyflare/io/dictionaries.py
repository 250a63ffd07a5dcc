"""Growing dictionaries: the distinct values of a string column across all row groups and files of a table.

A code, once given, never changes its value, so cached codes stay valid while other readers append.
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final

import numpy as np

from pyflare.io.columns import Array, Dictionary

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

MAX_VALUES: Final = 1 << 20
MAX_BYTES: Final = 1 << 27

_INT32_MAX: Final = 2**31 - 1


class DictionaryOverflowError(Exception):
    """A dictionary has more bytes than int32 offsets can address."""


class GrowingDictionary:
    """Values in the order in which they were first met. `uid` tells it apart from every other dictionary."""

    _uids = itertools.count(1)

    def __init__(self) -> None:
        self.uid = next(self._uids)
        self._lock = threading.Lock()
        self._codes: dict[bytes, int] = {}
        self._offsets: Array = np.zeros(16, np.int32)
        self._bytes: Array = np.empty(64, np.uint8)
        self._snapshot = Dictionary(self._offsets[:1], self._bytes[:0], self.uid)

    @property
    def is_full(self) -> bool:
        """Whether a new query should rather start an empty dictionary."""
        snapshot = self._snapshot
        return len(snapshot) > MAX_VALUES or len(snapshot.bytes) > MAX_BYTES

    def snapshot(self) -> Dictionary:
        """The values so far; the same object as long as nothing was added."""
        return self._snapshot

    def encode(self, values: Sequence[bytes]) -> Array:
        """The codes of `values`, which need not be distinct; new ones are added."""
        with self._lock:
            known = self._codes
            before = len(known)
            codes = np.fromiter((known.setdefault(value, len(known)) for value in values), np.int32, len(values))
            if len(known) > before:
                self._append(list(itertools.islice(reversed(known), len(known) - before))[::-1])
            return codes

    def _append(self, values: list[bytes]) -> None:
        old = self._snapshot
        ends = len(old.bytes) + np.cumsum([len(value) for value in values], dtype=np.int64)
        if ends[-1] > _INT32_MAX:
            for value in values:
                del self._codes[value]
            raise DictionaryOverflowError
        count, size = len(old) + len(values), int(ends[-1])
        self._offsets = _grown(self._offsets, len(old) + 1, count + 1)
        self._bytes = _grown(self._bytes, len(old.bytes), size)
        self._offsets[len(old) + 1 : count + 1] = ends
        self._bytes[len(old.bytes) : size] = np.frombuffer(b"".join(values), np.uint8)
        self._snapshot = Dictionary(self._offsets[: count + 1], self._bytes[:size], self.uid)


class DictionaryRegistry:
    """The dictionary of each column of each table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dictionaries: dict[Hashable, GrowingDictionary] = {}

    def of(self, key: Hashable) -> GrowingDictionary:
        """The dictionary behind `key`: a fresh one if there is none yet, or if it has grown too large to go on with."""
        with self._lock:
            dictionary = self._dictionaries.get(key)
            if dictionary is None or dictionary.is_full:
                dictionary = self._dictionaries[key] = GrowingDictionary()
            return dictionary


def _grown(array: Array, used: int, needed: int) -> Array:
    if needed <= len(array):
        return array
    larger = np.empty(max(needed, 2 * len(array)), array.dtype)
    larger[:used] = array[:used]
    return larger
