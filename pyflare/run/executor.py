"""Runs a generated program, one table after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pyflare.codegen.generate import Generated
from pyflare.codegen.groups import GroupsSpec
from pyflare.codegen.kernel import DATA_ERROR
from pyflare.codegen.load import KernelSource, load
from pyflare.codegen.sinks import ModelSpec, RowsSpec
from pyflare.codegen.values import Frame
from pyflare.errors import DataError, Unsupported
from pyflare.io.columns import Batch, Column, Encoding, Layout
from pyflare.io.parquet import Scan
from pyflare.io.prune import Facts
from pyflare.pipeline.model import (
    GroupsNode,
    LimitNode,
    ModelNode,
    RowsNode,
    SelectNode,
    SortNode,
    SourceNode,
    UnionNode,
    UnmatchedNode,
)
from pyflare.run.feeds import column_of, fed
from pyflare.run.groups import Groups
from pyflare.run.joins import JoinTable, build_table, unmatched
from pyflare.run.keys import excludes, key_values
from pyflare.run.outputs import output_batch, output_buffers
from pyflare.run.sort import sort_table
from pyflare.run.sources import Numbers
from pyflare.run.table import Table, as_views, bytes_of, codes_as_views, limited, sliced
from pyflare.run.threads import MORSEL_ROWS, Make, Piece, Run, for_each, on_threads
from pyflare.runtime.parameters import CompiledKernel

MANY_ROWS = 2**32


def execute(program: Generated, run: Run, wanted: int | None = None) -> Table:
    """The table of a program, or, if only `wanted` rows matter, at least its first rows."""
    run.check()
    executor = EXECUTORS[type(program.node)]
    if not program.is_shared:
        return executor(program, run, wanted)
    found = run.tables.get(id(program.node))
    if found is None:
        found = run.tables[id(program.node)] = executor(program, run, None)
    return found


def kernels_of(program: Generated) -> list[KernelSource]:
    """Every kernel of a program, in the order in which they are needed."""
    below = [source for child in program.inputs for source in kernels_of(child)]
    return below if program.source is None else [*below, program.source]


# Tables without kernels -----------------------------------------------------------------------------------------------


def _source(program: Generated, run: Run, wanted: int | None) -> Table:
    layouts = program.shape.layouts
    return Table(layouts, tuple(_read_all(program, run, layouts, range(len(layouts)), wanted)))


def _read_all(
    source: Generated, run: Run, layouts: Sequence[Layout], columns: Sequence[int], wanted: int | None
) -> list[Batch]:
    make, pieces = reader(source, run, layouts, columns)
    return for_each(run, make, pieces, wanted)


def reader(
    source: Generated, run: Run, layouts: Sequence[Layout], columns: Sequence[int]
) -> tuple[Make, Sequence[Piece]]:
    """What reads columns of a source, as they are or unpacked, and its pieces."""

    def make(piece: Piece, claim: Callable[[int], None]) -> list[Batch]:
        started = time.perf_counter_ns()
        batch = piece.read(columns)
        run.metrics.add(read_ns=time.perf_counter_ns() - started)
        claim(bytes_of(replace(batch, columns=tuple(batch.columns[index] for index in columns))))
        return [batch]

    return make, pieces_of(source, run, packed=any(layout.packed for layout in layouts))


def _select(program: Generated, run: Run, wanted: int | None) -> Table:
    assert isinstance(program.node, SelectNode)
    node, child = program.node, program.inputs[0]
    batches: list[Batch]
    if isinstance(child.node, SourceNode):
        batches = _read_all(child, run, program.shape.layouts, node.columns, wanted)
    else:
        batches = list(execute(child, run, wanted).batches)
    picked = tuple(replace(batch, columns=tuple(batch.columns[index] for index in node.columns)) for batch in batches)
    return Table(program.shape.layouts, picked)


def _sort(program: Generated, run: Run, _wanted: int | None) -> Table:
    node = program.node
    assert isinstance(node, SortNode)
    return sort_table(execute(program.inputs[0], run), node.keys, node.limit, node.offset)


def _limit(program: Generated, run: Run, _wanted: int | None) -> Table:
    node = program.node
    assert isinstance(node, LimitNode)
    table = execute(program.inputs[0], run, None if node.limit is None else node.limit + node.offset)
    return Table(table.layouts, tuple(limited(iter(table.batches), node.offset, node.limit)))


def _unmatched(program: Generated, run: Run, _wanted: int | None) -> Table:
    """The rows of a join table that no probe has hit."""
    return unmatched(_built(run, program.inputs[0]), program)


def _union(program: Generated, run: Run, wanted: int | None) -> Table:
    assert isinstance(program.node, UnionNode)
    batches: list[Batch] = []
    for child in program.inputs:
        table = execute(child, run, wanted)
        batches.extend(as_merged(batch, table.layouts) for batch in table.batches)
    return Table(program.shape.layouts, tuple(batches))


def as_merged(batch: Batch, layouts: Sequence[Layout]) -> Batch:
    """A batch whose strings are views."""
    columns = []
    for column, layout in zip(batch.columns, layouts, strict=True):
        views = codes_as_views(column) if layout.encoding is Encoding.CODES else as_views(column, batch.length, layout)
        columns.append(views)
    return replace(batch, columns=tuple(columns))


# Kernels --------------------------------------------------------------------------------------------------------------


def _written(program: Generated, run: Run, wanted: int | None) -> Table:
    """The table that a kernel writes."""
    make = writer(program, run)
    return Table(program.shape.layouts, tuple(for_each(run, make, kernel_pieces(program, run), wanted)))


def writer(program: Generated, run: Run) -> Make:
    """What writes the rows of a piece, or has a model write them. The tables that it probes are built now."""
    return _model_writer(program, run) if isinstance(program.spec, ModelSpec) else _rows_writer(program, run)


def _rows_writer(program: Generated, run: Run) -> Make:
    assert isinstance(program.spec, RowsSpec)
    spec = program.spec

    def finish(frame: Frame) -> Batch:
        return output_batch(spec, frame)

    return _writer(program, run, partial(output_buffers, spec), finish)


def _model_writer(program: Generated, run: Run) -> Make:
    """The kernel fills the model's tensors, the model runs on them as they lie there."""
    assert isinstance(program.spec, ModelSpec)
    spec = program.spec
    storages = [layout.type.storage for layout in program.shape.layouts[spec.width :]]

    def buffers(rows: int) -> dict[str, Any]:
        states = output_buffers(spec.rows, rows)
        states["feeds"] = spec.step.allocate(rows)
        states["feed_ok"] = np.ones(rows if spec.nullable else 0, np.uint8)
        return states

    def finish(frame: Frame) -> Batch:
        written = output_batch(spec.rows, frame)
        rows, kept = written.length, written.columns[: spec.width]
        ok = frame.states["feed_ok"][:rows] if spec.nullable else None
        feeds = fed(spec.step, frame.states["feeds"], written.columns[spec.width :], rows)
        values, valid = spec.step.run(feeds, rows, ok)
        results = (column_of(v, valid, storage) for v, storage in zip(values, storages, strict=True))
        return replace(written, columns=(*kept, *results))

    return _writer(program, run, buffers, finish)


