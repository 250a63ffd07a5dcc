"""The column cache: decoded column chunks and file footers, shared by all queries of a backend."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyflare.io.dictionaries import DictionaryRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pyflare.io.columns import Column

MAX_FOOTERS: Final = 4096


@dataclass(frozen=True)
class Chunk:
    """One column of one row group, decoded, with what was found in it."""

    column: Column
    low: int | None = None
    high: int | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of memory that keeping this chunk costs."""
        column = self.column
        return sum(
            array.nbytes for array in (column.data, column.ok, column.bytes, column.lengths) if array is not None
        )


@dataclass(frozen=True)
class CacheStats:
    """Counters since the cache was made, and what it holds now."""

    capacity: int
    bytes: int
    chunks: int
    footers: int
    hits: int
    misses: int
    evictions: int


class ColumnCache:
    """Decoded chunks by key, least recently used first out. Readers that want the same chunk at once decode it once."""

    def __init__(self, capacity_bytes: int) -> None:
        self.dictionaries = DictionaryRegistry()
        self._capacity = capacity_bytes
        self._lock = threading.Lock()
        self._chunks: OrderedDict[Hashable, Chunk] = OrderedDict()
        self._pending: dict[Hashable, Future[Chunk]] = {}
        self._footers: OrderedDict[Hashable, Any] = OrderedDict()
        self._bytes = self._hits = self._misses = self._evictions = 0

    def claim(self, key: Hashable) -> tuple[Chunk | Future[Chunk], bool]:
        """The chunk behind `key`, or what it will arrive in; True if the caller makes it, then `settle`s or `fail`s."""
        with self._lock:
            chunk = self._chunks.get(key)
            if chunk is not None:
                self._hits += 1
                self._chunks.move_to_end(key)
                return chunk, False
            pending = self._pending.get(key)
            if pending is not None:
                self._hits += 1
                return pending, False
            self._misses += 1
            pending = self._pending[key] = Future()
            return pending, True

    def settle(self, key: Hashable, chunk: Chunk) -> None:
        """Hand over a claimed chunk."""
        with self._lock:
            pending = self._pending.pop(key)
            if chunk.nbytes <= self._capacity:
                self._chunks[key] = chunk
                self._bytes += chunk.nbytes
                self._evict()
        pending.set_result(chunk)

    def fail(self, key: Hashable, error: BaseException) -> None:
        """Give a claimed chunk up: those who wait for it see `error`, the next one tries again."""
        with self._lock:
            pending = self._pending.pop(key)
        pending.set_exception(error)

    def footer(self, key: Hashable, load: Callable[[], Any]) -> Any:
        """The footer behind `key`, loaded if need be."""
        with self._lock:
            footer = self._footers.get(key)
            if footer is not None:
                self._footers.move_to_end(key)
                return footer
        footer = load()
        with self._lock:
            self._footers[key] = footer
            if len(self._footers) > MAX_FOOTERS:
                self._footers.popitem(last=False)
        return footer

    def resize(self, capacity_bytes: int) -> None:
        """Change the capacity; 0 keeps no columns."""
        with self._lock:
            self._capacity = capacity_bytes
            self._evict()

    def stats(self) -> CacheStats:
        """What the cache holds and how it did."""
        with self._lock:
            return CacheStats(
                self._capacity,
                self._bytes,
                len(self._chunks),
                len(self._footers),
                self._hits,
                self._misses,
                self._evictions,
            )

    def _evict(self) -> None:
        while self._bytes > self._capacity:
            _, chunk = self._chunks.popitem(last=False)
            self._bytes -= chunk.nbytes
            self._evictions += 1
