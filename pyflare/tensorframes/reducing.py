"""Graphs that reduce rows: bound to a frame's columns, as the function that Spark's workers call, and the rest of the
reduction, which the driver does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pyflare.tensorflow.tensors import Array
from pyflare.tensorframes import checks, loops, shapes
from pyflare.tensorframes.blocks import Batchwise, Output, Reduce
from pyflare.tensorframes.checks import Feeding
from pyflare.tensorframes.columns import Feed
from pyflare.tensorframes.errors import InvalidDimensionException, TensorFramesError
from pyflare.tensorframes.fetches import Computation, read
from pyflare.tensorframes.mapping import feed_of, output_of, spec_of
from pyflare.tensorframes.programs import Program
from pyflare.tensorframes.shapes import UNKNOWN, Column
from pyflare.tensorframes.transport import carried

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructField


class Reducer:
    """A graph of blocks that reduces some columns of a frame.

    `takes_batches` if the rows of a partition need not be one block, in order: it goes by pairs, or its graph shows it.
    """

    def __init__(self, columns: list[Column], program: Program, takes_batches: bool = False) -> None:
        by_name = {port.name: port for port in program.inputs}
        self.columns = columns
        self.names = [port.name for port in program.outputs]
        self.program = replace(program, inputs=tuple(by_name[f"{name}_input"] for name in self.names))
        self.takes_batches = takes_batches or loops.reduces_any_blocks(self.program)

    @staticmethod
    def of_blocks(fetches: Any, frame: DataFrame, initial_variables: bool) -> Reducer:
        """From a graph with a placeholder `z_input` for each fetch `z`."""
        columns = _columns(frame)
        return Reducer(columns, _checked(read(fetches, initial_variables), columns, Feeding.BLOCK))

    @staticmethod
    def of_rows(fetches: Any, frame: DataFrame, initial_variables: bool) -> Reducer:
        """From a graph with two placeholders, `z_1` and `z_2`, for each fetch `z`."""
        columns = _columns(frame)
        program = _checked(read(fetches, initial_variables), columns, Feeding.PAIR)
        return Reducer(columns, loops.folded(program), takes_batches=True)

    def indices(self) -> list[int]:
        """Where the reduced columns are in the frame, in its order."""
        return [index for index, column in enumerate(self.columns) if column.name in self.names]

    def feeds(self, offset: int = 0) -> tuple[Feed, ...]:
        """In the order of the fetches; they lie behind `offset` others, in the order of the frame."""
        order = [self.columns[index].name for index in self.indices()]
        found = {name: shapes.find(self.columns, name) for name in self.names}
        pairs = zip(self.names, self.program.inputs, strict=True)
        return tuple(feed_of(offset + order.index(name), found[name], port) for name, port in pairs)

    def outputs(self) -> tuple[Output, ...]:
        """In the order of the frame."""
        ports = [self.program.outputs[self.names.index(self.columns[index].name)] for index in self.indices()]
        return tuple(output_of(self.program, port, is_block=False) for port in ports)

    def fields(self) -> list[StructField]:
        found = []
        for output, index in zip(self.outputs(), self.indices(), strict=True):
            shape = self.program.outputs[output.index].shape
            found.append(shapes.output_field(self.columns[index].name, output.scalar, shape or ()))
        return found

    def values(self, frame: DataFrame) -> Any:
        """The reduced values, or the only one. Raises TensorFramesError if there are no rows."""
        parts = self._cells(self.partial(frame).toArrow())
        if not parts:
            raise TensorFramesError("empty collection: there are no rows to reduce")
        values = [value if value.ndim else value.item() for value in reduce(self._pair, parts)]
        return values[0] if len(values) == 1 else values

    def partial(self, frame: DataFrame) -> DataFrame:
        """One row for each part of the frame that has rows, in the frame's order of columns."""
        from pyspark.sql.types import StructType

        return carried(frame, self.indices()).frame.mapInArrow(self._function(), StructType(self.fields()))

    def _function(self) -> Reduce | Batchwise:
        blocks = Reduce(self.program, self.feeds(), self.outputs())
        return Batchwise(blocks) if self.takes_batches else blocks

    def _cells(self, table: pa.Table) -> list[list[Array]]:
        """One cell per fetch, in their order, of each row."""
        rows = [batch.slice(index, 1) for batch in table.to_batches() for index in range(batch.num_rows)]
        return [[feed.block([row])[0, ...] for feed in self.feeds()] for row in rows]

    def _pair(self, left: list[Array], right: list[Array]) -> list[Array]:
        if [cell.shape for cell in left] != [cell.shape for cell in right]:
            raise InvalidDimensionException("Partial results of the reducer differ in shape")
        found = self.program.run([np.stack(pair) for pair in zip(left, right, strict=True)])
        return [np.asarray(cell) for cell in found]


def _columns(frame: DataFrame) -> list[Column]:
    """The columns as a reducer sees them: partial results come in blocks of any size."""
    columns = shapes.columns_of(frame)
    return [c if c.shape is None else replace(c, shape=(UNKNOWN, *c.cell)) for c in columns]


def _checked(computation: Computation, columns: Sequence[Column], feeding: Feeding) -> Program:
    """The program of a reducer, if it fits the columns."""
    by_input = {name: column for column in columns for name in _inputs([column.name], feeding)}
    given = {port.name for port in computation.inputs}
    if computation.outputs is not None:
        _check_names(computation.outputs, given, columns, feeding)
    checks.check_reducer_inputs(given, given & set(by_input), columns)
    for port in computation.inputs:
        checks.check_feed(port, by_input[port.name], feeding)
    program = computation.program({port.name: spec_of(by_input[port.name], feeding) for port in computation.inputs})
    _check_names([port.name for port in program.outputs], given, columns, feeding)
    for port in program.outputs:
        checks.check_closed(port, shapes.find(columns, port.name))
    return program


def _check_names(outputs: Sequence[str], inputs: AbstractSet[str], columns: Sequence[Column], feeding: Feeding) -> None:
    if feeding is Feeding.PAIR:
        checks.check_row_reducer(outputs, columns)
    else:
        checks.check_block_reducer(outputs, columns)
    checks.check_reducer_inputs(inputs, _inputs(outputs, feeding), columns)


def _inputs(names: Iterable[str], feeding: Feeding) -> set[str]:
    """What the placeholders of a reducer are called."""
    suffixes = ("_1", "_2") if feeding is Feeding.PAIR else ("_input",)
    return {name + suffix for name in names for suffix in suffixes}
