"""Python functions over the batches of a table, called on one thread while others make the next batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter_ns, process_time_ns

import pyarrow as pa

from pyflare.codegen.generate import Generated
from pyflare.errors import DataError, PyFlareError
from pyflare.io.arrow import from_record_batch, to_record_batch
from pyflare.io.columns import Batch
from pyflare.pipeline.model import VectorizedNode
from pyflare.run.table import sliced
from pyflare.run.threads import MORSEL_ROWS, Run
from pyflare.vectorized import context
from pyflare.vectorized.functions import Functions
from pyflare.vectorized.pace import Pace, leave


def vectorized(program: Generated, run: Run, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches of the table of functions over the batches of the table below."""
    node = program.node
    assert isinstance(node, VectorizedNode)
    feed = _Feed(node, run, batches)
    schema = [(attr.label, attr.type, attr.nullable) for attr in node.attrs[node.kept :]]
    try:
        for batch, results in _aligned(feed, _called(node.functions, feed, run)):
            made = from_record_batch(results, schema)
            yield replace(batch, length=made.length, columns=(*batch.columns, *made.columns))
    finally:
        feed.close()


@dataclass
class _Feed:
    """The batches below, cut for the functions. `kept` has the columns of rows whose results are not there yet."""

    node: VectorizedNode
    run: Run
    batches: Iterator[Batch]
    kept: deque[Batch] = field(default_factory=deque)
    rows: int = 0
    failure: BaseException | None = None
    wall_ns: int = 0  # spent below, and not on the functions
    cpu_ns: int = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """A function can swallow what is raised here, which is why it is kept."""
        attrs = self.node.child.attrs
        schema = [(attrs[column].label, attrs[column].type, attrs[column].nullable) for column in self.node.args]
        while True:
            try:
                batch = self._next()
            except BaseException as error:
                self.failure = error
                raise
            if batch is None:
                return
            for piece in _cut(batch, MORSEL_ROWS):
                self.kept.append(replace(piece, columns=piece.columns[: self.node.kept]))
                given = replace(piece, columns=tuple(piece.columns[column] for column in self.node.args))
                for part in _cut(given, self.node.functions.batch_rows):
                    self.rows += part.length
                    yield to_record_batch(part, schema, self.node.functions.zone)

    def close(self) -> None:
        """End what makes the batches, however far it is."""
        if isinstance(self.batches, Generator):
            self.batches.close()

    def _next(self) -> Batch | None:
        wall, cpu = perf_counter_ns(), process_time_ns()
        self.run.check()
        batch = next(self.batches, None)
        self.wall_ns += perf_counter_ns() - wall
        self.cpu_ns += process_time_ns() - cpu
        return batch


def _cut(batch: Batch, rows: int) -> Iterator[Batch]:
    for start in range(0, batch.length, rows):
        yield sliced(batch, start, min(batch.length, start + rows))


def _called(functions: Functions, feed: _Feed, run: Run) -> Iterator[pa.RecordBatch]:
    """The functions' results. Raises `DataError` if one of them raises: Spark then raises it with its own words."""
    pace = Pace(functions, run.threads)
    results: Iterator[pa.RecordBatch] | None = None
    while True:
        wall, cpu = perf_counter_ns() - feed.wall_ns, process_time_ns() - feed.cpu_ns
        try:
            results = functions.results(feed) if results is None else results
            result = next(results, None)
        except (Exception, SystemExit) as error:
            if feed.failure is not None or isinstance(error, PyFlareError):
                raise (feed.failure or error) from None
            raise DataError(f"the Python function {functions} raised {type(error).__name__}: {error}") from error
        if feed.failure is not None:
            raise feed.failure
        if context.was_asked():
            raise leave(functions, f"{functions} asks for the task that it runs in")
        if result is None:
            return
        pace.add(perf_counter_ns() - feed.wall_ns - wall, process_time_ns() - feed.cpu_ns - cpu, result.num_rows)
        pace.check(run.metrics.done / max(run.metrics.total, 1))
        yield result


def _aligned(feed: _Feed, results: Iterator[pa.RecordBatch]) -> Iterator[tuple[Batch, pa.RecordBatch]]:
    """The kept columns of rows, and their results. Functions that make rows of their own keep none."""
    waiting: list[pa.RecordBatch] = []
    for result in results:
        if not feed.node.functions.keeps_rows:
            feed.kept.clear()
            yield Batch(result.num_rows, ()), result
            continue
        waiting.append(result)
        while feed.kept and sum(batch.num_rows for batch in waiting) >= feed.kept[0].length:
            piece, whole = feed.kept.popleft(), _joined(waiting)
            waiting = [whole.slice(piece.length)]
            yield piece, whole.slice(0, piece.length)


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
