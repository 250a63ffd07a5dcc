"""Python functions over the batches of a table, called on one thread while others make the next batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import pyarrow as pa

from pyflare.codegen.generate import Generated
from pyflare.errors import DataError, LeftToSpark
from pyflare.io.arrow import from_record_batch, to_record_batch
from pyflare.io.columns import Batch
from pyflare.pipeline.model import Node, VectorizedNode
from pyflare.plan.expressions import AttributeReference
from pyflare.run.table import sliced
from pyflare.run.threads import MORSEL_ROWS, Run
from pyflare.types import DataType
from pyflare.vectorized import context
from pyflare.vectorized.functions import Functions
from pyflare.vectorized.pace import Pace, leave

Part = TypeVar("Part")


def vectorized(program: Generated, run: Run, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches of the table of functions over the batches of the table below."""
    node = program.node
    assert isinstance(node, VectorizedNode)
    feed = _Rows(run, Pace(node.functions, run.threads), node, batches)
    schema = schema_of(node.attrs[node.kept :])
    try:
        for batch, results in _aligned(feed, called(node.functions.results, feed)):
            made = from_record_batch(_flat(results), schema)
            yield replace(batch, length=made.length, columns=(*batch.columns, *made.columns))
    finally:
        feed.close()


@dataclass
class Feed(ABC, Generic[Part]):
    """What functions are called with, part after part: batches, or groups."""

    run: Run
    pace: Pace
    failure: BaseException | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[Part]:
        """Runs between two stretches of a function, which could swallow what is raised here: so it is kept, too."""
        self.pace.leave()
        try:
            for number, part in enumerate(self.parts()):
                self.pace.enter()
                yield part
                self.pace.leave()
                if number == 0:
                    self.pace.restart()
            self.end()
        except Exception as error:
            self.failure = error
            raise
        finally:
            self.pace.enter()

    @abstractmethod
    def parts(self) -> Iterator[Part]:
        """The parts. Looks around between them, and counts their rows."""

    def end(self) -> None:
        """There are no more parts."""

    def result(self) -> None:
        """A result has come."""

    def look_around(self, rows_left: float) -> None:
        """Leave if the query is cancelled, or if the functions are slow."""
        self.run.check()
        self.pace.check(rows_left)


@dataclass
class _Rows(Feed[pa.RecordBatch]):
    """The batches below, cut for the functions. `kept` has the columns of rows whose results are not there yet."""

    node: VectorizedNode
    batches: Iterator[Batch]
    kept: deque[Batch] = field(default_factory=deque)
    results: int = 0
    has_ended: bool = False

    def parts(self) -> Iterator[pa.RecordBatch]:
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
                    self.look_around(batch.length - start + self._batches_left() * self.pace.rows / pulled)
                    yield _joined(pending)
                    pending, room = [], self.node.functions.batch_rows
        if pending:
            self.look_around(self._batches_left() * self.pace.rows)
            yield _joined(pending)

    def _arguments(self, part: Batch) -> pa.RecordBatch:
        """The arguments of some rows, whose other columns are kept."""
        self.pace.rows += part.length
        self.kept.append(replace(part, columns=part.columns[: self.node.kept]))
        return arguments(self.node.functions, self.node.child, self.node.args, part)

    def _batches_left(self) -> int:
        return max(self.run.metrics.total - self.run.metrics.done - 1, 0)  # without the functions themselves

    def end(self) -> None:
        """Functions that make rows of their own have made some by now."""
        self.has_ended = True
        if self.node.functions.makes_rows and self.pace.rows and not self.results:
            raise self._depends_on_partitions()

    def result(self) -> None:
        """Functions that make rows of their own make them before the end."""
        if self.has_ended and self.node.functions.makes_rows:
            raise self._depends_on_partitions()
        self.results += 1

    def _depends_on_partitions(self) -> LeftToSpark:
        """For rows that are made when the end is known: Spark's functions see one end for each partition."""
        return leave(self.node.functions, f"{self.node.functions} makes rows after the last ones of a partition")

    def close(self) -> None:
        """End what makes the batches, however far it is."""
        if isinstance(self.batches, Generator):
            self.batches.close()


def schema_of(attrs: Iterable[AttributeReference]) -> list[tuple[str, DataType, bool]]:
    """The columns that attributes are."""
    return [(attr.label, attr.type, attr.nullable) for attr in attrs]


def arguments(functions: Functions, table: Node, columns: Sequence[int], rows: Batch) -> pa.RecordBatch:
    """What functions get of some rows of a table: a few of its columns."""
    attrs = [table.attrs[column] for column in columns]
    names = functions.names([attr.label for attr in attrs])
    schema = [(name, attr.type, attr.nullable) for name, attr in zip(names, attrs, strict=True)]
    given = replace(rows, columns=tuple(rows.columns[column] for column in columns))
    return to_record_batch(given, schema, functions.zone)


def called(call: Callable[[Iterable[Part]], Iterator[pa.RecordBatch]], feed: Feed[Part]) -> Iterator[pa.RecordBatch]:
    """The functions' results. Raises `DataError` if one of them raises: Spark then raises it with its own words."""
    functions = feed.pace.functions
    results: Iterator[pa.RecordBatch] | None = None
    while True:
        feed.pace.enter()
        try:
            results = call(feed) if results is None else results
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
        feed.result()
        yield result


def _aligned(feed: _Rows, results: Iterator[pa.RecordBatch]) -> Iterator[tuple[Batch, pa.RecordBatch]]:
    """The kept columns of rows, and their results. Functions that make rows of their own keep none."""
    waiting: list[pa.RecordBatch] = []
    for result in results:
        if feed.node.functions.makes_rows:
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
