"""Running one fragment: sources opened, kernels generated for them, subqueries first, rows to Arrow."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from pyflare.codegen.generate import Generated
from pyflare.codegen.groups import HASH_ONLY
from pyflare.codegen.load import Elsewhere, KernelSource, load_all, send
from pyflare.compile import Fragment, programs
from pyflare.errors import DataError, TooManyGroups
from pyflare.io.cache import ColumnCache
from pyflare.io.columns import Array, Batch, Column, Encoding, Layout
from pyflare.io.parquet import Scan
from pyflare.plan import operators as ops
from pyflare.plan.expressions import Expr, Subquery
from pyflare.plan.verify import expressions
from pyflare.run.executor import execute, kernels_of
from pyflare.run.sources import Scans, open_tables
from pyflare.run.streaming import stream
from pyflare.run.structs import assembled, assembled_batches
from pyflare.run.table import Table, as_views, codes_as_views, concatenated
from pyflare.run.threads import Metrics, Run
from pyflare.types import DataType, Kind

Schema = list[tuple[str, Any, bool]]
Rows = TypeVar("Rows")


class Programs:
    """A fragment's programs: generated once for its files, again when one of these has changed."""

    def __init__(self, fragment: Fragment) -> None:
        self.fragment = fragment
        self._lock = threading.Lock()
        self._opened: dict[int, Scan] | None = None
        self._programs: tuple[Generated, ...] = ()
        self._conf = dict(fragment.conf)
        self.wanted = _needed_subqueries(fragment)
        self.operators = (*(fragment.subqueries[index] for index in self.wanted), fragment.operator)
        self._scans = Scans(self.operators)

    def ready(self, cache: ColumnCache) -> tuple[dict[int, Scan], tuple[Generated, ...]]:
        """The open scans, and the subqueries' programs followed by the fragment's."""
        scans = self._scans.current(cache)
        with self._lock:
            if self._opened is None or any(scan is not self._opened.get(number) for number, scan in scans.items()):
                self._programs = programs(self.operators, scans, self._conf)
                self._opened = scans
            return scans, self._programs

    def release(self) -> None:
        """A run has ended: give up what its scans have kept for their next morsels."""
        with self._lock:
            for scan in (self._opened or {}).values():
                scan.release()

    def without_dense_groups(self) -> None:
        """From now on, generate programs that hash all their groups."""
        with self._lock:
            self._conf[HASH_ONLY] = "true"
            self._opened = None

    def compile(self, cache: ColumnCache, elsewhere: Elsewhere) -> None:
        """Compile ahead, while Spark is still planning."""
        load_all(self._sources(cache), elsewhere)

    def send(self, cache: ColumnCache, elsewhere: Elsewhere) -> None:
        """Have kernels compiled elsewhere that nobody has begun to compile."""
        if elsewhere.are_ready:
            send(self._sources(cache), elsewhere)

    def _sources(self, cache: ColumnCache) -> list[KernelSource]:
        return [source for generated in self.ready(cache)[1] for source in kernels_of(generated)]


def _needed_subqueries(fragment: Fragment) -> list[int]:
    """The subqueries that a fragment reads, and those that they read: the innermost come first."""
    needed: set[int] = set()
    waiting = [fragment.operator]
    while waiting:
        found = _subqueries_in(waiting.pop()) - needed
        needed |= found
        waiting += [fragment.subqueries[index] for index in found]
    return sorted(needed)


def _subqueries_in(operator: ops.Operator) -> set[int]:
    found: set[int] = set()

    def visit(value: Any) -> None:
        if isinstance(value, Subquery):
            found.add(value.index)
        if isinstance(value, Expr):
            for child in value.children:
                visit(child)

    for op in _walk(operator):
        for expr in expressions(op):
            visit(expr)
    return found


def _walk(operator: ops.Operator) -> Any:
    yield operator
    for child in operator.children:
        yield from _walk(child)


@dataclass(frozen=True)
class Attempt:
    """One run of a fragment, and what it runs on."""

    programs: Programs
    pool: ThreadPoolExecutor
    threads: int
    cache: ColumnCache
    inputs: Mapping[int, str]
    cancelled: threading.Event
    metrics: Metrics

    @property
    def schema(self) -> Schema:
        """The schema that the rows have for Spark."""
        return [(name, type_, True) for name, type_ in self.programs.fragment.subtree.outputs]

    def table(self) -> Table:
        """The fragment's rows."""
        return assembled(self._twice(execute), self._types)

    def stream(self) -> Iterator[Batch]:
        """The fragment's rows as they come; whatever needs all rows of something has been done when this returns."""
        return assembled_batches(self._twice(stream), self._types)

    @property
    def _types(self) -> list[DataType]:
        return [type_ for _, type_ in self.programs.fragment.subtree.outputs]

    def _twice(self, use: Callable[[Generated, Run], Rows]) -> Rows:
        try:
            return use(*_opened(self))
        except TooManyGroups:
            self.programs.without_dense_groups()
            return use(*_opened(self))


def _opened(attempt: Attempt) -> tuple[Generated, Run]:
    """The fragment's program, ready to run, with the values of its subqueries."""
    opened, metrics = attempt.programs, attempt.metrics
    pool, threads, cancelled = attempt.pool, attempt.threads, attempt.cancelled
    scans, generated = opened.ready(attempt.cache)
    tables = open_tables(opened.operators, attempt.inputs)
    for scan in scans.values():
        metrics.add(row_groups=scan.row_groups_total, row_groups_pruned=scan.row_groups_pruned)
    memory = opened.fragment.config.memory
    values: list[Any] = [None] * len(opened.fragment.subqueries)
    run = Run(pool, threads, {**scans, **tables}, cancelled, metrics, memory, tuple(values))
    for index, subprogram in zip(opened.wanted, generated[:-1], strict=True):
        values[index] = scalar(execute(subprogram, run))
        run = replace(run, subqueries=tuple(values))
    return generated[-1], run


def scalar(table: Table) -> tuple[Any, ...]:
    """The values of a scalar subquery's row, in kernel form (a byte array for strings); None for null or no row.

    There is more than one value where Spark has merged subqueries. Raises `DataError` if there is more than one row:
    Spark has an error for it.
    """
    if table.rows > 1:
        raise DataError("a scalar subquery gives more than one row")
    if table.rows == 0:
        return (None,) * len(table.layouts)
    batch = concatenated(table)
    return tuple(_first_value(batch, *column) for column in zip(batch.columns, table.layouts, strict=True))


def _first_value(batch: Batch, column: Column, layout: Layout) -> Any:
    if column.ok is not None and not column.ok[0]:
        return None
    if layout.type.kind is Kind.WIDE:
        return (int(column.data[1]) << 64) + (int(column.data[0]) & (2**64 - 1))
    if layout.type.is_stringlike:
        views = codes_as_views(column) if layout.encoding is Encoding.CODES else as_views(column, batch.length, layout)
        return _copied(views)
    return column.data[0].item()


def _copied(column: Column) -> Array:
    assert column.lengths is not None
    return np.frombuffer(ctypes.string_at(int(column.data[0]), int(column.lengths[0])), np.uint8)
