"""Whether a graph and a frame fit together: one function per rule, in the order in which users meet them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import Enum

from pyflare.tensorframes.errors import (
    InputNotFoundException,
    InvalidDimensionException,
    InvalidTypeException,
    TensorFramesError,
)
from pyflare.tensorframes.programs import Port
from pyflare.tensorframes.shapes import NUMBERS, Column, Scalar, Shape, fits, is_known, printed


class Feeding(Enum):
    """What a placeholder gets at once."""

    BLOCK = "all rows of a block, in a new first dimension"
    ROW = "a row, whose first dimension may differ from other rows'"
    PAIR = "one of the two rows that become one"

    def data(self, column: Column) -> Shape:
        """The shape of what a column feeds."""
        return column.cell if self is not Feeding.BLOCK else tensor_info(column)[1]

    def fixed(self, column: Column) -> Shape:
        """The dimensions that must be the same for all rows."""
        return column.cell[1:] if self is Feeding.ROW else column.cell


def fed_column(port: Port, name: str, columns: Sequence[Column], feeding: Feeding) -> Column:
    """The column of that name, if it can feed the placeholder."""
    found = [column for column in columns if column.name == name]
    if not found:
        raise InputNotFoundException(
            f"Graph input {port.name} found, but no column to match it. Dataframe columns: {listed(columns)}"
        )
    if len(found) > 1:
        raise InputNotFoundException(f"Graph input {port.name} found, but several columns called {name}")
    check_feed(port, found[0], feeding)
    return found[0]


def check_feed(port: Port, column: Column, feeding: Feeding) -> None:
    """Raise unless the column's type and shape are what the placeholder asks for."""
    scalar, _ = tensor_info(column)
    if port.dtype and port.dtype != scalar.tensor:
        raise InvalidTypeException(
            f"The type of node '{port.name}' ({port.dtype}) is not compatible with the data type of the column "
            f"({scalar.sql})"
        )
    if scalar.is_binary and feeding is not Feeding.ROW:
        raise InvalidTypeException(f"Data column {column.name} is binary, which map_rows takes only")
    data = feeding.data(column)
    hint = "" if column.is_analyzed or is_known(column.cell) else ": run tfs.analyze"
    if not fits(data, port.shape):
        raise InvalidDimensionException(
            f"The data column '{column.name}' has shape {printed(data)} (not compatible) with shape "
            f"{printed(port.shape or ())} requested by the TF graph{hint}"
        )
    if not column.is_analyzed and not is_known(feeding.fixed(column)):
        raise _not_analyzed(column, hint)


def tensor_info(column: Column) -> tuple[Scalar, Shape]:
    """The column's type and shape. Raises InvalidTypeException if it has none."""
    if column.scalar is None or column.shape is None:
        raise _not_analyzed(column, ": its type has no tensors")
    return column.scalar, column.shape


def _not_analyzed(column: Column, reason: str) -> TensorFramesError:
    kind = InvalidTypeException if column.scalar is None else InvalidDimensionException
    return kind(f"Data column {column.name} has not been analyzed yet, cannot run TF on this dataframe{reason}")


def check_new(names: Iterable[str], columns: Sequence[Column]) -> None:
    """Raise if an output would be a second column of its name."""
    existing = {column.name for column in columns}
    for name in names:
        if name in existing:
            raise TensorFramesError(
                f"TF graph has an output node called '{name}', but this column already exists. Input columns: "
                f"{listed(columns)}"
            )


def output_cell(port: Port, is_block: bool) -> tuple[Scalar, Shape]:
    """The type and the shape of the cells that an output gives."""
    if port.dtype not in NUMBERS:
        raise InvalidTypeException(
            f"TF graph has an output node called '{port.name}' of type {port.dtype}, which is not one of: "
            f"{', '.join(NUMBERS)}"
        )
    if port.shape is None:
        raise InvalidDimensionException(f"The shape of the output '{port.name}' is not known: use set_shape")
    if is_block and not port.shape:
        raise InvalidDimensionException(
            f"The output '{port.name}' is a scalar, but a block's output has a row for each of its"
        )
    return NUMBERS[port.dtype], port.shape[1:] if is_block else port.shape


def check_row_reducer(outputs: Sequence[str], columns: Sequence[Column]) -> None:
    """Raise unless the outputs are exactly the columns."""
    names = [column.name for column in columns]
    context = f". Dataframe columns: {_sorted(names)}; Outputs: {_sorted(outputs)}"
    if extra := set(outputs) - set(names):
        raise TensorFramesError(f"Some extra outputs were found in the reducer: {_sorted(extra)}{context}")
    if missing := set(names) - set(outputs):
        raise TensorFramesError(f"Some outputs are missing in the reducer: {_sorted(missing)}{context}")
    if len(set(names)) < len(names):
        raise InputNotFoundException(f"Several columns have the same name{context}")


def check_block_reducer(outputs: Sequence[str], columns: Sequence[Column]) -> None:
    """Raise unless each output is a column."""
    names = [column.name for column in columns]
    if missing := set(outputs) - set(names):
        raise TensorFramesError(
            f"Based on the TF graph, some inputs are missing: {_sorted(missing)}. Dataframe columns: {_sorted(names)}; "
            f"Outputs: {_sorted(outputs)}"
        )
    if several := {name for name in outputs if names.count(name) > 1}:
        raise InputNotFoundException(f"Several columns are called {_sorted(several)}")


def check_reducer_inputs(inputs: Collection[str], expected: Collection[str], columns: Sequence[Column]) -> None:
    """Raise unless the placeholders are exactly the expected ones."""
    context = f". Dataframe columns: {_sorted(column.name for column in columns)}"
    if extra := set(inputs) - set(expected):
        raise TensorFramesError(f"Extra graph inputs have been found: {_sorted(extra)}{context}")
    if missing := set(expected) - set(inputs):
        raise TensorFramesError(f"Some inputs are missing in the graph: {_sorted(missing)}{context}")


def check_closed(port: Port, column: Column) -> None:
    """Raise unless a reducer's output (a cell) can be reduced again: it must be like the cells of its column."""
    scalar, _ = tensor_info(column)
    if port.dtype != scalar.tensor:
        raise InvalidTypeException(f"Output '{port.name}' has type {port.dtype} but the column type is {scalar.sql}")
    if port.shape is None or not fits(port.shape, column.cell):
        shape = "an unknown number of dimensions" if port.shape is None else f"shape {printed(port.shape)}"
        raise InvalidDimensionException(
            f"Output '{port.name}' has {shape}, not compatible with the shape of field elements {printed(column.cell)}"
        )


def listed(columns: Iterable[Column]) -> str:
    return ", ".join(column.name for column in columns)


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
