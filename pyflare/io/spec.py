"""What a query wants of a table's files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflare.types import DataType


@dataclass(frozen=True)
class ScanFile:
    """One file of a table as Spark listed it; `partition_values` are in kernel form (bytes for strings)."""

    path: str
    size: int
    partition_values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class ScanColumn:
    """A column to read: from the files, or `partition`, an index into each file's partition values."""

    name: str
    type: DataType
    partition: int | None = None


@dataclass(frozen=True)
class Prune:
    """A predicate on one column (an index into the scan's columns) that every wanted row satisfies."""

    column: int
    op: str
    value: Any = None


@dataclass(frozen=True)
class ScanSpec:
    """What a query reads. `conf` holds the session's settings and, beside them, the options of the source."""

    files: tuple[ScanFile, ...]
    columns: tuple[ScanColumn, ...]
    prune: tuple[Prune, ...] = ()
    case_sensitive: bool = False
    conf: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Morsel:
    """Rows `start` to `start + length` of a row group of one of the scan's files."""

    file: int
    row_group: int
    start: int
    length: int
