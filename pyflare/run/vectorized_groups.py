"""Python functions over groups of rows: all rows are brought together and sorted by key, then one group after the other
is handed over as slices of what was sorted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from pyflare.codegen.generate import Generated
from pyflare.io.arrow import from_record_batch
from pyflare.io.columns import Array, Batch, view_layouts
from pyflare.pipeline.model import GroupedNode
from pyflare.run.sort import sort_groups
from pyflare.run.table import Table, bytes_of, sliced, taken
from pyflare.run.threads import MORSEL_ROWS, Run
from pyflare.run.vectorized import Feed, arguments, called, schema_of
from pyflare.vectorized.groups import Group
from pyflare.vectorized.pace import Pace

_RESULTS: Final = 1 << 14
"""Results that are handed on together."""

_PARTITION_BYTES: Final = 1 << 20
"""Adaptive execution makes no smaller partitions (spark.sql.adaptive.coalescePartitions.minPartitionSize)."""


def grouped(program: Generated, run: Run, table: Table) -> Iterator[Batch]:
    """The batches of the table of functions over the groups of the table below."""
    node = program.node
    assert isinstance(node, GroupedNode)
    rows, starts = sort_groups(table, node.keys, run.together)
    run.claim(bytes_of(rows))
    feed = _Groups(run, Pace(node.functions, _cores_in_spark(node, rows, run)), node, rows, starts)
    schema = schema_of(node.attrs[node.kept :])
    layouts = view_layouts(table.layouts)
    for start, results in _together(called(node.functions.results_of_groups, feed)):
        made = from_record_batch(results, schema)
        if node.kept:
            firsts = taken(rows, layouts, starts[start : start + made.length], needed=node.keys)
            keys = tuple(firsts.columns[key] for key in node.keys)
            made = replace(made, columns=(*keys, *made.columns), keep=(*made.keep, *rows.keep))
        yield made


def _cores_in_spark(node: GroupedNode, rows: Batch, run: Run) -> int:
    """Without keys all rows are in one partition, and few rows are so, too."""
    return max(1, min(run.threads, bytes_of(rows) // _PARTITION_BYTES)) if node.keys else 1


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


@dataclass
class _Groups(Feed[Group]):
    """Sorted rows, from each of `starts` on a group."""

    node: GroupedNode
    rows: Batch
    starts: Array

    def parts(self) -> Iterator[Group]:
        """Each group's rows. Small groups share the memory of one batch."""
        stops = np.append(self.starts[1:], self.rows.length)
        functions = self.pace.functions
        size = functions.batch_rows if functions.sees_batches else MORSEL_ROWS
        for first, last in _spans(self.starts, stops):
            begin, end = int(self.starts[first]), int(stops[last - 1])
            if last - first == 1:
                cuts = [(at, min(at + size, end)) for at in range(begin, end, size)]
                yield self._handed_out([arguments(self.node, sliced(self.rows, *cut)) for cut in cuts], begin)
                continue
            batch = arguments(self.node, sliced(self.rows, begin, end))
            for start, stop in zip(self.starts[first:last].tolist(), stops[first:last].tolist(), strict=True):
                cuts = [(at, min(at + size, stop)) for at in range(start, stop, size)]
                yield self._handed_out([batch.slice(at - begin, to - at) for at, to in cuts], start)

    def _handed_out(self, group: Group, start: int) -> Group:
        self.look_around(self.rows.length - start)
        self.pace.rows += sum(batch.num_rows for batch in group)
        self.pace.groups += 1
        return group


def _spans(starts: Array, stops: Array) -> Iterator[tuple[int, int]]:
    """Groups in runs that have at most `MORSEL_ROWS` rows together; a larger group is a run of its own."""
    first = 0
    while first < len(starts):
        fitting = int(np.searchsorted(stops, starts[first] + MORSEL_ROWS, side="right"))
        last = max(fitting, first + 1)
        yield first, last
        first = last
