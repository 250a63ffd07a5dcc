"""The pages of one chunk → a column in one of three forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pyflare.io.cache import Chunk
from pyflare.io.columns import Column
from pyflare.io.memory import empty, view
from pyflare.io.pages.headers import Page
from pyflare.io.pages.snappy import PADDING
from pyflare.io.pages.source import bytes_at, scratch
from pyflare.io.pages.strings import DONE, FULL
from pyflare.types import Kind

if TYPE_CHECKING:
    from pyflare.io.columns import Array, Layout
    from pyflare.io.dictionaries import GrowingDictionary
    from pyflare.io.pages.kernels import Kernels
    from pyflare.io.pages.source import Pages

_MOST_BYTES: Final = 2**31 - 1  # of a column's strings, which have offsets of 32 bits
_SLACK: Final = 8  # bytes that are written behind the last element
_LIMITS: Final = {width: (-(1 << 8 * width - 1), (1 << 8 * width - 1) - 1) for width in (1, 2, 4, 8)}


@dataclass(frozen=True)
class Decoder:
    """Each method gives the chunk in one form, or None if that cannot be done."""

    kernels: Kernels
    pages: Pages
    rows: int
    is_snappy: bool
    is_optional: bool

    def numbers(self, layout: Layout, source_width: int) -> Chunk | None:
        """One element a row, in the type that the layout packs them in; None if one of them does not fit."""
        entries, width = self.pages.entries or 0, layout.storage.itemsize
        data = _room(self.rows, layout.storage)
        dictionary = scratch.take("dictionary", entries * width + _SLACK).address
        found = self._read(self.pages.table, data, dictionary, entries, source_width)
        if found is None:
            return None
        ok, low, high = found
        column = Column(data, ok)
        if layout.type.kind is not Kind.INT or low > high:
            return Chunk(column)
        least, most = _LIMITS[width]
        return Chunk(column, low, high) if least <= low and high <= most else None

    def codes(self, dictionary: GrowingDictionary) -> Chunk | None:
        """Codes of `dictionary`; None unless all pages hold indices."""
        values = self._dictionary_values()
        if values is None or self.pages.coded < self.rows:
            return None
        codes, data = dictionary.encode(values), _room(self.rows, np.dtype(np.int32))
        table = scratch.take("dictionary", 4 * len(codes) + _SLACK)
        table.bytes[: 4 * len(codes)].view(np.int32)[:] = codes
        found = self._read(self.pages.table[1:], data, table.address, len(codes), 0)
        return None if found is None else Chunk(Column(data, found[0]))

    def strings(self) -> Chunk | None:
        """Offsets and bytes."""
        pages, page = self.pages, self.pages.dictionary
        room, entries = (0, 0) if page is None else (page[Page.ROOM], page[Page.VALUES])
        if entries > room // 4:
            return None
        dictionary = scratch.take("dictionary", room + PADDING).address
        entry_places = scratch.take("entry places", 8 * entries).address
        places = scratch.take("places", 8 * pages.most_values).address
        offsets, ok = empty(self.rows + 1, np.int32), self._validity()
        offsets[0] = 0
        guess = pages.plain_bytes + (pages.coded * (room - 4 * entries) // entries if entries else 0)
        capacity = min(guess, _MOST_BYTES)
        buffer, state = pa.allocate_buffer(capacity + PADDING, resizable=True), np.zeros(5, np.int64)
        while True:
            status = self.kernels.read_strings(
                pages.table,
                len(pages.table),
                self.rows,
                self.is_snappy,
                self.is_optional,
                self._body(),
                self._indices(),
                dictionary,
                entry_places,
                entries,
                places,
                offsets.ctypes.data,
                ok.ctypes.data,
                buffer.address,
                capacity,
                state,
            )
            if status != FULL:
                break
            needed = int(state[4])
            if needed > _MOST_BYTES:
                return None
            capacity = min(max(needed, capacity + capacity // 2), _MOST_BYTES)
            buffer.resize(capacity + PADDING)
        if status != DONE:
            return None
        _, _, used, nulls, _ = state.tolist()
        buffer.resize(used + PADDING, shrink_to_fit=used < capacity // 2)
        return Chunk(Column(offsets, self._kept(ok) if nulls else None, view(buffer, np.uint8, used)))

    def _read(
        self, table: Array, data: Array, dictionary: int, entries: int, source_width: int
    ) -> tuple[Array | None, int, int] | None:
        """Decode to `data` and return which rows have a value, and bounds."""
        ok, found = self._validity(), np.empty(3, np.int64)
        good = self.kernels.read_numbers(
            table,
            len(table),
            self.rows,
            self.is_snappy,
            self.is_optional,
            self._body(),
            self._indices(),
            scratch.take("dense", 8 * self.pages.most_values + _SLACK).address,
            dictionary,
            entries,
            data.ctypes.data,
            ok.ctypes.data,
            source_width,
            data.itemsize,
            found,
        )
        if not good:
            return None
        nulls, low, high = found.tolist()
        return self._kept(ok) if nulls else None, low, high

    def _dictionary_values(self) -> list[bytes] | None:
        page = self.pages.dictionary
        if page is None:
            return None
        start, size, room = page[Page.START], page[Page.SIZE], page[Page.ROOM]
        if self.is_snappy and page[Page.IS_COMPRESSED] and room:
            target = scratch.take("dictionary", room + PADDING)
            if not self.kernels.uncompress(start, size, target.address, room):
                return None
            start = target.address
        elif room and size != room:
            return None
        return _split(bytes_at(start, room).tobytes(), page[Page.VALUES])

    def _body(self) -> int:
        return scratch.take("body", self.pages.largest + PADDING).address

    def _indices(self) -> int:
        return scratch.take("indices", 4 * (self.pages.most_values + 8)).address

    def _validity(self) -> Array:
        return scratch.take("ok", self.rows + 8 if self.is_optional else 0).bytes

    def _kept(self, ok: Array) -> Array:
        kept = empty(self.rows, np.uint8)
        kept[:] = ok[: self.rows]
        return kept


def _room(count: int, dtype: np.dtype[Any]) -> Array:
    return view(pa.allocate_buffer(count * dtype.itemsize + _SLACK), dtype, count)


def _split(data: bytes, count: int) -> list[bytes] | None:
    """`count` values, each behind its length."""
    values, at = [], 0
    for _ in range(count):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        if at + 4 > len(data) or end > len(data):
            return None
        values.append(data[at + 4 : end])
        at = end
    return values
