"""What is called, and how: the message that Spark sends to its workers, read by PySpark's own worker code."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from pyflare.vectorized import context
from pyflare.vectorized.groups import Group, of_groups, written

SCALAR_PANDAS: Final = 200  # PythonEvalType
GROUPED_PANDAS: Final = 201
AGGREGATE_PANDAS: Final = 202
SCALAR_PANDAS_ITERATOR: Final = 204
MAP_PANDAS: Final = 205
COGROUPED_PANDAS: Final = 206
MAP_ARROW: Final = 207
GROUPED_ARROW: Final = 209
COGROUPED_ARROW: Final = 210
GROUPED_ARROW_ITERATOR: Final = 215
GROUPED_PANDAS_ITERATOR: Final = 216
SCALAR_ARROW: Final = 250
SCALAR_ARROW_ITERATOR: Final = 251
AGGREGATE_ARROW: Final = 252

SCALAR: Final = (SCALAR_PANDAS, SCALAR_PANDAS_ITERATOR, SCALAR_ARROW, SCALAR_ARROW_ITERATOR)
MAPS: Final = (MAP_PANDAS, MAP_ARROW)
AGGREGATES: Final = (AGGREGATE_PANDAS, AGGREGATE_ARROW)
GROUPED_MAPS: Final = (GROUPED_PANDAS, GROUPED_PANDAS_ITERATOR, GROUPED_ARROW, GROUPED_ARROW_ITERATOR)
COGROUPED_MAPS: Final = (COGROUPED_PANDAS, COGROUPED_ARROW)
WRAPPED: Final = (GROUPED_ARROW, GROUPED_ARROW_ITERATOR)
"""Functions of groups that come as the fields of a struct."""


@dataclass(frozen=True)
class Call:
    """Functions applied one after the other, each known by its pickled form; the first one takes the arguments.

    An argument is the number of a column and, where it is given by name, that name. The arguments of a function that
    makes rows of groups are what Spark writes for it: how many numbers follow, how many of them are keys, the keys'
    columns, the other columns; and the same again for the second table of a cogroup.
    """

    name: str
    commands: tuple[bytes, ...]
    arguments: tuple[tuple[int, str | None], ...]


@dataclass(frozen=True)
class Functions:
    """What one operator calls with the same batches, of at most `batch_rows` rows.

    `kind` is Spark's PythonEvalType, `conf` what Spark tells its workers of the session. `paced` if the functions are
    to go to Spark when its workers would be faster.
    """

    kind: int
    calls: tuple[Call, ...]
    conf: tuple[tuple[str, str], ...]
    batch_rows: int
    paced: bool

    def __str__(self) -> str:
        return ", ".join(call.name for call in self.calls)

    @property
    def zone(self) -> str:
        """The session's time zone."""
        return dict(self.conf).get("spark.sql.session.timeZone", "UTC")

    @property
    def makes_rows(self) -> bool:
        """Whether they make rows of their own, not a result for each row or group."""
        return self.kind in (*MAPS, *GROUPED_MAPS, *COGROUPED_MAPS)

    @property
    def sees_batches(self) -> bool:
        """Whether functions of groups are shown the batches that a group comes in."""
        return self.kind in (*WRAPPED, COGROUPED_ARROW, GROUPED_PANDAS_ITERATOR)

    def names(self, labels: Sequence[str]) -> list[str]:
        """What Spark calls the columns that it hands over."""
        return list(labels) if self.makes_rows else [f"_{number}" for number in range(len(labels))]

    def results(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The functions' results, a column each, for batches whose columns are the arguments.

        The functions are unpickled for each call of this, as for each task in Spark. Raises whatever they raise.
        """
        function, serializer = self._read()
        if self.makes_rows:
            batches = map(_as_struct, batches)
        results = _record_batches(serializer, function(0, _in_memory(serializer).load_stream(batches)))
        return map(_of_struct, results) if self.kind == MAP_PANDAS else results

    def results_of_groups(self, groups: Iterable[Group]) -> Iterator[pa.RecordBatch]:
        """The same for groups: one row each, or the rows that the functions make of them."""
        function, serializer = self._read()
        if self.kind in WRAPPED:
            groups = ([list(map(_as_struct, table)) for table in group] for group in groups)
        results = function(0, of_groups(serializer, groups))
        if self.kind in (*WRAPPED, COGROUPED_ARROW):
            return map(_of_struct, written(serializer, results))
        if self.kind == GROUPED_PANDAS_ITERATOR:
            results = ([(frame, type_)] for frames, type_ in results for frame in frames)
        batches = _record_batches(serializer, results)
        return map(_of_struct, batches) if self.makes_rows else batches

    def _read(self) -> tuple[Callable[[int, Any], Iterable[Any]], Any]:
        """What a worker makes of the message: what calls the functions, and the serializer for both ways."""
        from pyspark.serializers import CPickleSerializer
        from pyspark.worker import read_udfs

        context.hide()
        function, _, serializer, _ = read_udfs(CPickleSerializer(), io.BytesIO(self._message()), self.kind)
        return function, serializer

    def _message(self) -> bytes:
        """What Spark's `PythonUDFRunner` and `ArrowPythonRunner` write."""
        from pyspark.serializers import write_int

        out = io.BytesIO()
        write_int(len(self.conf), out)
        for text in (text for entry in self.conf for text in entry):
            _write_bytes(text.encode(), out)
        out.write(b"\0")  # no profiler
        write_int(len(self.calls), out)
        for call in self.calls:
            write_int(len(call.arguments), out)
            for column, name in call.arguments:
                write_int(column, out)
                if not self.makes_rows:
                    out.write(b"\0" if name is None else b"\1")
                if name is not None:
                    _write_bytes(name.encode(), out)
            write_int(len(call.commands), out)
            for command in call.commands:
                _write_bytes(command, out)
        return out.getvalue()


def _write_bytes(data: bytes, out: io.BytesIO) -> None:
    from pyspark.serializers import write_int

    write_int(len(data), out)
    out.write(data)


def _in_memory(serializer: Any) -> Any:
    """The same serializer, whose `load_stream` takes record batches instead of a file that has them."""
    from pyspark.sql.pandas.serializers import ArrowStreamSerializer

    class InMemory(ArrowStreamSerializer):
        def load_stream(self, stream: Any) -> Iterator[pa.RecordBatch]:
            yield from stream

    kind = type(serializer)
    serializer.__class__ = type(kind.__name__, (kind, InMemory), {})
    return serializer


def _record_batches(serializer: Any, results: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    """What the serializer's `dump_stream` would write, one after the other."""
    from pyspark.sql.pandas.serializers import ArrowStreamArrowUDFSerializer, ArrowStreamPandasSerializer

    if isinstance(serializer, ArrowStreamPandasSerializer):
        return map(serializer._create_batch, results)
    if isinstance(serializer, ArrowStreamArrowUDFSerializer):
        return (_of_arrays(serializer, result) for result in results)
    return (batch for batch, _ in results)


def _of_arrays(serializer: Any, result: Any) -> pa.RecordBatch:
    is_single = len(result) == 2 and isinstance(result[1], pa.DataType)
    pairs = [result] if is_single else result
    arrays = [serializer._create_array(array, type_, serializer._arrow_cast) for array, type_ in pairs]
    return pa.RecordBatch.from_arrays(arrays, [f"_{number}" for number in range(len(arrays))])


def _as_struct(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.to_struct_array()], ["_0"])


def _of_struct(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_struct_array(batch.column(0))
