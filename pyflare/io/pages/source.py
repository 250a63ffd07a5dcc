"""A column chunk's bytes in memory, and the table of its pages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pyflare.io.memory import view
from pyflare.io.pages.headers import DICTIONARY, FIELDS, HEADER, SUMS, Page
from pyflare.io.pages.scratch import Scratch
from pyflare.io.pages.snappy import PADDING

if TYPE_CHECKING:
    from pyflare.io.chunktable import ChunkInfo
    from pyflare.io.columns import Array
    from pyflare.io.pages.kernels import Kernels

MOST_BYTES: Final = 1 << 29

_LIBRARY_CODECS: Final = {"ZSTD": "zstd", "GZIP": "gzip", "BROTLI": "brotli"}
_MOST_PAGES: Final = 1 << 12

scratch: Final = Scratch()


@dataclass(frozen=True)
class Pages:
    """A table of pages (see `Page`) and what is added up over them.

    The bytes are in the thread's scratch memory, so one chunk at a time is read by a thread.
    """

    table: Array
    rows: int
    most_values: int
    plain_bytes: int
    coded: int
    largest: int
    entries: int | None

    @property
    def dictionary(self) -> list[int] | None:
        """The row of the dictionary page."""
        row: list[int] = self.table[0].tolist()
        return row if row[Page.KIND] == DICTIONARY else None


def read_pages(kernels: Kernels, descriptor: int, info: ChunkInfo, is_optional: bool) -> Pages | None:
    """Read a chunk from an open file; None if its pages are not understood. Raises OSError."""
    if not (0 < info.compressed <= MOST_BYTES and info.start > 0 and info.rows):
        return None
    raw = scratch.take("raw", info.compressed + PADDING)
    if not _fill(descriptor, raw.bytes[: info.compressed], info.start):
        return None
    table = scratch.take("pages", 8 * _MOST_PAGES * FIELDS).bytes[: 8 * _MOST_PAGES * FIELDS]
    table = table.view(np.int64).reshape(_MOST_PAGES, FIELDS)
    sums = np.empty(SUMS, np.int64)
    count = kernels.read_headers(raw.address, info.compressed, is_optional, table, sums, np.empty(HEADER, np.int64))
    rows, most_values, plain_bytes, coded, largest, entries = sums.tolist()
    if count <= (entries >= 0) or rows != info.rows or largest > MOST_BYTES or entries > MOST_BYTES // 8:
        return None
    table = table[:count]
    if info.codec not in ("UNCOMPRESSED", "SNAPPY"):
        codec = _LIBRARY_CODECS.get(info.codec)
        if codec is None or not _decompressed(table, codec):
            return None
    return Pages(table, rows, most_values, plain_bytes, coded, largest, None if entries < 0 else entries)


def _fill(descriptor: int, target: Array, start: int) -> bool:
    """Read bytes from a position of a file; False if it ends before them."""
    done = 0
    while done < len(target):
        count = os.preadv(descriptor, [target[done:].data], start + done)
        if count == 0:
            return False
        done += count
    return True


def _decompressed(table: Array, codec: str) -> bool:
    """Decompress every page by a library, and let the table point to the results; False if that cannot be done.

    By a stream, because `pa.Codec` does not tell when there are fewer bytes than a header promises.
    """
    total = int((table[:, Page.ROOM] + table[:, Page.LEVELS] + PADDING).sum())
    if total > MOST_BYTES:
        return False
    target = scratch.take("decompressed", total)
    at = 0
    for row in table:
        _, _, _, start, size, room, levels, is_compressed = row.tolist()
        source = bytes_at(start - levels, levels + size)
        target.bytes[at : at + levels] = source[:levels]
        at += levels
        if is_compressed and room:
            try:
                plain = pa.CompressedInputStream(pa.BufferReader(source[levels:]), codec).read_buffer(room + 1)
            except (pa.ArrowException, OSError, ValueError):
                return False
            if plain.size != room:
                return False
            target.bytes[at : at + room] = view(plain, np.uint8, room)
        elif size == room or not room:
            target.bytes[at : at + room] = source[levels : levels + room]
        else:
            return False
        row[Page.START], row[Page.SIZE] = target.address + at, room
        at += room + PADDING
    return True


def bytes_at(address: int, count: int) -> Array:
    """Scratch memory as an array."""
    return view(pa.foreign_buffer(address, count), np.uint8, count)
