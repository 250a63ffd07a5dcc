"""What a Parquet footer says of its column chunks: one column of one row group each."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyflare.io.schema import PHYSICAL

if TYPE_CHECKING:
    from pyflare.io.columns import Array
    from pyflare.io.schema import Field, Schema
    from pyflare.io.thrift import Events

_CODECS: Final = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")
_PLAIN: Final = 0
_PLAIN_DICTIONARY: Final = 2
_RLE_DICTIONARY: Final = 8
_DATA_PAGE: Final = 0
_DATA_PAGE_V2: Final = 3
_NUMBERS: Final = {"BOOLEAN": "<?", "INT32": "<i", "INT64": "<q", "FLOAT": "<f", "DOUBLE": "<d"}

# Where things are in the footer, as field ids from the outside inwards.
_CHUNK: Final = (4, 1)
_META: Final = (*_CHUNK, 3)
_ENCODINGS: Final = (*_META, 2)
_STATISTICS: Final = (*_META, 12)
_PAGE_COUNT: Final = (*_META, 13)


class _Item(IntEnum):
    """The columns of the table."""

    PHYSICAL = 0
    CODEC = 1
    VALUES = 2
    COMPRESSED = 3
    DATA_PAGE = 4
    DICTIONARY_PAGE = 5
    NULLS = 6
    OLD_HIGH = 7
    OLD_LOW = 8
    HIGH = 9
    LOW = 10


_PATHS: Final = (
    *((*_META, field) for field in (1, 4, 5, 7, 9, 11)),
    *((*_STATISTICS, field) for field in (3, 1, 2, 5, 6)),
)


@dataclass(frozen=True)
class ChunkInfo:
    """What is known of one chunk: raw statistics, None where there are none to rely on.

    `start` is where the chunk lies in the file, `compressed` and `dictionary` are sizes there; `dictionary` is None
    unless a dictionary holds every value, as far as one can tell.
    """

    rows: int
    nulls: int | None
    low: Any
    high: Any
    start: int
    compressed: int
    dictionary: int | None
    codec: str


@dataclass(frozen=True)
class ChunkTable:
    """All chunks of a file, row group by row group: numbers, and spans of the footer's bytes; -1 where it has none."""

    items: Array
    is_coded: Array
    data: bytes
    leaves: int

    @classmethod
    def of(cls, events: Events, data: bytes, schema: Schema, groups: int) -> ChunkTable:
        """The chunks in a footer. Raises ValueError if they do not fit the schema."""
        items = events.table(_CHUNK, _PATHS)
        physical = [PHYSICAL.index(leaf) for leaf in schema.leaves] * groups
        if items[:, _Item.PHYSICAL, 0].tolist() != physical:
            raise ValueError("the row groups do not fit the schema")
        return cls(items, _is_coded(events), data, len(schema.leaves))

    def info(self, column: Field, group: int, rows: int, trusts_order: bool) -> ChunkInfo:
        """What is known of a column of a row group. Raises ValueError if it makes no sense.

        `trusts_order` says whether the bounds are known to be in the order of the column's type.
        """
        index = group * self.leaves + column.leaf
        numbers = self.items[index, :, 0].tolist()
        fits = column.is_list or numbers[_Item.VALUES] == rows
        if not fits or numbers[_Item.COMPRESSED] < 0:
            raise ValueError(f"row group {group} of column {column.name} makes no sense")
        nulls, codec = numbers[_Item.NULLS], numbers[_Item.CODEC]
        name = _CODECS[codec] if 0 <= codec < len(_CODECS) else f"number {codec}"
        start = _start(numbers[_Item.DATA_PAGE], numbers[_Item.DICTIONARY_PAGE])
        if column.is_list:  # its statistics are those of the elements
            return ChunkInfo(rows, None, None, None, start, numbers[_Item.COMPRESSED], None, name)
        low, high = self._bounds(column, index, trusts_order)
        return ChunkInfo(
            rows,
            0 if column.required else nulls if 0 <= nulls <= rows else None,
            low,
            high,
            start,
            numbers[_Item.COMPRESSED],
            self._dictionary_bytes(index),
            name,
        )

    def _bounds(self, column: Field, index: int, trusts_order: bool) -> tuple[Any, Any]:
        """The new statistics; without them the old ones, where only one order was ever used."""
        spans = self.items[index].tolist()
        low, high = spans[_Item.LOW], spans[_Item.HIGH]
        if low[0] < 0 or high[0] < 0:
            low, high = spans[_Item.OLD_LOW], spans[_Item.OLD_HIGH]
            is_unsigned = column.logical == "Int" and not column.parameter("isSigned")
            trusts_order = column.physical in _NUMBERS and not is_unsigned
        if low[0] < 0 or high[0] < 0 or not trusts_order:
            return None, None
        return self._statistic(column, *low), self._statistic(column, *high)

    def _statistic(self, column: Field, start: int, length: int) -> Any:
        data = self.data[start : start + length]
        if column.physical == "BYTE_ARRAY":
            return data
        if column.physical == "FIXED_LEN_BYTE_ARRAY":
            return data if length == column.length else None
        pattern = _NUMBERS.get(column.physical)
        return struct.unpack(pattern, data)[0] if pattern and struct.calcsize(pattern) == length else None

    def _dictionary_bytes(self, index: int) -> int | None:
        start, end = self.items[index, [_Item.DICTIONARY_PAGE, _Item.DATA_PAGE], 0].tolist()
        return end - start if 0 < start < end and self.is_coded[index] else None


def _start(data_page: int, dictionary_page: int) -> int:
    """Where a chunk's first page is: some writers give a dictionary page at 0 where there is none."""
    return dictionary_page if 0 < dictionary_page < data_page else data_page


def _is_coded(events: Events) -> Array:
    """Whether all data pages of a chunk hold dictionary codes: by the counts of its pages, else by its encodings."""
    chunks, encodings = events.at(*_CHUNK), events.at(*_ENCODINGS)
    owners, kinds = events.owners(chunks, encodings), events.values[encodings]
    has = {kind: np.zeros(len(chunks), np.bool_) for kind in (_PLAIN, _PLAIN_DICTIONARY, _RLE_DICTIONARY)}
    for kind, flags in has.items():
        flags[owners[kinds == kind]] = True
    coded: Array = (has[_PLAIN_DICTIONARY] & ~has[_PLAIN]) | (has[_RLE_DICTIONARY] & ~has[_PLAIN_DICTIONARY])

    counts = events.table(_PAGE_COUNT, [(*_PAGE_COUNT, field) for field in (1, 2, 3)])[:, :, 0]
    pages, kinds, count = counts.T
    is_data = ((pages == _DATA_PAGE) | (pages == _DATA_PAGE_V2)) & (count != 0)
    is_other = is_data & (kinds != _PLAIN_DICTIONARY) & (kinds != _RLE_DICTIONARY)
    counted = events.owners(chunks, events.at(*_PAGE_COUNT))
    coded[counted] = True
    coded[counted[is_other]] = False
    return coded
