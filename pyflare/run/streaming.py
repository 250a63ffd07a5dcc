"""Rows as they come: the batches of a program one after another, for a reader that sets the pace.

`stream` computes at once what needs all rows (the tables below the last cut); after that, only a few morsels are worked
on ahead of the reader, and their rows are forgotten when they have gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from itertools import chain

from pyflare.codegen.generate import Generated
from pyflare.io.columns import Batch
from pyflare.pipeline.model import (
    GroupedNode,
    LimitNode,
    ModelNode,
    RowsNode,
    SelectNode,
    SourceNode,
    UnionNode,
    UnmatchedNode,
    VectorizedNode,
)
from pyflare.run.executor import EXECUTORS, as_merged, execute, finds_nothing, kernel_pieces, morsels, reader, writer
from pyflare.run.table import Table, bytes_of, limited
from pyflare.run.threads import Make, Piece, Run
from pyflare.run.vectorized import vectorized
from pyflare.run.vectorized_groups import grouped


def stream(program: Generated, run: Run) -> Iterator[Batch]:
    """The batches of `execute`'s table, in the same order."""
    run.check()
    return _STREAMS.get(type(program.node), _whole)(program, run)


def _whole(program: Generated, run: Run) -> Iterator[Batch]:
    return iter(execute(program, run).batches)


def _source(program: Generated, run: Run) -> Iterator[Batch]:
    layouts = program.shape.layouts
    return _in_order(run, *reader(program, run, layouts, range(len(layouts))))


def _select(program: Generated, run: Run) -> Iterator[Batch]:
    assert isinstance(program.node, SelectNode)
    columns, child = program.node.columns, program.inputs[0]
    if isinstance(child.node, SourceNode):
        batches = _in_order(run, *reader(child, run, program.shape.layouts, columns))
    else:
        batches = stream(child, run)
    return (replace(batch, columns=tuple(batch.columns[index] for index in columns)) for batch in batches)


def _written(program: Generated, run: Run) -> Iterator[Batch]:
    make, child = writer(program, run), program.inputs[0]
    if isinstance(child.node, SourceNode):
        return _in_order(run, make, kernel_pieces(program, run))
    batches = iter(()) if finds_nothing(program, run) else stream(child, run)
    return _in_order(run, make, (piece for batch in batches for piece in morsels(batch)))


def _union(program: Generated, run: Run) -> Iterator[Batch]:
    def merged(child: Generated) -> Iterator[Batch]:
        layouts = child.shape.layouts
        return (as_merged(batch, layouts) for batch in stream(child, run))

    return chain.from_iterable([merged(child) for child in program.inputs])


def _unmatched(program: Generated, run: Run) -> Iterator[Batch]:
    """Not before the last row of the join has been looked for."""
    yield from execute(program, run).batches


def _limit(program: Generated, run: Run) -> Iterator[Batch]:
    assert isinstance(program.node, LimitNode)
    return limited(stream(program.inputs[0], run), program.node.offset, program.node.limit)


def _vectorized(program: Generated, run: Run) -> Iterator[Batch]:
    return _counted(run, lambda: vectorized(program, run, stream(program.inputs[0], run)))


def _grouped(program: Generated, run: Run) -> Iterator[Batch]:
    return _counted(run, lambda: grouped(program, run, [execute(child, run) for child in program.inputs]))


def _counted(run: Run, call: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
    """Functions count as one more morsel: when all are done, Spark takes the query as over, and out of its reach."""
    run.metrics.add(total=1)
    yield from call()
    run.metrics.add(done=1)


def _all_called(program: Generated, run: Run, wanted: int | None) -> Table:
    """The rows of functions, or at least the first `wanted`. What is below them comes batch after batch if it can."""
    batches: list[Batch] = []
    for batch in stream(program, run):
        run.claim(bytes_of(batch))
        batches.append(batch)
        if wanted is not None and sum(made.length for made in batches) >= wanted:
            break
    return Table(program.shape.layouts, tuple(batches))


@dataclass
class _Lease:
    """The bytes that a morsel's rows hold of the query's memory, until they have gone."""

    run: Run
    held: int = 0

    def claim(self, amount: int) -> None:
        self.held += amount
        self.run.claim(amount)

    def release(self) -> None:
        self.run.metrics.add(held_bytes=-self.held)


def _in_order(run: Run, make: Make, pieces: Iterable[Piece]) -> Iterator[Batch]:
    """What `make` gives for the pieces, in their order; each thread has a piece to work on while one is being read."""
    waiting: deque[tuple[Future[list[Batch]], _Lease]] = deque()

    def made(piece: Piece, lease: _Lease) -> list[Batch]:
        run.check()
        batches = make(piece, lease.claim)
        run.metrics.add(done=1)
        return batches

    def oldest() -> Iterator[Batch]:
        job, lease = waiting.popleft()
        yield from job.result()
        lease.release()

    try:
        for piece in pieces:
            lease = _Lease(run)
            waiting.append((run.pool.submit(made, piece, lease), lease))
            if len(waiting) > run.threads:
                yield from oldest()
        while waiting:
            yield from oldest()
    finally:
        started = [job for job, _ in waiting if not job.cancel()]
        wait(started)


_Stream = Callable[[Generated, Run], Iterator[Batch]]

_STREAMS: dict[type, _Stream] = {
    SourceNode: _source,
    SelectNode: _select,
    RowsNode: _written,
    ModelNode: _written,
    UnionNode: _union,
    UnmatchedNode: _unmatched,
    LimitNode: _limit,
    VectorizedNode: _vectorized,
    GroupedNode: _grouped,
}

EXECUTORS[VectorizedNode] = EXECUTORS[GroupedNode] = _all_called
