"""What a frame's schema says about tensors: the type and shape of each column, read from types and metadata.

A shape's first dimension, the lead, is the number of rows of a block; the others are those of a cell. -1 is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from pyflare.tensorframes.errors import HighDimException, InputNotFoundException

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructField

Shape: TypeAlias = tuple[int, ...]

UNKNOWN: Final = -1
SHAPE_KEY: Final = "org.spartf.shape"  # the original's spelling
TYPE_KEY: Final = "org.sparktf.type"

INFERRED_RANK: Final = 2
"""Dimensions of a cell that are inferred from the type of a column alone."""

MAX_RANK: Final = 3
"""Dimensions that a cell may have."""


@dataclass(frozen=True)
class Scalar:
    """A type of numbers: `sql` as Spark prints it, `tensor` as TensorFlow does, `spark` the name of Spark's class."""

    sql: str
    spark: str
    tensor: str
    dtype: np.dtype[Any]
    arrow: pa.DataType

    @property
    def is_binary(self) -> bool:
        return self.tensor == "string"

    def array_type(self, rank: int) -> pa.DataType:
        """The Arrow type of cells with that many dimensions, as Spark writes `containsNull = false`."""
        return pa.list_(pa.field("element", self.array_type(rank - 1), nullable=False)) if rank else self.arrow

    def sql_type(self, rank: int) -> DataType:
        """The SQL type of cells with that many dimensions."""
        from pyspark.sql import types

        found: DataType = getattr(types, self.spark)()
        for _ in range(rank):
            found = types.ArrayType(found, containsNull=False)
        return found


SCALARS: Final = (
    Scalar("double", "DoubleType", "float64", np.dtype(np.float64), pa.float64()),
    Scalar("float", "FloatType", "float32", np.dtype(np.float32), pa.float32()),
    Scalar("integer", "IntegerType", "int32", np.dtype(np.int32), pa.int32()),
    Scalar("long", "LongType", "int64", np.dtype(np.int64), pa.int64()),
    Scalar("binary", "BinaryType", "string", np.dtype(object), pa.binary()),
)
NUMBERS: Final = {scalar.tensor: scalar for scalar in SCALARS if not scalar.is_binary}
_BY_CLASS: Final = {scalar.spark: scalar for scalar in SCALARS}


@dataclass(frozen=True)
class Column:
    """A column as tensors see it. `scalar` and `shape` are None where its type has no place in a tensor."""

    name: str
    scalar: Scalar | None
    shape: Shape | None
    is_analyzed: bool

    @property
    def cell(self) -> Shape:
        """The shape of one row's value."""
        return () if self.shape is None else self.shape[1:]


def printed(shape: Shape) -> str:
    """A shape as messages and `print_schema` show it: `[?,2]`."""
    return f"[{','.join('?' if size == UNKNOWN else str(size) for size in shape)}]"


def is_known(shape: Shape) -> bool:
    """Whether no dimension is unknown."""
    return UNKNOWN not in shape


def fits(shape: Shape, requested: Shape | None) -> bool:
    """Whether a shape is at least as precise as the requested one (of which None is the least precise)."""
    if requested is None:
        return True
    return len(shape) == len(requested) and all(r in (UNKNOWN, s) for s, r in zip(shape, requested, strict=True))


def columns_of(frame: DataFrame) -> list[Column]:
    """The frame's columns, in order."""
    return [column_of(field) for field in frame.schema.fields]


def column_of(field: StructField) -> Column:
    """What a field's type says, made more precise by its metadata."""
    scalar, rank = _unnested(field.dataType)
    shape = (field.metadata or {}).get(SHAPE_KEY)
    if rank_of(field) is not None and shape is not None and len(shape) == rank + 1:
        return Column(field.name, scalar, tuple(shape), is_analyzed=True)
    if rank_of(field) is None or rank > INFERRED_RANK:
        return Column(field.name, None, None, is_analyzed=False)
    return Column(field.name, scalar, (UNKNOWN,) * (rank + 1), is_analyzed=False)


def _unnested(type_: DataType) -> tuple[Scalar | None, int]:
    rank = 0
    while type(type_).__name__ == "ArrayType":
        type_, rank = type_.elementType, rank + 1
    return _BY_CLASS.get(type(type_).__name__), rank


def rank_of(field: StructField) -> int | None:
    """The number of dimensions of a field's cells; None if they have no place in a tensor."""
    scalar, rank = _unnested(field.dataType)
    return None if scalar is None or (scalar.is_binary and rank) or rank > MAX_RANK else rank


def find(columns: Iterable[Column], name: str) -> Column:
    """The column of that name. Raises InputNotFoundException if there is none, or several."""
    columns = list(columns)
    found = [column for column in columns if column.name == name]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(column.name for column in columns)
    problem = f"Several columns are called {name}" if found else f"Could not find column with name {name}"
    raise InputNotFoundException(f"{problem}. Dataframe columns: {listed}")


def metadata(scalar: Scalar, shape: Shape) -> dict[str, Any]:
    """What is written on a field to keep a shape."""
    return {SHAPE_KEY: list(shape), TYPE_KEY: scalar.spark}


def output_field(name: str, scalar: Scalar, cell: Shape) -> StructField:
    """The field of a tensor that becomes a column. Raises HighDimException for cells that are too deep."""
    from pyspark.sql.types import StructField

    if len(cell) > MAX_RANK:
        raise HighDimException(
            f"The cells of '{name}' have the shape {printed(cell)}: {MAX_RANK} dimensions is the most"
        )
    return StructField(name, scalar.sql_type(len(cell)), False, metadata(scalar, (UNKNOWN, *cell)))


def with_metadata(frame: DataFrame, shapes: Sequence[Shape | None], keep_others: bool) -> DataFrame:
    """The frame with those shapes on its fields. Where there is none, the field stays as it is if `keep_others`, else
    it loses the shape that it may have had."""
    from pyspark.sql import functions as F  # noqa: N812

    numbered = frame.toDF(*numbers(frame))
    selected = []
    for number, field, shape in zip(numbered.columns, frame.schema.fields, shapes, strict=True):
        scalar, _ = _unnested(field.dataType)
        old = dict(field.metadata or {})
        if shape is not None and scalar is not None:
            selected.append(F.col(number).alias(field.name, metadata={**old, **metadata(scalar, shape)}))
        elif keep_others or SHAPE_KEY not in old:
            selected.append(F.col(number).alias(field.name))
        else:
            rest = {key: value for key, value in old.items() if key not in (SHAPE_KEY, TYPE_KEY)}
            selected.append(F.col(number).alias(field.name, metadata=rest))
    return numbered.select(*selected)


def numbers(frame: DataFrame) -> list[str]:
    """Names for the frame's columns that are safe wherever Spark looks a column up by its name."""
    return [f"c{index}" for index in range(len(frame.columns))]


def schema_text(frame: DataFrame) -> str:
    """The lines of `print_schema`."""
    fields = zip(frame.schema.fields, columns_of(frame), strict=True)
    return "\n".join(["root", *(_field_text(field, column) for field, column in fields)])


def _field_text(field: StructField, column: Column) -> str:
    is_decimal = type(field.dataType).__name__ == "DecimalType"
    type_ = field.dataType.simpleString() if is_decimal else field.dataType.typeName()
    known = column.scalar is not None and column.shape is not None
    info = f"{column.scalar.sql}{printed(column.shape)}" if known else "<no tensor info>"  # type: ignore[union-attr, arg-type]
    return f" |-- {field.name}: {type_} (nullable = {str(field.nullable).lower()}) {info}"
