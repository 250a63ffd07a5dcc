"""Graphs that add columns to a frame: bound to its columns, and as the function that Spark's workers call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pyflare.tensorflow.tensors import Array
from pyflare.tensorframes import checks, shapes
from pyflare.tensorframes.blocks import Output
from pyflare.tensorframes.checks import Feeding
from pyflare.tensorframes.columns import Feed
from pyflare.tensorframes.errors import InputNotFoundException, InvalidDimensionException, InvalidTypeException
from pyflare.tensorframes.fetches import Spec, bound, read
from pyflare.tensorframes.programs import Port, Program
from pyflare.tensorframes.shapes import UNKNOWN, Column
from pyflare.tensorframes.transport import Carried, carried

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructField

logger = logging.getLogger("pyflare.tensorframes")


class FrameMapping:
    """A graph bound to the columns of a frame."""

    def __init__(self, frame: DataFrame, columns: list[Column], fed: list[Column], program: Program) -> None:
        self.columns = columns
        self.program = program
        self.names = sorted(port.name for port in program.outputs)
        self._frame = frame
        self._fed = fed

    @staticmethod
    def of(
        fetches: Any, frame: DataFrame, feed_dict: Mapping[str, str] | None, initial_variables: bool, feeding: Feeding
    ) -> FrameMapping:
        computation = read(fetches, initial_variables)
        columns = shapes.columns_of(frame)
        names = bound(computation.inputs, feed_dict)
        fed = {p.name: checks.fed_column(p, names[p.name], columns, feeding) for p in computation.inputs}
        program = computation.program({name: spec_of(column, feeding) for name, column in fed.items()})
        logger.info("inputs: %s, fetches: %s", names, [port.name for port in program.outputs])
        return FrameMapping(frame, columns, [fed[port.name] for port in program.inputs], program)

    def whole(self) -> Carried:
        return carried(self._frame, range(len(self.columns)))

    def trimmed(self) -> Carried:
        """The columns that are fed."""
        return carried(self._frame, sorted({self.columns.index(column) for column in self._fed}))

    def feeds(self, frame: Carried) -> tuple[Feed, ...]:
        """Where the inputs are in the frame that is sent, in the order of the program's inputs."""
        index = {self.columns[original].name: sent for sent, original in enumerate(frame.indices)}
        pairs = zip(self.program.inputs, self._fed, strict=True)
        return tuple(feed_of(index[column.name], column, port) for port, column in pairs)

    def outputs(self, feeding: Feeding) -> tuple[Output, ...]:
        return tuple(output_of(self.program, port, feeding is Feeding.BLOCK) for port in self._sorted())

    def fields(self, feeding: Feeding) -> list[StructField]:
        is_block = feeding is Feeding.BLOCK
        return [shapes.output_field(port.name, *checks.output_cell(port, is_block)) for port in self._sorted()]

    def _sorted(self) -> list[Port]:
        return sorted(self.program.outputs, key=lambda port: port.name)


def spec_of(column: Column, feeding: Feeding) -> Spec:
    scalar, _ = checks.tensor_info(column)
    return Spec(scalar, (UNKNOWN, *column.cell) if feeding is Feeding.BLOCK else column.cell)


def feed_of(index: int, column: Column, port: Port) -> Feed:
    scalar, _ = checks.tensor_info(column)
    shape = port.shape or ()
    has_lead = len(shape) > len(column.cell)
    return Feed(index, column.name, scalar, shape[has_lead:], shape[0] if has_lead else UNKNOWN)


def output_of(program: Program, port: Port, is_block: bool) -> Output:
    scalar, cell = checks.output_cell(port, is_block)
    return Output(program.outputs.index(port), port.name, scalar, len(cell))


def map_pandas(
    fetches: Any, frame: pd.DataFrame, feed_dict: Mapping[str, str] | None, initial_variables: bool
) -> pd.DataFrame:
    """The original's way to debug a graph: whole columns are fed, and the frame itself gets the new ones."""
    computation = read(fetches, initial_variables)
    names = bound(computation.inputs, feed_dict)
    arrays, specs = {}, {}
    for port in computation.inputs:
        if names[port.name] not in frame.columns:
            raise InputNotFoundException(
                f"Graph input {port.name} found, but no column to match it. Dataframe columns: "
                f"{', '.join(map(str, frame.columns))}"
            )
        array = _whole(frame[names[port.name]], port)
        arrays[port.name] = array
        specs[port.name] = Spec(shapes.NUMBERS[array.dtype.name], (UNKNOWN, *array.shape[1:]))
    program = computation.program(specs)
    found = program.run([arrays[port.name] for port in program.inputs])
    for port, values in zip(program.outputs, found, strict=True):
        frame[port.name] = list(values) if np.ndim(values) > 1 else values
    return frame


def _whole(values: pd.Series[Any], port: Port) -> Array:
    """A column as the placeholder wants it: pandas' types are not those of tensors, so numbers are converted."""
    if port.dtype and port.dtype not in shapes.NUMBERS:
        raise InvalidTypeException(f"The placeholder '{port.name}' is of type {port.dtype}, not of numbers")
    array = np.array(values.tolist(), port.dtype or None)
    if array.dtype.name not in shapes.NUMBERS:
        raise InvalidTypeException(f"The column '{values.name}' is of type {array.dtype}, not of numbers")
    if not shapes.fits(array.shape, port.shape):
        raise InvalidDimensionException(
            f"The data column '{values.name}' has shape {shapes.printed(array.shape)} (not compatible) with shape "
            f"{shapes.printed(port.shape or ())} requested by the TF graph"
        )
    return array
