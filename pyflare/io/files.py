"""A table's files and where each wanted column comes from in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from pyflare.errors import ExecutionError, Unsupported
from pyflare.io import prune
from pyflare.io.conversions import Calendar, Reading, reading
from pyflare.io.footers import Footer, read_footer

if TYPE_CHECKING:
    from pyflare.io.cache import ColumnCache
    from pyflare.io.schema import Field, Schema
    from pyflare.io.settings import ReadSettings
    from pyflare.io.spec import ScanColumn, ScanFile, ScanSpec
    from pyflare.types import DataType

CODECS: Final = frozenset({"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4", "LZ4_RAW", "BROTLI"})

_ROW_INDEX: Final = "_tmp_metadata_row_index"


@dataclass(frozen=True)
class Constant:
    """A column that has one value throughout a file: a partition's value, null if the file has no such column."""

    value: Any


@dataclass(frozen=True)
class TableFile:
    """A file, opened for a scan. `sources` has an entry for each column of the scan."""

    footer: Footer
    sources: tuple[Reading | Constant, ...]

    def facts(self, column: int, type_: DataType) -> tuple[prune.Facts, ...]:
        """What is known of a column in each row group."""
        source = self.sources[column]
        if isinstance(source, Constant):
            return tuple(prune.constant(source.value, rows) for rows in self.footer.rows)
        found: tuple[prune.Facts, ...] = self.footer.once((source, type_), lambda: self._stored_facts(source, type_))
        return found

    def _stored_facts(self, source: Reading, type_: DataType) -> tuple[prune.Facts, ...]:
        return tuple(prune.facts(chunk, source, type_) for chunk in self.footer.chunks(source.field))


def open_file(spec: ScanSpec, settings: ReadSettings, listed: ScanFile, cache: ColumnCache) -> TableFile:
    """Read a file's footer and find the columns in it."""
    footer = read_footer(listed.path, cache)
    if footer.file.size != listed.size:
        raise ExecutionError(f"{listed.path} has {footer.file.size} bytes, not {listed.size} as when it was listed")
    readings = _readings(footer.schema, spec.columns, spec.case_sensitive, Calendar.of(footer, settings))
    for found in readings:
        if found is not None:
            _check(found, footer, settings)
    return TableFile(footer, tuple(map(partial(_source, listed), spec.columns, readings)))


def check_settings(spec: ScanSpec, settings: ReadSettings) -> None:
    """Raise `Unsupported` for scans that mean something else than reading columns by name."""
    if any(column.name == _ROW_INDEX for column in spec.columns):
        raise Unsupported("the row index of a file is not read")
    if not settings.is_vectorized:
        raise Unsupported("only the vectorized reader is imitated (spark.sql.parquet.enableVectorizedReader)")
    if not settings.is_vectorized_for_arrays and any(column.type.element is not None for column in spec.columns):
        raise Unsupported("only the vectorized reader is imitated (…parquet.enableNestedColumnVectorizedReader)")
    if settings.matches_field_ids:
        raise Unsupported("columns are matched by field id (spark.sql.parquet.fieldId.read.enabled)")


@lru_cache(maxsize=1024)
def _readings(
    schema: Schema, columns: tuple[ScanColumn, ...], case_sensitive: bool, calendar: Calendar
) -> tuple[Reading | None, ...]:
    """How each column is read from files of a schema; None for partition values and for columns that are not there."""
    found = (None if column.partition is not None else _find(schema, column.name, case_sensitive) for column in columns)
    return tuple(
        None if field is None else reading(field, column.type, calendar)
        for field, column in zip(found, columns, strict=True)
    )


def _source(listed: ScanFile, column: ScanColumn, found: Reading | None) -> Reading | Constant:
    if column.partition is not None:
        return Constant(listed.partition_values[column.partition])
    return found or Constant(None)


def _check(source: Reading, footer: Footer, settings: ReadSettings) -> None:
    if source.field.physical == "INT96" and settings.moves_int96 and not footer.is_parquet_mr:
        raise Unsupported("INT96 timestamps move between time zones (spark.sql.parquet.int96TimestampConversion)")
    for chunk in footer.chunks(source.field):
        if chunk.codec not in CODECS:
            raise Unsupported(f"compression {chunk.codec} is not supported")


def _find(schema: Schema, name: str, case_sensitive: bool) -> Field | None:
    """The file's column of that name, matched as Spark does."""

    def same(other: str) -> bool:
        return other == name if case_sensitive else other.lower() == name.lower()

    if any(same(nested) for nested in schema.nested):
        raise Unsupported(f"column {name} is nested")
    found = [field for field in schema.fields if same(field.name)]
    if len(found) > 1:
        raise Unsupported(f"column {name} is ambiguous")
    return found[0] if found else None
