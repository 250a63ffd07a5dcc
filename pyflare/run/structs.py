"""Structs put together from the columns of their fields, at the end of a fragment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pyflare.io.columns import Array, Batch, Column, Layout
from pyflare.run.table import Table
from pyflare.types import DataType


def assembled(table: Table, types: Sequence[DataType]) -> Table:
    """A table with columns of these types. A struct that is not marked is null where its fields are."""
    if not any(type_.fields for type_ in types):
        return table
    return Table(tuple(Layout(type_) for type_ in types), tuple(assembled_batches(iter(table.batches), types)))


def assembled_batches(batches: Iterator[Batch], types: Sequence[DataType]) -> Iterator[Batch]:
    """The same for batches, one after another."""
    if not any(type_.fields for type_ in types):
        return batches
    return (_assembled(batch, types) for batch in batches)


def _assembled(batch: Batch, types: Sequence[DataType]) -> Batch:
    columns = iter(batch.columns)
    return replace(batch, columns=tuple(_next(columns, type_) for type_ in types))


def _next(columns: Iterator[Column], type_: DataType) -> Column:
    if not type_.fields:
        return next(columns)
    parts = tuple(next(columns) for _ in type_.fields)
    return Column(parts[0].data, _there(next(columns)) if type_.marked else parts[0].ok, parts=parts)


def _there(mark: Column) -> Array:
    """A byte for each row, 1 where a mark is set."""
    return mark.data if mark.ok is None else mark.data & mark.ok