def _writer(
    program: Generated, run: Run, buffers: Callable[[int], dict[str, Any]], finish: Callable[[Frame], Batch]
) -> Make:
    """`buffers` makes room for some rows of the kernel, `finish` makes a batch of what is in it."""
    tables, kernel = _joined(program, run), _load(program, run)

    def make(piece: Piece, claim: Callable[[int], None]) -> list[Batch]:
        batch = _read(program, piece, run)
        frame = Frame(batch, {}, run.subqueries, tables=tables)
        batches: list[Batch] = []

        def room() -> None:
            rows = max(batch.length, 1)
            frame.states = {**buffers(rows), "capacity": np.uint64(rows)}

        def flush() -> None:
            batches.append(finish(frame))
            claim(bytes_of(batches[-1]))

        def full() -> None:
            flush()
            room()

        room()
        _run_kernel(kernel, program, frame, run, full)
        flush()
        claim(frame.arena.size)
        return batches

    return make


def _built(run: Run, build: Generated) -> JoinTable:
    """The join table of a build node, made at the first call."""
    found = run.join_tables.get(id(build.node))
    if found is None:
        table = execute(build.inputs[0], run)
        found = run.join_tables[id(build.node)] = build_table(table, build, run.together)
        run.claim(found.nbytes)
    return found


