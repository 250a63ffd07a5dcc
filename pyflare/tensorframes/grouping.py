"""What a grouped frame groups by: PySpark does not say, but its two implementations can be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyflare.tensorframes.shapes import numbers

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, GroupedData
    from pyspark.sql.types import StructField


@dataclass(frozen=True)
class Groups:
    """A frame, and the columns (any expressions) that it is grouped by."""

    frame: DataFrame
    keys: tuple[Any, ...]
    key_fields: tuple[StructField, ...]

    def numbered(self, indices: Sequence[int]) -> tuple[DataFrame, tuple[str, ...]]:
        """The keys, and those columns of the frame behind them, under names that nothing else has."""
        from pyspark.sql import functions as F  # noqa: N812

        keys = [f"k{index}" for index in range(len(self.keys))]
        columns = [f"c{index}" for index in indices]
        all_ = self.frame.select(*self.keys, "*").toDF(*keys, *numbers(self.frame))
        same = [_same(F.col(name), field).alias(name) for name, field in zip(keys, self.key_fields, strict=True)]
        return all_.select(*same, *columns), (*keys, *columns)

    def reduced(self, numbered: DataFrame, function: Callable[..., Any], fields: Sequence[StructField]) -> DataFrame:
        """The frame that the function gives, with the keys' own names and those of the other fields."""
        from pyspark.sql.types import StructField, StructType

        keys = list(numbered.columns[: len(self.keys)])
        names = list(numbered.columns)
        types = [
            StructField(name, f.dataType, f.nullable, f.metadata)
            for name, f in zip(names, [*self.key_fields, *fields], strict=True)
        ]
        found = numbered.groupBy(*keys).applyInArrow(function, StructType(types))
        return found.toDF(*(field.name for field in (*self.key_fields, *fields)))


def ungrouped(grouped: GroupedData) -> Groups:
    """What was grouped, and by what. Raises TypeError unless it comes from `groupBy`."""
    frame = getattr(grouped, "_df", None)
    if frame is None:
        raise TypeError(f"aggregate takes what DataFrame.groupBy returns, not {type(grouped).__name__}")
    keys, is_plain = _classic(grouped) if hasattr(grouped, "_jgd") else _connect(grouped)
    if not is_plain:
        raise TypeError("aggregate takes what DataFrame.groupBy returns, without rollup, cube or pivot")
    fields = frame.select(*keys).schema.fields if keys else []
    return Groups(frame, tuple(keys), tuple(fields))


def _classic(grouped: Any) -> tuple[list[Any], bool]:
    """The JVM's object has the expressions."""
    from pyspark.sql.classic.column import Column

    expressions = grouped._jgd.groupingExprs()
    utilities = grouped._df.sparkSession._jvm.org.apache.spark.sql.classic.ExpressionUtils
    keys = [Column(utilities.column(expressions.apply(index))) for index in range(expressions.size())]
    return keys, grouped._jgd.toString().endswith("type: GroupBy]")


def _connect(grouped: Any) -> tuple[list[Any], bool]:
    return list(grouped._grouping_cols), grouped._group_type == "groupby"


def _same(column: Any, field: StructField) -> Any:
    """Zeros of both signs are one key, which is the positive one in Spark's own aggregations."""
    from pyspark.sql import functions as F  # noqa: N812

    if type(field.dataType).__name__ not in ("DoubleType", "FloatType"):
        return column
    return F.when(column == 0, F.lit(0.0).cast(field.dataType)).otherwise(column)
