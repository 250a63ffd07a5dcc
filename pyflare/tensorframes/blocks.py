"""What Spark's Python workers do: iterators of Arrow batches in, iterators of Arrow batches out.

Each class is a function for `mapInArrow` (or `applyInArrow`): small, picklable, the frozen graph inside. An instance
gets one partition per call. Where `keeps_nothing` is true, it may as well get all rows in one call (`plan.vectorized`).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from pyflare.tensorflow.tensors import Array
from pyflare.tensorframes.columns import Feed, as_column, as_ragged_column, measured, merged
from pyflare.tensorframes.errors import InvalidDimensionException
from pyflare.tensorframes.programs import Program
from pyflare.tensorframes.shapes import Scalar

Batches = Iterable[pa.RecordBatch]

_ELEMENTS: Final = 2**24
"""Numbers of one output column in a batch: Arrow's offsets and Spark's vectors have limits."""

_ROWS: Final = 65536


@dataclass(frozen=True)
class Output:
    """A column that comes out: which of the program's outputs it is, its name, type and the dimensions of its cells."""

    index: int
    name: str
    scalar: Scalar
    rank: int

    @property
    def field(self) -> pa.Field:
        return pa.field(self.name, self.scalar.array_type(self.rank), nullable=False)


@dataclass(frozen=True)
class MapBlocks:
    """A partition through the graph at once; with `trim`, only what the graph gives comes out."""

    program: Program
    feeds: tuple[Feed, ...]
    outputs: tuple[Output, ...]
    trim: bool

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        block = [batch for batch in batches if batch.num_rows]
        if not block:
            return
        found = self.program.run([feed.block(block) for feed in self.feeds])
        values = [found[output.index] for output in self.outputs]
        rows = self._rows(values, sum(batch.num_rows for batch in block))
        if self.trim:
            block = [pa.RecordBatch.from_arrays([pa.nulls(rows)], ["row"])]
        start = 0
        for piece in _pieces(block, values):
            columns = [
                as_column(value[start : start + piece.num_rows], output.scalar)
                for value, output in zip(values, self.outputs, strict=True)
            ]
            yield _batch(self.outputs, columns, None if self.trim else piece)
            start += piece.num_rows

    def _rows(self, values: Sequence[Array], expected: int) -> int:
        """The rows that come out. Raises InvalidDimensionException if the outputs (or outputs and block) disagree."""
        counts = {output.name: len(value) for output, value in zip(self.outputs, values, strict=True)}
        listed = ", ".join(f"{name}: {rows}" for name, rows in counts.items())
        if len(set(counts.values())) > 1:
            raise InvalidDimensionException(f"Multiple number of rows detected: {listed}")
        if not self.trim and set(counts.values()) != {expected}:
            raise InvalidDimensionException(
                f"The block has {expected} rows, the graph gave others ({listed}): use trim=True to return those only"
            )
        return next(iter(counts.values()))


@dataclass(frozen=True)
class MapRows:
    """Each row through the graph on its own, for cells whose shapes differ by row."""

    keeps_nothing: ClassVar[bool] = True
    program: Program
    feeds: tuple[Feed, ...]
    outputs: tuple[Output, ...]

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                columns = self._columns(batch)
                yield _batch(self.outputs, columns, batch)

    def _columns(self, batch: pa.RecordBatch) -> list[pa.Array]:
        rows = zip(*(feed.rows(batch) for feed in self.feeds), strict=True) if self.feeds else [()] * batch.num_rows
        found = [self.program.run(row) for row in rows]
        return [
            as_ragged_column([values[output.index] for values in found], output.scalar, output.rank)
            for output in self.outputs
        ]


@dataclass(frozen=True)
class Reduce:
    """A partition reduced to one row; an empty one gives none."""

    program: Program
    feeds: tuple[Feed, ...]
    outputs: tuple[Output, ...]

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        block = [batch for batch in batches if batch.num_rows]
        if block:
            yield _batch(self.outputs, self.columns(block))

    def columns(self, block: Sequence[pa.RecordBatch]) -> list[pa.Array]:
        """One cell per output."""
        arrays = [feed.block(block) for feed in self.feeds]
        found = reduced(self.program, arrays)
        return [as_ragged_column([found[output.index]], output.scalar, output.rank) for output in self.outputs]


@dataclass(frozen=True)
class Batchwise:
    """Each batch as a block of its own, for graphs that do not mind how rows are cut into blocks."""

    keeps_nothing: ClassVar[bool] = True
    blocks: MapBlocks | Reduce

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from self.blocks([batch])


def reduced(program: Program, arrays: Sequence[Array]) -> list[Array]:
    """A block as one cell per output; the inputs are in the order of the outputs. A single row is not reduced."""
    return [array[0] for array in arrays] if len(arrays[0]) == 1 else program.run(arrays)


@dataclass(frozen=True)
class ReduceGroup:
    """The rows of a group, whose first columns are the keys, reduced to one row."""

    reduce: Reduce
    keys: tuple[str, ...]

    # Spark counts the parameters.
    __signature__: ClassVar = inspect.Signature([inspect.Parameter("table", inspect.Parameter.POSITIONAL_OR_KEYWORD)])

    def __call__(self, table: pa.Table) -> pa.Table:
        keys = [table.column(index).slice(0, 1).combine_chunks() for index in range(len(self.keys))]
        columns = self.reduce.columns([batch for batch in table.to_batches() if batch.num_rows])
        fields = [output.field for output in self.reduce.outputs]
        schema = pa.schema([*(pa.field(name, key.type) for name, key in zip(self.keys, keys, strict=True)), *fields])
        return pa.Table.from_arrays([*keys, *columns], schema=schema)


@dataclass(frozen=True)
class Analyze:
    """The shapes of a partition's cells, as one row of JSON: the number of rows and a list (or null) per column."""

    ranks: tuple[int, ...]

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        block = [batch for batch in batches if batch.num_rows]
        if block:
            sizes = [self._sizes(block, index) for index in range(len(self.ranks))]
            found = json.dumps({"rows": sum(batch.num_rows for batch in block), "sizes": sizes})
            yield pa.RecordBatch.from_arrays([pa.array([found])], ["found"])

    def _sizes(self, block: Sequence[pa.RecordBatch], index: int) -> Any:
        return reduce(merged, (measured(batch.column(index), self.ranks[index]) for batch in block))


def _batch(
    outputs: Sequence[Output], columns: Sequence[pa.Array], rest: pa.RecordBatch | None = None
) -> pa.RecordBatch:
    fields, others = ([], []) if rest is None else (list(rest.schema), rest.columns)
    schema = pa.schema([*(output.field for output in outputs), *fields])
    return pa.RecordBatch.from_arrays([*columns, *others], schema=schema)


def _pieces(block: Sequence[pa.RecordBatch], values: Sequence[Array]) -> Iterator[pa.RecordBatch]:
    """The batches, cut where a column of outputs would become too long."""
    widest = max(int(np.prod(value.shape[1:])) for value in values)
    rows = max(min(_ROWS, _ELEMENTS // max(widest, 1)), 1)
    for batch in block:
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)
