"""Python functions over groups of rows: all rows are brought together and sorted by key, then one group after the other
is handed over as slices of what was sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import numpy as np
import pyarrow as pa

from pyflare.codegen.generate import Generated
from pyflare.io.arrow import from_record_batch
from pyflare.io.columns import Array, Batch, Encoding, Layout, view_layouts
from pyflare.pipeline.model import GroupedNode, Side
from pyflare.run.executor import as_merged
from pyflare.run.sort import sort_groups
from pyflare.run.table import Table, bytes_of, concatenated, sliced, taken
from pyflare.run.threads import MORSEL_ROWS, Run
from pyflare.run.vectorized import Feed, arguments, called, schema_of
from pyflare.vectorized.functions import Functions
from pyflare.vectorized.groups import Group
from pyflare.vectorized.pace import Pace

_RESULTS: Final = 1 << 14
"""Results that are handed on together."""

_PARTITION_BYTES: Final = 1 << 20
"""Adaptive execution makes no smaller partitions (spark.sql.adaptive.coalescePartitions.minPartitionSize)."""


def grouped(program: Generated, run: Run, tables: Sequence[Table]) -> Iterator[Batch]:
    """The batches of the table of functions over the groups of the tables below."""
    node = program.node
    assert isinstance(node, GroupedNode)
    sides = _sorted(node, tables, run)
    feed = _Groups(run, Pace(node.functions, _cores_in_spark(sides, run)), sides)
    schema = schema_of(node.attrs[node.kept :])
    for start, results in _together(called(node.functions.results_of_groups, feed)):
        made = from_record_batch(results, schema)
        yield sides[0].with_keys(made, start) if node.kept else made


def _cores_in_spark(sides: Sequence[_Sorted], run: Run) -> int:
    """Without keys all rows are in one partition, and few rows are so, too."""
    size = sum(bytes_of(side.rows) for side in sides)
    return max(1, min(run.threads, size // _PARTITION_BYTES)) if sides[0].side.keys else 1


def _together(results: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Results, many in one batch, with the number of the first row."""
    waiting: list[pa.RecordBatch] = []
    start = count = 0
    for result in results:
        waiting.append(result)
        count += result.num_rows
        if count - start >= MORSEL_ROWS or len(waiting) >= _RESULTS:
            yield start, pa.concat_batches(waiting)
            waiting, start = [], count
    if waiting:
        yield start, pa.concat_batches(waiting)


# Sorting --------------------------------------------------------------------------------------------------------------


def _sorted(node: GroupedNode, tables: Sequence[Table], run: Run) -> list[_Sorted]:
    """The tables, whose rows are sorted together by their keys."""
    batches = [concatenated(table, run.together) for table in tables]
    order, numbers = sort_groups(*_keys(node, tables, batches))
    count = int(numbers[-1]) + 1 if len(numbers) else 0
    found = []
    ends = accumulate(batch.length for batch in batches)
    for side, table, batch, end in zip(node.sides, tables, batches, ends, strict=True):
        is_here = (order >= end - batch.length) & (order < end)
        rows = taken(batch, table.layouts, order[is_here] - (end - batch.length), run.together)
        run.claim(bytes_of(rows))
        stops = np.cumsum(np.bincount(numbers[is_here], minlength=count))
        found.append(_Sorted(node.functions, side, view_layouts(table.layouts), rows, stops))
    return found


def _keys(node: GroupedNode, tables: Sequence[Table], batches: Sequence[Batch]) -> tuple[Batch, list[Layout]]:
    """The keys of all tables, one table after the other."""
    keys = [node.sides[0].table.attrs[key] for key in node.sides[0].keys]
    layouts = [Layout(key.type, Encoding.VIEWS if key.type.is_stringlike else Encoding.PLAIN) for key in keys]
    parts = []
    for side, table, batch in zip(node.sides, tables, batches, strict=True):
        columns = tuple(batch.columns[key] for key in side.keys)
        own = [view_layouts(table.layouts)[key] for key in side.keys]
        parts.append(as_merged(replace(batch, columns=columns), own))
    return concatenated(Table(tuple(layouts), tuple(parts))), layouts


@dataclass
class _Sorted:
    """Rows in the order of their keys; group `n` ends at `stops[n]`."""

    functions: Functions
    side: Side
    layouts: tuple[Layout, ...]
    rows: Batch
    stops: Array

    def __post_init__(self) -> None:
        self.starts = np.concatenate((np.zeros(1, np.int64), self.stops))[:-1]

    def with_keys(self, results: Batch, start: int) -> Batch:
        """The results for groups from number `start` on, after the groups' keys, which are their first rows'."""
        firsts = taken(self.rows, self.layouts, self.starts[start : start + results.length], needed=self.side.keys)
        keys = (firsts.columns[key] for key in self.side.keys)
        return replace(results, columns=(*keys, *results.columns), keep=(*results.keep, *self.rows.keep))

    def groups(self) -> Iterator[list[pa.RecordBatch]]:
        """Each group's rows, cut as Spark cuts them where functions see it. Small groups share memory."""
        size = self.functions.batch_rows if self.functions.sees_batches else MORSEL_ROWS
        for first, last in self._spans():
            begin, end = int(self.starts[first]), int(self.stops[last - 1])
            if last - first == 1:
                yield [self._handed_out(*cut) for cut in _cuts(begin, end, size)]
                continue
            batch = self._handed_out(begin, end)
            for start, stop in zip(self.starts[first:last].tolist(), self.stops[first:last].tolist(), strict=True):
                yield [batch.slice(at - begin, to - at) for at, to in _cuts(start, stop, size)]

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Groups in runs that have at most `MORSEL_ROWS` rows together; a larger group is a run of its own."""
        first = 0
        while first < len(self.starts):
            fitting = int(np.searchsorted(self.stops, self.starts[first] + MORSEL_ROWS, side="right"))
            last = max(fitting, first + 1)
            yield first, last
            first = last

    def _handed_out(self, start: int, stop: int) -> pa.RecordBatch:
        return arguments(self.functions, self.side.table, self.side.args, sliced(self.rows, start, stop))


def _cuts(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    """Ranges of at most `size` rows, and at least one range."""
    return [(at, min(at + size, stop)) for at in range(start, max(stop, start + 1), size)]


@dataclass
class _Groups(Feed[Group]):
    """The groups of all sides, side by side."""

    sides: Sequence[_Sorted]

    def parts(self) -> Iterator[Group]:
        rows_left = sum(side.rows.length for side in self.sides)
        for group in zip(*(side.groups() for side in self.sides), strict=True):
            self.look_around(rows_left)
            count = sum(batch.num_rows for table in group for batch in table)
            rows_left -= count
            self.pace.rows += count
            self.pace.groups += 1
            yield group
