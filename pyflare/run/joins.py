"""Join tables: one side of a join with its rows grouped by key, and how a probe finds a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np

from pyflare.codegen.generate import Generated
from pyflare.codegen.joins import JoinSpec
from pyflare.errors import Unsupported
from pyflare.io.columns import Array, Batch, Column, Encoding, Layout
from pyflare.io.memory import empty
from pyflare.pipeline.model import UnmatchedNode
from pyflare.run.table import Table, codes_as_views, concatenated, empty_column, taken
from pyflare.run.together import Together, in_turn, shares
from pyflare.runtime.aggregation import find_or_insert, widen
from pyflare.runtime.joins import ascends, count_groups, hash_keys, mark_members, mark_starts, put_in_order
from pyflare.types import Kind

MAX_ROWS: Final = 2**31 - 2
MANY_ROWS: Final = 2**15  # worth more than one thread


@dataclass(frozen=True)
class JoinTable:
    """Rows grouped by key: those of group g are at `starts[g] … starts[g + 1]` of `batch`.

    The batch has at least one row, which outer joins read, and ignore, where nothing matches. Of a join that only asks
    whether there is a match it has no more than that, but keeps what text keys point into. `arrays` is what the probing
    kernel's parameters are bound to: `starts`, the hash table's `slots`, `hashes` and `keys`, `hit` (one byte a row,
    set by the probes of a full join), and facts as numbers.
    """

    batch: Batch
    rows: int
    arrays: dict[str, Any]

    @property
    def is_empty(self) -> bool:
        """Whether there is no key, so that no row finds a match."""
        return bool(self.arrays["starts"][-1] == 0)

    @property
    def nbytes(self) -> int:
        parts = [c.data.nbytes for c in self.batch.columns]
        return sum(parts) + sum(a.nbytes for a in self.arrays.values() if isinstance(a, np.ndarray))


def build_table(table: Table, build: Generated, together: Together = in_turn) -> JoinTable:
    """Group a table's rows by the keys of a build node; of its columns only those that are read are kept.

    Raises `Unsupported` for more than `MAX_ROWS` rows.
    """
    spec = build.spec
    assert isinstance(spec, JoinSpec)
    if table.rows > MAX_ROWS:
        raise Unsupported(f"a join table of {table.rows} rows")
    together = together if table.rows >= MANY_ROWS else in_turn
    kept = set(range(len(table.layouts))) if spec.marks else set(build.used)
    batch = concatenated(table, together, kept.union(spec.keys))
    layouts = build.shape.layouts
    keys = [(batch.columns[index], layouts[index]) for index in spec.keys]
    valid = _valid(keys, batch.length)
    grouping = _dense(spec, keys, batch.length) if spec.dense else _hashed(spec, keys, batch.length, valid)
    starts, order = _arranged(grouping, valid, together, rows_matter=spec.rows)
    facts = {
        "starts": starts,
        "rows": batch.length,
        "has_null": int(valid is not None and not valid.all()),
        "hit": np.zeros(batch.length if spec.marks else 0, np.uint8),
        "members": _members(starts, together) if spec.members else np.zeros(0, np.uint8),
    }
    if batch.length == 0 or not spec.rows:
        rows = Batch(1, tuple(map(_one_row, layouts)), (batch,) if any(spec.texts) else ())
    else:
        rows = batch if order is None else taken(batch, layouts, order, together, kept)
        if any(spec.texts):
            rows = replace(rows, keep=(*rows.keep, batch))  # the keys that the probes compare with point into it
    return JoinTable(rows, batch.length, {**grouping.arrays, **facts})


def _members(starts: Array, together: Together) -> Array:
    """Which groups have rows, and a last one that has none."""
    members = empty(len(starts), np.uint8)
    members[-1] = 0
    together([partial(mark_members, starts, members, *share) for share in shares(len(starts) - 1)])
    return members


@dataclass(frozen=True)
class _Grouping:
    """The group of row r is `places[r] - low`, of `groups`; `arrays` is how a probe finds a group."""

    places: Array
    groups: int
    low: int = 0
    arrays: Mapping[str, Array] = field(default_factory=dict)


def _arranged(
    grouping: _Grouping, valid: Array | None, together: Together, rows_matter: bool
) -> tuple[Array, Array | None]:
    """Where each group starts, and the rows in that order: None if they are in order already, or do not matter."""
    places, low, groups = grouping.places, grouping.low, grouping.groups
    if valid is None and all(together([partial(ascends, places, *share) for share in shares(len(places))])):
        starts = empty(groups + 1, np.int32)
        together([partial(mark_starts, places, low, starts, *share) for share in shares(groups + 1)])
        return starts, None
    ok = np.zeros(0, np.bool_) if valid is None else valid
    starts = empty(groups + 2, np.int32)
    count_groups(places, ok, low, starts)
    if not rows_matter:
        return starts[1:], None
    order = empty(len(places), np.int32)
    put_in_order(places, ok, low, starts, order)
    return starts[:-1], order


def _one_row(layout: Layout) -> Column:
    column = empty_column(layout)
    lengths = None if column.lengths is None else np.zeros(1, np.int32)
    return Column(np.zeros(layout.width, column.data.dtype), np.zeros(1, np.uint8), None, lengths, column.dictionary)


def _valid(keys: list[tuple[Column, Layout]], length: int) -> Array | None:
    nullable = [column.ok for column, _ in keys if column.ok is not None]
    if not nullable:
        return None
    valid = np.ones(length, np.bool_)
    for ok in nullable:
        valid &= ok != 0
    return valid


def _dense(spec: JoinSpec, keys: list[tuple[Column, Layout]], length: int) -> _Grouping:
    """The group is the key's distance from the smallest."""
    if not keys:
        return _Grouping(np.zeros(length, np.int64), 1)
    column, layout = keys[0]
    values = np.ascontiguousarray(column.data[::2]) if layout.width == 2 else column.data
    return _Grouping(values, spec.span, spec.low)


