"""The functions of TensorFrames: Spark DataFrames in, TensorFlow graphs over their columns, DataFrames or values out.

The graph is frozen and checked when a function is called. What a function returns as a DataFrame is lazy: the rows are
computed, and errors in them raised, when they are asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import pandas as pd

from pyflare.tensorflow.tensors import tensorflow
from pyflare.tensorframes import checks, loops, programs, shapes
from pyflare.tensorframes.blocks import Analyze, Batchwise, MapBlocks, MapRows, Reduce, ReduceGroup
from pyflare.tensorframes.checks import Feeding
from pyflare.tensorframes.columns import merged
from pyflare.tensorframes.errors import InvalidDimensionException, InvalidTypeException, TensorFramesError
from pyflare.tensorframes.grouping import ungrouped
from pyflare.tensorframes.mapping import FrameMapping, logger, map_pandas
from pyflare.tensorframes.reducing import Reducer
from pyflare.tensorframes.shapes import UNKNOWN, Column, Shape

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, GroupedData


def block(df: DataFrame, col_name: str, tf_name: str | None = None) -> Any:
    """A placeholder of the current graph for all values of a column in a block: shape `[None]` + shape of a cell.

    It is called `tf_name`, by default like the column. Raises InputNotFoundException for a column that there is not,
    InvalidTypeException for one that has no place in blocks.
    """
    column, dtype = _placed(df, col_name)
    return _placeholder(dtype, (UNKNOWN, *column.cell), tf_name or col_name)


def row(df: DataFrame, col_name: str, tf_name: str | None = None) -> Any:
    """A placeholder of the current graph for one row's value of a column; otherwise like `block`."""
    column, dtype = _placed(df, col_name)
    return _placeholder(dtype, column.cell, tf_name or col_name)


def map_blocks(
    fetches: Any,
    dframe: DataFrame | pd.DataFrame,
    feed_dict: Mapping[str, str] | None = None,
    trim: bool = False,
    initial_variables: bool = True,
) -> Any:
    """A frame with a new column for each fetch, computed block by block; a block is a partition.

    The new columns come first, sorted by name. Lazy, but checked at once.

    Args:
        fetches: a tensor of the current graph, several, or a function whose arguments are named like columns and that
            returns a tensor (the column is named after the function) or a dict of names and tensors.
        dframe: a Spark DataFrame; a pandas one is changed in place and returned.
        feed_dict: names of placeholders (or arguments) and of the columns that feed them; by default the same.
        trim: return the fetches only, which may then have another number of rows than the block.
        initial_variables: initialize the variables of the graph; otherwise the current session has their values.

    Raises:
        TensorFramesError: graph and frame do not fit together; the subclass says in what respect.
        TypeError, ValueError: the fetches are none.
    """
    if isinstance(dframe, pd.DataFrame):
        return map_pandas(fetches, dframe, feed_dict, initial_variables)
    mapping = FrameMapping.of(fetches, dframe, feed_dict, initial_variables, Feeding.BLOCK)
    if not trim:
        checks.check_new(mapping.names, mapping.columns)
    frame = mapping.trimmed() if trim else mapping.whole()
    function: Any = MapBlocks(mapping.program, mapping.feeds(frame), mapping.outputs(Feeding.BLOCK), trim)
    if loops.goes_by_rows(mapping.program):
        function = Batchwise(function)
    return frame.mapped(function, mapping.fields(Feeding.BLOCK), only_new=trim)


def map_rows(
    fetches: Any,
    dframe: DataFrame | pd.DataFrame,
    feed_dict: Mapping[str, str] | None = None,
    initial_variables: bool = True,
) -> Any:
    """A frame with a new column for each fetch, computed row by row: the first dimension of a cell may differ by row.

    Arguments and errors are those of `map_blocks`. Binary columns feed scalar placeholders of `tf.string`.
    """
    if isinstance(dframe, pd.DataFrame):
        return map_pandas(fetches, dframe, feed_dict, initial_variables)
    mapping = FrameMapping.of(fetches, dframe, feed_dict, initial_variables, Feeding.ROW)
    checks.check_new(mapping.names, mapping.columns)
    frame, outputs = mapping.whole(), mapping.outputs(Feeding.ROW)
    function: Any = MapRows(mapping.program, mapping.feeds(frame), outputs)
    if loops.can_map(mapping.program):
        function = Batchwise(MapBlocks(loops.mapped(mapping.program), function.feeds, outputs, trim=False))
    return frame.mapped(function, mapping.fields(Feeding.ROW), only_new=False)


def reduce_blocks(fetches: Any, dframe: DataFrame, initial_variables: bool = True) -> Any:
    """All rows of some columns reduced to one value each, block by block and then by pairs of partial results.

    For each fetch `z`, which must be the name of a column, the graph has one placeholder `z_input` with one dimension
    more. Runs at once. A single row is not reduced.

    Returns:
        The value of the fetch, or a list of the values in the order of the fetches: NumPy arrays, or Python numbers.

    Raises:
        TensorFramesError: graph and frame do not fit together, or the frame is empty.
    """
    return Reducer.of_blocks(fetches, dframe, initial_variables).values(dframe)