def _joined(program: Generated, run: Run) -> tuple[JoinTable, ...]:
    """The tables that a kernel probes."""
    return tuple(_built(run, child) for child in program.inputs[1:])


def _groups(program: Generated, run: Run, _wanted: int | None) -> Table:
    assert isinstance(program.spec, GroupsSpec)
    tables = _joined(program, run)
    spec, pieces = program.spec, kernel_pieces(program, run)
    kernel = _load(program, run)
    queue = iter(pieces)
    lock = threading.Lock()

    def work() -> Groups:
        groups = Groups.of(spec)
        while True:
            with lock:
                piece = next(queue, None)
            if piece is None:
                return groups
            batch = _read(program, piece, run)
            frame = Frame(batch, groups.arrays, run.subqueries, groups.arena, tables)
            groups.prepare(frame)
            frame.states = groups.arrays

            def grow(frame: Frame = frame) -> None:
                before = groups.nbytes
                groups.grow()
                run.claim(groups.nbytes - before)
                frame.states = groups.arrays

            texts = groups.arena.size
            _run_kernel(kernel, program, frame, run, grow)
            run.claim(groups.arena.size - texts)
            run.metrics.add(done=1)

    threads = 1 if spec.is_ordered else max(1, min(run.threads, len(pieces)))
    parts = on_threads(run, [work] * threads, whole=False)
    return Table(program.shape.layouts, parts[0].merged(parts[1:], run.together))


def _load(program: Generated, run: Run) -> CompiledKernel:
    assert program.source is not None
    kernel, spent = load(program.source)
    run.metrics.add(compile_ns=spent)
    return kernel


def _read(program: Generated, piece: Piece, run: Run) -> Batch:
    run.check()
    started = time.perf_counter_ns()
    batch = piece.read(program.used)
    run.metrics.add(read_ns=time.perf_counter_ns() - started)
    return batch


def _run_kernel(kernel: CompiledKernel, program: Generated, frame: Frame, run: Run, grow: Callable[[], None]) -> None:
    """Run the kernel over a batch; when it stops because its state is full, `grow` and go on."""
    assert program.source is not None
    started = time.perf_counter_ns()
    at, end = 0, frame.batch.length
    while at < end:
        values = [param.bind(frame) for param in program.source.params]
        result = kernel(np.uint64(at), np.uint64(end), program.source.packing.pack(values))
        if result < 0:
            raise (DataError("a row makes Spark raise") if result == DATA_ERROR else Unsupported("a row needs Spark"))
        at = int(result)
        if at < end:
            grow()
    run.metrics.add(kernel_ns=time.perf_counter_ns() - started)


# Morsels --------------------------------------------------------------------------------------------------------------


def pieces_of(child: Generated, run: Run, *, packed: bool = True) -> list[Piece]:
    """The morsels of a kernel's input: row groups of a scan, packed if its layouts say so, or slices of a table."""
    if isinstance(child.node, SourceNode):
        source = run.sources[child.node.operator.node]
        if not isinstance(source, Table):
            return _scan_pieces(source, run, packed) if isinstance(source, Scan) else _number_pieces(source, run)
        table = source
    else:
        table = execute(child, run)
    pieces = [piece for batch in table.batches for piece in morsels(batch)]
    run.metrics.add(total=len(pieces))
    return pieces