def _hashed(spec: JoinSpec, keys: list[tuple[Column, Layout]], length: int, valid: Array | None) -> _Grouping:
    """The group is the key's number in an open-addressing table."""
    texts = np.array(spec.texts, np.uint8)
    words = np.ascontiguousarray(np.stack([word for key in keys for word in _words(*key)], axis=1)).ravel()
    rows = np.arange(length) if valid is None else np.flatnonzero(valid)
    if len(rows) < length:
        words = np.ascontiguousarray(words.reshape(length, -1)[rows]).ravel()
    hashes, found = np.empty(len(rows), np.uint64), np.empty(len(rows), np.int64)
    hash_keys(words, texts, hashes)
    capacity = max(16, 1 << (2 * len(rows)).bit_length())
    slots = np.full(capacity, -1, np.int32)
    kept_hashes, kept_keys = np.zeros(max(len(rows), 1), np.uint64), np.zeros(max(len(words), 1), np.int64)
    groups = find_or_insert(slots, kept_hashes, kept_keys, texts, 0, hashes, words, found)
    places = found
    if len(rows) < length:
        places = np.full(length, -1, np.int64)
        places[rows] = found
    return _Grouping(places, int(groups), arrays={"slots": slots, "hashes": kept_hashes, "keys": kept_keys})


def _words(column: Column, layout: Layout) -> list[Array]:
    """A key column as int64 words."""
    kind = layout.type.kind
    if kind is Kind.STR:
        views = codes_as_views(column) if layout.encoding is Encoding.CODES else column
        assert views.lengths is not None
        return [views.data.view(np.int64), views.lengths.astype(np.int64)]
    if kind is Kind.WIDE:
        pairs = (column.data if layout.width == 2 else widen(column.data.astype(np.int64))).reshape(-1, 2)
        return [pairs[:, 0], pairs[:, 1]]
    if kind is Kind.F64:
        return [column.data.view(np.int64)]
    if kind is Kind.F32:
        return [column.data.view(np.int32).astype(np.int64)]
    return [column.data.astype(np.int64)]


def unmatched(table: JoinTable, program: Generated) -> Table:
    """The rows that no probe has hit, after nulls for the probe's columns."""
    assert isinstance(program.node, UnmatchedNode)
    rows = np.flatnonzero(table.arrays["hit"] == 0)
    layouts, width = program.shape.layouts, program.node.width
    missing = tuple(_nulls(layout, len(rows)) for layout in layouts[: len(layouts) - width])
    columns = replace(table.batch, columns=table.batch.columns[:width])
    found = taken(columns, layouts[len(layouts) - width :], rows)
    return Table(layouts, (Batch(len(rows), (*missing, *found.columns), (table.batch,)),))


def _nulls(layout: Layout, rows: int) -> Column:
    if layout.encoding is Encoding.VIEWS:
        return Column(np.zeros(rows, np.uint64), np.zeros(rows, np.uint8), None, np.zeros(rows, np.int32))
    return Column(np.zeros(rows * layout.width, layout.storage), np.zeros(rows, np.uint8))