def reduce_rows(fetches: Any, dframe: DataFrame, initial_variables: bool = True) -> Any:
    """All rows reduced to one, two at a time and in no particular order.

    The fetches are named like the columns, all of them; for each fetch `z` the graph has two placeholders `z_1` and
    `z_2`, which are like `z`. Otherwise like `reduce_blocks`.
    """
    return Reducer.of_rows(fetches, dframe, initial_variables).values(dframe)


def aggregate(fetches: Any, grouped_data: GroupedData, initial_variables: bool = True) -> DataFrame:
    """The rows of each group reduced to one, as `reduce_blocks` does: a frame of the grouping columns and the fetches.

    The fetches come in the order of the frame's columns. Lazy, but checked at once. Raises what `reduce_blocks` does,
    and TypeError for what is not the result of `groupBy`.
    """
    groups = ungrouped(grouped_data)
    reducer = Reducer.of_blocks(fetches, groups.frame, initial_variables)
    taken = set(reducer.names) & {field.name for field in groups.key_fields}
    if taken:
        raise TensorFramesError(f"Some outputs are grouping columns: {', '.join(sorted(taken))}")
    indices = reducer.indices()
    keys = len(groups.key_fields)
    numbered, names = groups.numbered(indices)
    outputs = tuple(replace(output, name=name) for output, name in zip(reducer.outputs(), names[keys:], strict=True))
    function = ReduceGroup(Reduce(reducer.program, reducer.feeds(keys), outputs), names[:keys])
    return groups.reduced(numbered, function, reducer.fields())


def analyze(dframe: DataFrame) -> DataFrame:
    """The same frame, whose fields say which shape their values have. Runs a job that reads every value."""
    columns = shapes.columns_of(dframe)
    indices = [index for index, column in enumerate(columns) if column.shape is not None]
    if not indices:
        return dframe
    numbered = dframe.toDF(*shapes.numbers(dframe)).select(*(f"c{index}" for index in indices))
    function = Analyze(tuple(len(columns[index].cell) for index in indices))
    parts = [json.loads(part) for part in numbered.mapInArrow(function, "found string").toArrow()["found"].to_pylist()]
    found: list[Shape | None] = [None] * len(columns)
    if parts:
        rows = {part["rows"] for part in parts}
        lead = rows.pop() if len(rows) == 1 else UNKNOWN
        for index, sizes in zip(indices, zip(*(part["sizes"] for part in parts), strict=True), strict=True):
            found[index] = _shape(lead, reduce(merged, sizes))
    return shapes.with_metadata(dframe, found, keep_others=False)


def append_shape(dframe: DataFrame, col: Any, shape: Sequence[int | None]) -> DataFrame:
    """The same frame, whose field `col` (a name or a column) says that its values have that shape. Nothing is read.

    The shape includes the number of rows as first dimension; None or 0 is unknown. Raises InvalidDimensionException if
    the column has another number of dimensions.
    """
    name = col if isinstance(col, str) else dframe.select(col).columns[0]
    columns = shapes.columns_of(dframe)
    column = shapes.find(columns, name)
    given = tuple(size or UNKNOWN for size in shape)
    rank = shapes.rank_of(dframe.schema.fields[columns.index(column)])
    if rank is None:
        raise InvalidTypeException(f"The column '{name}' has a type that has no place in a tensor")
    if len(given) != rank + 1:
        raise InvalidDimensionException(f"The column '{name}' has {rank + 1} dimensions, not {len(given)}")
    found = [given if other is column else None for other in columns]
    return shapes.with_metadata(dframe, found, keep_others=True)


def print_schema(dframe: DataFrame) -> None:
    """Print the frame's schema and what its fields say about tensors."""
    print(shapes.schema_text(dframe))


class _Logging:
    """What is left of the original's JVM object."""

    def initialize_logging(self) -> None:
        """Log what this package does to standard error."""
        logging.basicConfig()
        logger.setLevel(logging.INFO)


def _java_api() -> _Logging:
    """For programs that switch on the original's logging."""
    return _Logging()


def _placed(df: DataFrame, name: str) -> tuple[Column, str]:
    column = shapes.find(shapes.columns_of(df), name)
    if column.scalar is None or column.scalar.is_binary:
        type_ = next(field.dataType for field in df.schema.fields if field.name == name)
        raise InvalidTypeException(f"Unknown type {type_}: the column {name} has no place in a placeholder")
    return column, column.scalar.tensor


def _placeholder(dtype: str, shape: Shape, name: str) -> Any:
    return tensorflow().compat.v1.placeholder(dtype, programs.sizes(shape), name)


def _shape(lead: int, sizes: Sequence[int | None] | None) -> Shape | None:
    """What an analysis found; None if a value is null."""
    return None if sizes is None else (lead, *(UNKNOWN if size is None else size for size in sizes))
