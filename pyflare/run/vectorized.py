"""Python functions over the batches of a table, called on one thread while others make the next batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pyflare.codegen.generate import Generated
from pyflare.errors import DataError, LeftToSpark
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
    feed = _Feed(node, run, batches, Pace(node.functions, run.threads))
    schema = [(attr.label, attr.type, attr.nullable) for attr in node.attrs[node.kept :]]
    try:
        for batch, results in _aligned(feed, _called(node.functions, feed)):
            made = from_record_batch(_flat(results), schema)
            yield replace(batch, length=made.length, columns=(*batch.columns, *made.columns))
    finally:
        feed.close()


@dataclass
class _Feed:
    """The batches below, cut for the functions. `kept` has the columns of rows whose results are not there yet."""

    node: VectorizedNode
    run: Run
    batches: Iterator[Batch]
    pace: Pace
    kept: deque[Batch] = field(default_factory=deque)
    results: int = 0
    has_ended: bool = False
    failure: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Runs between two stretches of a function, which could swallow what is raised here: so it is kept, too."""
        self.pace.leave()
        try:
            for number, part in enumerate(self._parts()):
                self.pace.enter()
                yield part
                self.pace.leave()
                if number == 0:
                    self.pace.restart()
            self.has_ended = True
            if self.makes_rows and self.pace.rows and not self.results:
                raise self.depends_on_partitions()
        except Exception as error:
            self.failure = error
            raise
        finally:
            self.pace.enter()

    def _parts(self) -> Iterator[pa.RecordBatch]:
        """Full batches, as Spark makes them of a partition, and one of the rest."""
        pending: list[pa.RecordBatch] = []
        room = self.node.functions.batch_rows
        for pulled, batch in enumerate(self.batches, 1):
            start = 0
            while start < batch.length:
                part = sliced(batch, start, min(batch.length, start + min(room, MORSEL_ROWS)))
                pending.append(self._arguments(part))
                start, room = start + part.length, room - part.length
                if room == 0:
                    self._look_around(batch.length - start, pulled)
                    yield _joined(pending)
                    pending, room = [], self.node.functions.batch_rows
        if pending:
            self._look_around(0, 1)
            yield _joined(pending)

    def _arguments(self, part: Batch) -> pa.RecordBatch:
        """The arguments of some rows, whose other columns are kept."""
        self.pace.rows += part.length
        self.kept.append(replace(part, columns=part.columns[: self.node.kept]))
        attrs, columns = self.node.child.attrs, self.node.args
        schema = [(attrs[column].label, attrs[column].type, attrs[column].nullable) for column in columns]
        given = replace(part, columns=tuple(part.columns[column] for column in columns))
        return to_record_batch(given, schema, self.node.functions.zone)

    def _look_around(self, rows_left: int, pulled: int) -> None:
        """Leave if the query is cancelled, or if the functions are slow."""
        self.run.check()
        self.pace.check(rows_left + self._batches_left() * self.pace.rows / pulled)

    def _batches_left(self) -> int:
        return max(self.run.metrics.total - self.run.metrics.done, 0)

    @property
    def makes_rows(self) -> bool:
        """Whether the functions make rows of their own."""
        return not self.node.functions.keeps_rows

    def depends_on_partitions(self) -> LeftToSpark:
        """For rows that are made when the end is known: Spark's functions see one end for each partition."""
        return leave(self.node.functions, f"{self.node.functions} makes rows after the last ones of a partition")

    def close(self) -> None:
        """End what makes the batches, however far it is."""
        if isinstance(self.batches, Generator):
            self.batches.close()


def _called(functions: Functions, feed: _Feed) -> Iterator[pa.RecordBatch]:
    """The functions' results. Raises `DataError` if one of them raises: Spark then raises it with its own words."""
    results: Iterator[pa.RecordBatch] | None = None
    while True:
        feed.pace.enter()
        try:
            results = functions.results(feed) if results is None else results
            result = next(results, None)
        except (Exception, SystemExit) as error:
            if feed.failure is not None:
                raise feed.failure from None
            raise DataError(f"the Python function {functions} raised {type(error).__name__}: {error}") from error
        finally:
            feed.pace.leave()
        if feed.failure is not None:
            raise feed.failure
        if context.was_asked():
            raise leave(functions, f"{functions} asks for the task that it runs in")
        if result is None:
            return
        if feed.has_ended and feed.makes_rows:
            raise feed.depends_on_partitions()
        feed.results += 1
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


def _flat(results: pa.RecordBatch) -> pa.RecordBatch:
    """The results with a column for each field of a struct, and one that says which structs there are."""
    arrays: list[pa.Array] = []
    for array in results.columns:
        arrays += [*array.flatten(), array.is_valid()] if pa.types.is_struct(array.type) else [array]
    return pa.RecordBatch.from_arrays(arrays, [f"_{number}" for number in range(len(arrays))])


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
