"""A frame on its way to Spark's Python workers and back: columns by number, and types that Arrow does not carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyflare.tensorframes.shapes import numbers

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructField


@dataclass(frozen=True)
class Carried:
    """Some of a frame's columns, called `c0`, `c1`, … by their place in it, so that any names may come along.

    `frame` has their values in types that Arrow carries, `fields` are the original ones.
    """

    frame: DataFrame
    indices: tuple[int, ...]
    fields: tuple[StructField, ...]

    def mapped(self, function: Callable[..., Any], new: Sequence[StructField], only_new: bool) -> DataFrame:
        """What the function makes of the frame: new columns, and those of the frame behind them unless `only_new`."""
        from pyspark.sql.types import StructType

        if only_new:
            return self.frame.mapInArrow(function, StructType(list(new)))
        sent = [replaced(field, other) for field, other in zip(self.fields, self.frame.schema.fields, strict=True)]
        found = self.frame.mapInArrow(function, StructType([*new, *sent]))
        return found if sent == list(self.fields) else self._restored(found, len(new))

    def _restored(self, found: DataFrame, start: int) -> DataFrame:
        from pyspark.sql import functions as F  # noqa: N812

        numbered = found.toDF(*numbers(found))
        columns = [F.col(name) for name in numbered.columns]
        for index, field in enumerate(self.fields, start):
            if encodings := _ENCODINGS.get(type(field.dataType).__name__):
                columns[index] = encodings[1](columns[index], field)
        fields = [*found.schema.fields[:start], *self.fields]
        named = [c.alias(field.name, metadata=field.metadata) for c, field in zip(columns, fields, strict=True)]
        return numbered.select(*named)


def carried(frame: DataFrame, indices: Iterable[int]) -> Carried:
    """Those columns of a frame. If there are none, a column stands for the rows."""
    from pyspark.sql import functions as F  # noqa: N812

    indices = tuple(indices)
    fields = tuple(frame.schema.fields[index] for index in indices)
    numbered = frame.toDF(*numbers(frame))
    selected = [
        _encoded(F.col(f"c{index}"), field).alias(f"c{index}") for index, field in zip(indices, fields, strict=True)
    ]
    return Carried(numbered.select(*(selected or [F.lit(True).alias("row")])), indices, fields)


def replaced(field: StructField, sent: StructField) -> StructField:
    """A field as it is sent."""
    from pyspark.sql.types import StructField

    return StructField(field.name, sent.dataType, sent.nullable, field.metadata)


def _encoded(column: Any, field: StructField) -> Any:
    encodings = _ENCODINGS.get(type(field.dataType).__name__)
    return column if encodings is None else encodings[0](column)


def _as_months(column: Any) -> Any:
    return column.cast("interval month").cast("int")


def _from_months(column: Any, field: StructField) -> Any:
    return column.cast("interval month").cast(field.dataType)


def _as_text(column: Any) -> Any:
    return column.cast("string")


def _from_text(column: Any, field: StructField) -> Any:
    """The interval. Spark does not know that our texts are good ones, so it is told where no null can come out."""
    from pyspark.sql import functions as F  # noqa: N812

    interval = column.cast(field.dataType)
    return interval if field.nullable else F.coalesce(interval, F.expr("make_interval()"))


# Intervals are the types that Spark's Python workers do not take: as months, and as the text that means the same.
_ENCODINGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, StructField], Any]]] = {
    "YearMonthIntervalType": (_as_months, _from_months),
    "CalendarIntervalType": (_as_text, _from_text),
}
