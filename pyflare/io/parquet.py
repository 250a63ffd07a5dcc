"""Parquet files → column buffers: which row groups a query needs, what their columns look like, and reading them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyflare.errors import ExecutionError, Unsupported
from pyflare.io import prune
from pyflare.io.cache import Chunk
from pyflare.io.chunks import ChunkReader
from pyflare.io.columns import Batch, Column, Encoding, Layout, plain_layouts
from pyflare.io.constants import Constants
from pyflare.io.conversions import Reading
from pyflare.io.dictionaries import GrowingDictionary
from pyflare.io.files import Constant, TableFile, check_settings, open_file
from pyflare.io.packing import packing, unpacked
from pyflare.io.pins import Pins
from pyflare.io.settings import ReadSettings
from pyflare.io.spec import Morsel, Prune, ScanColumn, ScanFile, ScanSpec
from pyflare.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from pyflare.io.cache import ColumnCache
    from pyflare.io.chunktable import ChunkInfo
    from pyflare.io.footers import Footer

__all__ = ["Morsel", "Prune", "Scan", "ScanColumn", "ScanFile", "ScanSpec", "open_scan"]

SLICE_ROWS: Final = 1 << 17
MAX_DICTIONARY_BYTES: Final = 1 << 17


def open_scan(spec: ScanSpec, cache: ColumnCache) -> Scan:
    """Read the footers and decide what to read and how.

    Raises `Unsupported` for what cannot be read just as Spark does and `ExecutionError` for files that cannot be read.
    """
    settings = ReadSettings.of(spec.conf)
    check_settings(spec, settings)
    return Scan(spec, cache, tuple(open_file(spec, settings, listed, cache) for listed in spec.files if listed.size))


@dataclass(frozen=True)
class Part:
    """The morsels of a scan that are read, how many row groups are left out for that, and the size of the others."""

    morsels: tuple[Morsel, ...]
    row_groups_pruned: int
    bytes: int


class Scan:
    """Row groups to read, cut into morsels.

    `layouts` has one entry for each of the spec's columns, and so has `packed_layouts`, for those who read them packed.
    """

    def __init__(self, spec: ScanSpec, cache: ColumnCache, files: tuple[TableFile, ...]) -> None:
        self._spec = spec
        self._cache = cache
        self._files = files
        self._groups = tuple(self._surviving())
        self._pins = Pins()
        self._constants = Constants()
        self._keys: dict[tuple[int, int], object] = {}
        self._dictionaries = self._choose_dictionaries()
        self.packed_layouts = tuple(self._layout(index) for index in range(len(spec.columns)))
        self.layouts = plain_layouts(self.packed_layouts)
        self.morsels = tuple(
            morsel for file, group in self._groups for morsel in _cut(file, group, files[file].footer.rows[group])
        )
        self.rows = sum(morsel.length for morsel in self.morsels)
        self.bytes = sum(map(self._compressed_bytes, self._groups))
        self.row_groups = len(self._groups)
        self.row_groups_total = sum(len(file.footer.rows) for file in files)
        self.row_groups_pruned = self.row_groups_total - self.row_groups

    @property
    def contents(self) -> Hashable:
        """Equal for scans that read the same rows of the same files into the same columns."""
        files = tuple((id(file.footer), file.sources) for file in self._files)  # a state of a file has one footer
        return self._spec.columns, files, self._groups

    def part(self, tests: Sequence[tuple[int, Callable[[prune.Facts], bool]]]) -> Part:
        """What is left without the row groups of which a test says, by the facts of a column, that none is wanted."""
        left: set[tuple[int, int]] = set()
        for number, groups in groupby(self._groups, itemgetter(0)):
            file = self._files[number]
            known = [(excludes, file.facts(column, self._spec.columns[column].type)) for column, excludes in tests]
            left |= {at for at in groups if not any(excludes(facts[at[1]]) for excludes, facts in known)}
        if len(left) == self.row_groups:
            return Part(self.morsels, 0, self.bytes)
        morsels = tuple(morsel for morsel in self.morsels if (morsel.file, morsel.row_group) in left)
        return Part(morsels, self.row_groups - len(left), sum(map(self._compressed_bytes, left)))

    def release(self) -> None:
        """Nobody reads on: from here on columns are kept by the cache only."""
        self._pins.clear()

    def read(self, morsel: Morsel, columns: Sequence[int]) -> Batch:
        """The rows of a morsel in the columns asked for, in that order. Any number of threads may call this at once."""
        batch = self.read_packed(morsel, columns)
        layouts = [self.packed_layouts[index] for index in columns]
        pairs = zip(batch.columns, layouts, strict=True)
        return Batch(batch.length, tuple(unpacked(c, layout.type) if layout.packed else c for c, layout in pairs))

    def read_packed(self, morsel: Morsel, columns: Sequence[int]) -> Batch:
        """The same, in the layouts of `packed_layouts`."""
        chunks = self._chunks(morsel, columns)
        return Batch(morsel.length, tuple(self._column(morsel, index, chunks) for index in columns))

    def _column(self, morsel: Morsel, index: int, chunks: Mapping[int, Chunk]) -> Column:
        dictionary = self._dictionaries.get(index)
        source = self._files[morsel.file].sources[index]
        if isinstance(source, Constant):
            return self._constants.column(source.value, self.layouts[index], dictionary, morsel.length)
        column = chunks[index].column
        if dictionary is not None:
            column = Column(column.data, column.ok, dictionary=dictionary.snapshot())
        return _sliced(column, self.packed_layouts[index], morsel) if self._is_split(morsel) else column

    def _chunks(self, morsel: Morsel, columns: Sequence[int]) -> Mapping[int, Chunk]:
        """Decode what nobody has decoded yet, then wait for what others are decoding."""
        file = self._files[morsel.file]
        chunks = self._pins.of(morsel.file, morsel.row_group) if self._is_split(morsel) else {}
        waiting: dict[int, Future[Chunk]] = {}
        with ChunkReader(file.footer, morsel.row_group, self._coded_names(file)) as reader:
            for index in columns:
                source = file.sources[index]
                if index in chunks or isinstance(source, Constant):
                    continue
                key = (self._column_key(morsel.file, index, source), morsel.row_group)
                found, is_mine = self._cache.claim(key)
                if is_mine:
                    self._make(key, index, reader, source, chunks)
                elif isinstance(found, Chunk):
                    chunks[index] = found
                else:
                    waiting[index] = found
        for index, future in waiting.items():
            chunks[index] = future.result()
        for index in columns:
            if index in chunks:
                _verify(chunks[index], self.layouts[index], file.footer)
        return chunks

    def _make(self, key: Hashable, index: int, reader: ChunkReader, source: Reading, chunks: dict[int, Chunk]) -> None:
        try:
            chunk = reader.read(source, self.packed_layouts[index], self._dictionaries.get(index))
        except BaseException as error:
            self._cache.fail(key, error)
            raise
        chunks[index] = chunk
        self._cache.settle(key, chunk)

    def _coded_names(self, file: TableFile) -> list[str]:
        sources = (file.sources[index] for index in self._dictionaries)
        return [source.field.name for source in sources if isinstance(source, Reading)]

    def _column_key(self, file: int, index: int, source: Reading) -> object:
        """Stands for a column of one state of a file, read in one way; the same object for every scan that does so."""
        known = self._keys.get((file, index))
        if known is None:
            dictionary = self._dictionaries.get(index)
            layout = self.packed_layouts[index]
            way = (source, layout.type, layout.packed, None if dictionary is None else dictionary.uid)
            known = self._keys[file, index] = self._files[file].footer.once(("key", *way), object)
        return known

    def _is_split(self, morsel: Morsel) -> bool:
        return morsel.length < self._files[morsel.file].footer.rows[morsel.row_group]

    def _choose_dictionaries(self) -> dict[int, GrowingDictionary]:
        chosen = {}
        for index, column in enumerate(self._spec.columns):
            if column.type.kind is not Kind.STR:
                continue
            if column.partition is not None:
                chosen[index] = self._partition_dictionary(index)
            elif self._is_worth_codes(index):
                chosen[index] = self._cache.dictionaries.of((_roots(self._files), column.name.lower(), column.type))
        return chosen

    def _partition_dictionary(self, index: int) -> GrowingDictionary:
        dictionary = GrowingDictionary()
        sources = (file.sources[index] for file in self._files)
        values = (source.value for source in sources if isinstance(source, Constant) and source.value is not None)
        dictionary.encode(list(values))
        return dictionary

    def _is_worth_codes(self, index: int) -> bool:
        """Whether every chunk has a dictionary that pyarrow can hand over and that is small beside its rows."""
        chunks = self._chunk_infos(index)
        sizes = [chunk.dictionary for chunk in chunks if chunk.dictionary is not None]
        if not chunks or len(sizes) < len(chunks) or max(sizes) > MAX_DICTIONARY_BYTES:
            return False
        readings = (file.sources[index] for file in self._files)
        if any(isinstance(source, Reading) and source.field.physical != "BYTE_ARRAY" for source in readings):
            return False
        return sum(sizes) <= sum(chunk.rows for chunk in chunks) // 2

    def _layout(self, index: int) -> Layout:
        type_ = self._spec.columns[index].type
        known = [file.facts(index, type_) for file in self._files]
        found = [known[file][group] for file, group in self._groups]
        encoding = Encoding.CODES if index in self._dictionaries else Encoding.PLAIN
        nullable = any(facts.nulls != 0 for facts in found)
        low, high = _overall_bounds(found) if type_.kind in (Kind.INT, Kind.WIDE) else (None, None)
        for file in self._files:
            _check_calendar(file.sources[index], low)
        return Layout(type_, encoding, nullable, low, high, self._packing(index, known))

    def _packing(self, index: int, known: Sequence[Sequence[prune.Facts]]) -> str | None:
        """By the bounds of all row groups, so that queries which prune differently share what is in the cache."""
        type_ = self._spec.columns[index].type
        if not all(isinstance(file.sources[index], Reading) for file in self._files):
            return None
        return packing(type_, *_overall_bounds([facts for file in known for facts in file]))

    def _surviving(self) -> Iterator[tuple[int, int]]:
        """The row groups that have rows and that no predicate excludes."""
        for number, file in enumerate(self._files):
            tests = [
                (predicate, file.facts(predicate.column, self._spec.columns[predicate.column].type))
                for predicate in self._spec.prune
            ]
            for group, rows in enumerate(file.footer.rows):
                if rows and not any(prune.excludes(facts[group], test.op, test.value) for test, facts in tests):
                    yield number, group

    def _chunk_infos(self, index: int) -> list[ChunkInfo]:
        """What the footers say of a column in the surviving row groups, where files have it."""
        infos = []
        for number, group in self._groups:
            source = self._files[number].sources[index]
            if isinstance(source, Reading):
                infos.append(self._files[number].footer.chunks(source.field)[group])
        return infos

    def _compressed_bytes(self, at: tuple[int, int]) -> int:
        """What a row group's columns take in their file."""
        file, group = self._files[at[0]], at[1]
        readings = (source for source in file.sources if isinstance(source, Reading))
        return sum(file.footer.chunks(source.field)[group].compressed for source in readings)


