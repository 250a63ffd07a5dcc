"""Column chunks → decoded columns: by our own decoder (`pages/`) what that understands, by pyarrow's all others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pyflare.errors import ExecutionError, Unsupported
from pyflare.io.cache import Chunk
from pyflare.io.columns import Column
from pyflare.io.decode import bounds, decode, decode_codes
from pyflare.io.dictionaries import DictionaryOverflowError, GrowingDictionary
from pyflare.io.footers import FileId, Footer
from pyflare.io.memory import empty
from pyflare.io.packing import packed
from pyflare.io.pages.reader import read_chunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflare.io.columns import Layout
    from pyflare.io.conversions import Reading
    from pyflare.types import DataType

_INT64_MAX: Final = 2**63 - 1


class ChunkReader:
    """Reads columns of one row group, by one thread. Opens the file when the first column is asked for.

    `coded` names the columns that will be read as codes.
    """

    def __init__(self, footer: Footer, row_group: int, coded: Sequence[str] = ()) -> None:
        self._footer = footer
        self._row_group = row_group
        self._coded = coded
        self._file: pa.OSFile | None = None
        self._parquet: pq.ParquetFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def read(self, reading: Reading, layout: Layout, dictionary: GrowingDictionary | None) -> Chunk:
        """Decode a column, into codes of `dictionary` if there is one, packed if the layout says so.

        Raises `ExecutionError` if the file is damaged or not the one whose footer was read.
        """
        path = self._footer.file.path
        try:
            chunk = self._decoded(reading, layout, dictionary)
            if chunk is None:
                chunk = self._by_pyarrow(reading, layout, dictionary)
            _check_calendar(chunk, reading)
            return chunk
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ExecutionError(f"{path}: column {reading.field.name} cannot be read: {error}") from error
        except DictionaryOverflowError as error:
            raise Unsupported(f"{path}: column {reading.field.name} has too many distinct values") from error

    def _decoded(self, reading: Reading, layout: Layout, dictionary: GrowingDictionary | None) -> Chunk | None:
        info = self._footer.chunks(reading.field)[self._row_group]
        chunk = read_chunk(self._opened().fileno(), info, reading, layout, dictionary)
        self._check_identity()
        return chunk

    def _by_pyarrow(self, reading: Reading, layout: Layout, dictionary: GrowingDictionary | None) -> Chunk:
        array = self._array(reading)
        if dictionary is not None:
            return Chunk(decode_codes(array.chunks, dictionary))
        chunk = _chunk(_combined(array), reading, layout.type)
        return packed(chunk, layout.type, layout.packed, reading.field.name) if layout.packed else chunk

    def _array(self, reading: Reading) -> pa.ChunkedArray:
        reader = self._arrow_reader().reader
        table = reader.read_row_group(self._row_group, column_indices=[reading.field.leaf], use_threads=False)
        self._check_identity()
        return table.column(0)

    def _opened(self) -> pa.OSFile:
        if self._file is None:
            self._file = pa.OSFile(self._footer.file.path)
            self._check_identity()
        return self._file

    def _arrow_reader(self) -> pq.ParquetFile:
        if self._parquet is None:
            self._parquet = pq.ParquetFile(
                self._opened(),
                metadata=_metadata(self._footer),
                read_dictionary=list(self._coded),
                pre_buffer=False,
                coerce_int96_timestamp_unit="us",
                arrow_extensions_enabled=False,
            )
        return self._parquet

    def _check_identity(self) -> None:
        assert self._file is not None
        known = self._footer.file
        if FileId.of(known.path, os.fstat(self._file.fileno())) != known:
            raise ExecutionError(f"{known.path} was changed while it was being read")


def _metadata(footer: Footer) -> pq.FileMetaData:
    """The footer as pyarrow's reader wants it."""
    end = len(footer.raw).to_bytes(4, "little") + b"PAR1"
    return footer.once("pyarrow", lambda: pq.ParquetFile(pa.BufferReader(footer.raw + end)).metadata)


def _combined(array: pa.ChunkedArray) -> pa.Array:
    if array.num_chunks == 1:
        combined = array.chunk(0)
    elif sum(chunk.nbytes for chunk in array.chunks) > 2**31 and not pa.types.is_primitive(array.type):
        raise Unsupported("a row group has more than 2 GiB of strings in one column")
    else:
        combined = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return combined.dictionary_decode() if pa.types.is_dictionary(combined.type) else combined


def _chunk(array: pa.Array, reading: Reading, type_: DataType) -> Chunk:
    if reading.cast is not None:
        array = pc.cast(array, reading.cast)
    column = decode(array, type_)
    found = bounds(column, type_)
    if found is None:
        return Chunk(column)
    low, high = found
    if reading.factor != 1:
        low, high = low * reading.factor, high * reading.factor
        column = _scaled(column, reading.factor, low, high)
    return Chunk(column, low, high)


def _check_calendar(chunk: Chunk, reading: Reading) -> None:
    if reading.floor is not None and chunk.low is not None and chunk.low < reading.floor:
        raise Unsupported(f"column {reading.field} has values of the old calendar, which Spark converts or refuses")


def _scaled(column: Column, factor: int, low: int, high: int) -> Column:
    if low < -_INT64_MAX - 1 or high > _INT64_MAX:
        raise ExecutionError("a timestamp overflows microseconds")
    data = np.multiply(column.data, np.int64(factor), out=empty(len(column.data), np.int64))
    return Column(data, column.ok)
