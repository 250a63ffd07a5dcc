"""One execution of a fragment: what it may use, what it has cost, and its threads, which take morsel after morsel."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pyflare.errors import Cancelled, Unsupported
from pyflare.io.columns import Batch
from pyflare.run.joins import JoinTable
from pyflare.run.sources import Source
from pyflare.run.table import Table

MORSEL_ROWS: Final = 128 * 1024
"""Rows of a table that a thread takes at a time."""


_TURN_SECONDS: Final = 0.05
"""How long a query keeps a thread before another one gets it."""


@dataclass
class Metrics:
    """What a run cost, for Spark's UI. Times are nanoseconds, summed over threads."""

    bytes_read: int = 0
    read_ns: int = 0
    compile_ns: int = 0
    kernel_ns: int = 0
    handover_ns: int = 0
    row_groups: int = 0
    row_groups_pruned: int = 0
    done: int = 0
    total: int = 0
    held_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, **amounts: int) -> None:
        """Add to counters, from any thread."""
        with self.lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)


@dataclass(frozen=True)
class Run:
    """One execution of a fragment: its threads, sources, shared tables, and the flag that ends it early."""

    pool: ThreadPoolExecutor
    threads: int
    sources: Mapping[int, Source]
    cancelled: threading.Event
    metrics: Metrics
    memory: int
    subqueries: tuple[Any, ...] = ()
    join_tables: dict[int, JoinTable] = field(default_factory=dict)
    tables: dict[int, Table] = field(default_factory=dict)

    def claim(self, amount: int) -> None:
        """Count bytes of tables and states against the memory of the query, for as long as it runs."""
        self.metrics.add(held_bytes=amount)
        if self.metrics.held_bytes > self.memory:
            raise Unsupported(f"the query needs more than the {self.memory} bytes of spark.pyflare.memory")

    def together(self, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        """Do jobs that are parts of a step, on the run's threads."""
        return on_threads(self, jobs, whole=False)

    def check(self) -> None:
        """Raise `Cancelled` if the user has cancelled the query."""
        if self.cancelled.is_set():
            raise Cancelled("the query was cancelled")


@dataclass(frozen=True)
class Piece:
    """One morsel: how many rows, and how to get some of its columns."""

    length: int
    read: Callable[[Sequence[int]], Batch]


Make = Callable[[Piece, Callable[[int], None]], list[Batch]]
"""Makes the batches of a piece, and claims the bytes that they take."""


def for_each(run: Run, make: Make, pieces: Sequence[Piece], wanted: int | None) -> list[Batch]:
    """The batches of each piece, in order; when only `wanted` rows matter, of as many pieces as that takes."""
    jobs = [partial(make, piece, run.claim) for piece in pieces]
    if wanted is None:
        return [batch for batches in on_threads(run, jobs) for batch in batches]
    found: list[Batch] = []
    while jobs and sum(batch.length for batch in found) < wanted:
        found += [batch for batches in on_threads(run, jobs[: run.threads]) for batch in batches]
        jobs = jobs[run.threads :]
    return found


def on_threads(run: Run, jobs: Sequence[Callable[[], Any]], *, whole: bool = True) -> list[Any]:
    """The jobs' results in order. After the first failure the others are not started."""
    return _Work(run, jobs, whole).results()


class _Work:
    """Jobs that threads take one after the other, until none is left or one has failed."""

    def __init__(self, run: Run, jobs: Sequence[Callable[[], Any]], whole: bool) -> None:
        self._run, self._jobs, self._whole = run, jobs, whole
        self._numbers = iter(range(len(jobs)))
        self._results: list[Any] = [None] * len(jobs)
        self._failures: dict[int, BaseException] = {}
        self._turns: list[Future[None]] = []

    def results(self) -> list[Any]:
        """Do the jobs; raises what the first of those that failed has raised."""
        threads = min(self._run.threads, len(self._jobs))
        if threads > 1:
            for _ in range(threads):
                self._ask_for_a_turn()
        else:
            self._take(math.inf)
        for turn in self._turns:  # which grow while this waits
            turn.result()
        if self._failures:
            raise self._failures.pop(min(self._failures))
        return self._results

    def _ask_for_a_turn(self) -> None:
        self._turns.append(self._run.pool.submit(self._take, _TURN_SECONDS))

    def _take(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        for number in self._numbers:
            try:
                self._run.check()
                self._results[number] = self._jobs[number]()
                if self._whole:
                    self._run.metrics.add(done=1)
            except BaseException as error:
                self._failures[number] = error
            if self._failures:
                return
            if time.monotonic() > ends:
                self._ask_for_a_turn()  # behind what other queries have asked for
                return