def kernel_pieces(program: Generated, run: Run) -> list[Piece]:
    """The morsels of a kernel's input, without those in which, by what its join tables hold, no row is of use."""
    child = program.inputs[0]
    scan = run.sources.get(child.node.operator.node) if isinstance(child.node, SourceNode) else None
    if finds_nothing(program, run):
        run.metrics.add(row_groups_pruned=scan.row_groups if isinstance(scan, Scan) else 0)
        return []
    if isinstance(scan, Scan):
        return _scan_pieces(scan, run, packed=True, tests=_tests(program, run))
    return pieces_of(child, run)


def finds_nothing(program: Generated, run: Run) -> bool:
    """Whether a kernel drops all rows of its input, which need not even be computed."""
    tables = (_built(run, program.inputs[1 + restriction.table]) for restriction in program.restrictions)
    return not _may_fail(program.inputs[0]) and any(table.is_empty for table in tables)


def _may_fail(program: Generated) -> bool:
    return program.can_fail or any(map(_may_fail, program.inputs))


def _tests(program: Generated, run: Run) -> list[tuple[int, Callable[[Facts], bool]]]:
    """Tests of columns that find row groups in which no row has its key in a join table."""
    tests: list[tuple[int, Callable[[Facts], bool]]] = []
    for restriction in program.restrictions:
        build = program.inputs[1 + restriction.table]
        table = _built(run, build)
        for key, column in enumerate(restriction.columns):
            values = None if column is None else key_values(build, table.arrays, key)
            if column is not None and values is not None:
                tests.append((column, partial(excludes, values)))
    return tests


def morsels(batch: Batch) -> Iterator[Piece]:
    """A table's batch, cut."""
    for start in range(0, batch.length, MORSEL_ROWS):
        part = sliced(batch, start, min(batch.length, start + MORSEL_ROWS))
        yield Piece(part.length, partial(_whole, part))


def _whole(batch: Batch, _columns: Sequence[int]) -> Batch:
    """A table's batches have all their columns."""
    return batch


def _number_pieces(numbers: Numbers, run: Run) -> list[Piece]:
    count = len(numbers.values)
    starts = range(0, count, MORSEL_ROWS if count < MANY_ROWS else 8 * MORSEL_ROWS)
    run.metrics.add(total=len(starts))

    def piece(start: int) -> Piece:
        stop = min(count, start + starts.step)
        return Piece(stop - start, lambda _columns: numbers.batch(start, stop))

    return [piece(start) for start in starts]


def _scan_pieces(
    scan: Scan, run: Run, packed: bool, tests: Sequence[tuple[int, Callable[[Facts], bool]]] = ()
) -> list[Piece]:
    part = scan.part(tests)
    run.metrics.add(total=len(part.morsels), bytes_read=part.bytes, row_groups_pruned=part.row_groups_pruned)
    columns_of = scan.read_packed if packed else scan.read

    def reader(morsel: Any) -> Callable[[Sequence[int]], Batch]:
        def read(columns: Sequence[int]) -> Batch:
            batch = columns_of(morsel, columns)
            full: list[Column | None] = [None] * len(scan.layouts)
            for index, column in zip(columns, batch.columns, strict=True):
                full[index] = column
            return replace(batch, columns=tuple(full))  # type: ignore[arg-type]

        return read

    return [Piece(morsel.length, reader(morsel)) for morsel in part.morsels]


EXECUTORS: dict[type, Callable[[Generated, Run, int | None], Table]] = {
    SourceNode: _source,
    SelectNode: _select,
    SortNode: _sort,
    LimitNode: _limit,
    UnionNode: _union,
    ModelNode: _written,
    RowsNode: _written,
    GroupsNode: _groups,
    UnmatchedNode: _unmatched,
}
