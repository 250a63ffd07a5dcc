"""What a Parquet file says of itself: its identity, its columns, the statistics of its row groups.

Footers are parsed here and not by pyarrow, which ends the process for some damaged ones.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from pyflare.errors import ExecutionError, Unsupported
from pyflare.io.chunktable import ChunkInfo, ChunkTable
from pyflare.io.schema import Field, Schema, read_schema
from pyflare.io.thrift import Events, flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pyflare.io.cache import ColumnCache

_MAGIC: Final = b"PAR1"
_ENCRYPTED_MAGIC: Final = b"PARE"
_TAIL_BYTES: Final = 1 << 16
_PARQUET_MR: Final = re.compile(r"parquet-mr version (\d+)\.(\d+)")
_BYTES: Final = frozenset({"BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"})

# Where things are in the footer, as field ids from the outside inwards.
_ROW_GROUP: Final = (4,)
_ROW_GROUP_ROWS: Final = (4, 3)
_CHUNK_FILE: Final = (4, 1, 1)
_CHUNK_CRYPTO: Final = (4, 1, 8)
_PROPERTY: Final = (5,)
_WRITER: Final = (6,)
_COLUMN_ORDER: Final = 7
_ENCRYPTION: Final = (8,)


@dataclass(frozen=True)
class FileId:
    """One state of one file: a rewritten file has another."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: str, stat: os.stat_result) -> FileId:
        """The identity of what `stat` saw at `path`."""
        return cls(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)


@dataclass(frozen=True, eq=False)
class Footer:
    """A file's footer. `raw` holds its bytes, without the magic number before and the length after it."""

    file: FileId
    raw: bytes
    schema: Schema
    rows: tuple[int, ...]
    properties: dict[bytes, bytes]
    writer: str
    _table: ChunkTable
    _orders: tuple[bool, ...]
    _memo: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` derives from this footer, kept under `key` for the next query."""
        found = self._memo.get(key)
        return self._memo.setdefault(key, make()) if found is None else found

    @property
    def is_parquet_mr(self) -> bool:
        """Whether the Java library wrote the file, as Spark asks."""
        return self.writer.startswith("parquet-mr")

    @cached_property
    def trusts_binary_statistics(self) -> bool:
        """Whether bounds of byte arrays are in the right order: those of the Java library before 1.10 are not."""
        java = _PARQUET_MR.match(self.writer)
        return bool(self.writer) and (java is None or (int(java[1]), int(java[2])) >= (1, 10))

    def chunks(self, column: Field) -> tuple[ChunkInfo, ...]:
        """What is known of a column in each row group."""
        found: tuple[ChunkInfo, ...] = self.once(("chunks", column.leaf), lambda: self._infos(column))
        return found

    def _infos(self, column: Field) -> tuple[ChunkInfo, ...]:
        trusts_order = not self._orders or self._orders[column.leaf]
        trusts_order &= column.physical not in _BYTES or self.trusts_binary_statistics
        try:
            return tuple(self._table.info(column, group, rows, trusts_order) for group, rows in enumerate(self.rows))
        except ValueError as error:
            raise ExecutionError(f"{self.file.path}: {error}") from error


def read_footer(path: str, cache: ColumnCache) -> Footer:
    """The footer of the file as it is now. Raises `ExecutionError` if there is none that can be read."""
    try:
        file = FileId.of(path, Path(path).stat())
        footer: Footer = cache.footer(file, lambda: _load(file))
    except OSError as error:
        raise ExecutionError(f"{path} cannot be read: {error.strerror}") from error
    return footer


def _load(file: FileId) -> Footer:
    raw = _footer_bytes(file)
    events = flatten(np.frombuffer(raw, np.uint8))
    if events is None:
        raise ExecutionError(f"{file.path}: the footer is damaged")
    _check_encryption(file, events)
    try:
        return _footer(file, raw, events)
    except (ValueError, LookupError, RuntimeError, StopIteration) as error:
        raise ExecutionError(f"{file.path}: the footer is damaged: {error}") from error


def _footer(file: FileId, raw: bytes, events: Events) -> Footer:
    schema = read_schema(events, raw)
    rows = events.table(_ROW_GROUP, [_ROW_GROUP_ROWS])[:, 0, 0].tolist()
    if min(rows, default=0) < 0:
        raise ValueError("a row group has no number of rows")
    table = ChunkTable.of(events, raw, schema, len(rows))
    writers = [raw[start : start + length] for start, length in events.binaries(*_WRITER)]
    writer = writers[0].decode() if writers else ""
    orders = tuple(fields == (1,) for fields, _, _ in events.below(_COLUMN_ORDER) if fields)
    if orders and len(orders) != len(schema.leaves):
        raise ValueError("the column orders do not fit the schema")
    return Footer(file, raw, schema, tuple(rows), _properties(events, raw), writer, table, orders)


def _footer_bytes(file: FileId) -> bytes:
    with Path(file.path).open("rb") as stream:
        if FileId.of(file.path, os.fstat(stream.fileno())) != file:
            raise ExecutionError(f"{file.path} was changed while it was being opened")
        tail = _end_of(stream, file, min(file.size, _TAIL_BYTES))
        if tail[-4:] == _ENCRYPTED_MAGIC:
            raise Unsupported(f"{file.path} is encrypted")
        length = int.from_bytes(tail[-8:-4], "little")
        if tail[-4:] != _MAGIC or len(tail) < 12 or length + 12 > file.size:
            raise ExecutionError(f"{file.path} is not a whole Parquet file")
        if length + 8 > len(tail):
            tail = _end_of(stream, file, length + 8)
    return tail[-8 - length : -8]


def _end_of(stream: BinaryIO, file: FileId, count: int) -> bytes:
    stream.seek(file.size - count)
    data = stream.read(count)
    if len(data) != count:
        raise ExecutionError(f"{file.path} was cut off while it was being opened")
    return data


def _check_encryption(file: FileId, events: Events) -> None:
    if len(events.at(*_ENCRYPTION)) or len(events.at(*_CHUNK_CRYPTO)):
        raise Unsupported(f"{file.path} is encrypted")
    if len(events.at(*_CHUNK_FILE)):
        raise Unsupported(f"{file.path} refers to columns in other files")


def _properties(events: Events, raw: bytes) -> dict[bytes, bytes]:
    table = events.table(_PROPERTY, [(*_PROPERTY, 1), (*_PROPERTY, 2)]).tolist()
    return {raw[key : key + size]: raw[value : value + length] for (key, size), (value, length) in table if value >= 0}
