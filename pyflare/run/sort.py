"""Sorting a table: keys become integers in Spark's order, NumPy sorts them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyflare.io.arrow import to_record_batch
from pyflare.io.columns import Array, Batch, Column, Layout, view_layouts
from pyflare.pipeline.model import Order
from pyflare.run.table import Table, concatenated, taken
from pyflare.types import Kind


def sort_table(table: Table, keys: Sequence[Order], limit: int | None, offset: int) -> Table:
    """The table's rows in order; with `limit`, that many after the first `offset`."""
    batch = concatenated(table)
    layouts = view_layouts(table.layouts)
    order = _order(batch, layouts, keys)
    stop = len(order) if limit is None else min(len(order), offset + limit)
    return Table(layouts, (taken(batch, layouts, order[offset:stop]),))


def sort_groups(keys: Batch, layouts: Sequence[Layout]) -> tuple[Array, Array]:
    """Row numbers in ascending order of all columns, nulls first, and for each of them the number of its group.

    Rows of a group are equal, and keep their order.
    """
    ranks = _rank_columns(keys, layouts, [Order(n, descending=False, nulls_first=True) for n in range(len(layouts))])
    order = _sorted(ranks, keys.length)
    is_next = np.zeros(keys.length, np.bool_)
    for rank in ranks:
        in_order = rank[order]
        is_next[1:] |= in_order[1:] != in_order[:-1]
    return order, np.cumsum(is_next)


def _order(batch: Batch, layouts: Sequence[Layout], keys: Sequence[Order]) -> Array:
    """Row numbers in sorted order; equal rows keep their order."""
    return _sorted(_rank_columns(batch, layouts, keys), batch.length)


def _sorted(columns: Sequence[Array], length: int) -> Array:
    return np.lexsort(columns[::-1]) if columns else np.arange(length)


def _rank_columns(batch: Batch, layouts: Sequence[Layout], keys: Sequence[Order]) -> list[Array]:
    """Arrays of integers: rows with the same in all of them are equal, and are in their order."""
    columns: list[Array] = []
    for key in keys:
        column, layout = batch.columns[key.column], layouts[key.column]
        ranks = _ranks(column, layout, batch.length)
        if key.descending:
            ranks = [~part if part.dtype.kind in "iu" else -part for part in ranks]
        if column.ok is not None:
            missing = (column.ok == 0) ^ (not key.nulls_first)
            ranks = [(~missing).astype(np.int8), *(np.where(column.ok == 0, 0, part) for part in ranks)]
        columns.extend(ranks)
    return columns


def _ranks(column: Column, layout: Layout, length: int) -> list[Array]:
    """One or more integer arrays whose lexicographic order is the column's."""
    kind = layout.type.kind
    if kind is Kind.STR:
        return [_text_ranks(column, layout, length)]
    if kind is Kind.WIDE:
        words = column.data.reshape(-1, 2)
        return [np.ascontiguousarray(words[:, 1]), np.ascontiguousarray(words[:, 0]).view(np.uint64)]
    if kind in (Kind.F32, Kind.F64):
        return [_float_ranks(column.data.astype(np.float64))]
    return [column.data.astype(np.int64)]


def _float_ranks(values: Array) -> Array:
    """IEEE bits ordered as numbers: -0.0 equals 0.0, NaN is largest."""
    bits = (values + 0.0).view(np.int64)
    ranks = np.where(bits < 0, np.int64(-(2**63)) - bits - 1, bits)
    return np.where(np.isnan(values), np.int64(2**63 - 1), ranks)


def _text_ranks(column: Column, layout: Layout, length: int) -> Array:
    """Dense ranks in binary order."""
    batch = Batch(length, (Column(column.data, None, column.bytes, column.lengths, column.dictionary, column.owners),))
    array = to_record_batch(batch, [("key", layout.type, False)]).column(0)
    ranks = pc.rank(array.cast(pa.binary()), sort_keys="ascending", tiebreaker="dense")
    return np.asarray(ranks).astype(np.int64)