def _overall_bounds(found: Sequence[prune.Facts]) -> tuple[int | None, int | None]:
    having = [facts for facts in found if not facts.is_all_null]
    if not having or any(facts.low is None for facts in having):
        return None, None
    return min(facts.low for facts in having), max(facts.high for facts in having)


def _check_calendar(source: Reading | Constant, low: int | None) -> None:
    if isinstance(source, Reading) and source.floor is not None and low is not None and low < source.floor:
        raise Unsupported(f"column {source.field} may have values of the old calendar, which Spark converts or refuses")


def _verify(chunk: Chunk, layout: Layout, footer: Footer) -> None:
    """Kernels rely on what layouts and types promise, so a file that breaks it must not reach them."""
    if chunk.column.ok is not None and not layout.nullable:
        raise ExecutionError(f"{footer.file.path}: there are nulls where the statistics deny them")
    promised = layout.type.bounds if layout.low is None or layout.high is None else (layout.low, layout.high)
    if promised is None or chunk.low is None or chunk.high is None:
        return
    if chunk.low < promised[0] or chunk.high > promised[1]:
        raise ExecutionError(f"{footer.file.path}: there are values beyond the statistics or the type")


def _cut(file: int, group: int, rows: int) -> Iterator[Morsel]:
    """Morsels of about `SLICE_ROWS` rows; a row group of less than two of them stays whole."""
    parts = max(1, rows // SLICE_ROWS)
    step = -(-rows // parts)
    for start in range(0, rows, step):
        yield Morsel(file, group, start, min(step, rows - start))


def _sliced(column: Column, layout: Layout, morsel: Morsel) -> Column:
    start, end = morsel.start, morsel.start + morsel.length
    words = layout.width
    has_offsets = layout.type.kind is Kind.STR and layout.encoding is Encoding.PLAIN
    data = column.data[start * words : end * words + has_offsets]
    return replace(column, data=data, ok=None if column.ok is None else column.ok[start:end])


def _roots(files: Sequence[TableFile]) -> tuple[str, ...]:
    return tuple(sorted({_table_root(file.footer.file.path) for file in files}))


def _table_root(path: str) -> str:
    """The directory of a file, without the levels that name partitions."""
    folder = Path(path).parent
    while "=" in folder.name:
        folder = folder.parent
    return str(folder)
