"""Rows of PySpark made from Arrow columns."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Row
from pyspark.sql.types import DateType, TimestampNTZType, TimestampType


class MalformedTextError(ValueError):
    """A string is not UTF-8: Java shows it in a way of its own."""


def rows_of(table: pa.Table) -> list[Row]:
    """The rows of a table, with the Python values that Spark's `collect` has for its types."""
    with _without_collector():
        columns = [_values(column) for column in table.columns]
        names, new = table.column_names, tuple.__new__
        rows: list[Row] = []
        for values in zip(*columns, strict=True) if columns else ((),) * table.num_rows:
            row = new(Row, values)
            row.__fields__ = names
            rows.append(row)
    return rows


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector from looking through millions of new objects, all of them in use, again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _values(column: pa.ChunkedArray) -> Sequence[Any]:
    kind = column.type
    if pa.types.is_date32(kind) or pa.types.is_timestamp(kind):
        return _times(column)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _plain(column)
    try:
        values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
    except (UnicodeDecodeError, pa.ArrowException) as error:
        raise MalformedTextError from error
    return values


def _times(column: pa.ChunkedArray) -> Sequence[Any]:
    """Dates and timestamps, made by PySpark's own types: what Python has no value for fails in the same way."""
    kind = column.type
    if pa.types.is_date32(kind):
        convert, counts = DateType().fromInternal, column.cast(pa.int32())
    else:
        convert = (TimestampNTZType() if kind.tz is None else TimestampType()).fromInternal
        counts = column.cast(pa.int64())
    return [convert(count) for count in _plain(counts)]


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """Numbers and booleans; NumPy makes them faster than Arrow, but has no nulls."""
    filled = column.fill_null(pa.scalar(0).cast(column.type)) if column.null_count else column
    values: list[Any] = filled.to_numpy().tolist()
    if column.null_count:
        for index in np.flatnonzero(column.is_null().to_numpy()):
            values[index] = None
    return values
