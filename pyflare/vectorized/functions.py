"""What is called, and how: the message that Spark sends to its workers, read by PySpark's own worker code."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from pyflare.vectorized import context

SCALAR_PANDAS: Final = 200  # PythonEvalType
SCALAR_PANDAS_ITERATOR: Final = 204
MAP_PANDAS: Final = 205
MAP_ARROW: Final = 207
SCALAR_ARROW: Final = 250
SCALAR_ARROW_ITERATOR: Final = 251

SCALAR: Final = (SCALAR_PANDAS, SCALAR_PANDAS_ITERATOR, SCALAR_ARROW, SCALAR_ARROW_ITERATOR)
MAPS: Final = (MAP_PANDAS, MAP_ARROW)


@dataclass(frozen=True)
class Call:
    """Functions applied one after the other, each known by its pickled form; the first one takes the arguments.

    An argument is the number of a column and, where it is given by name, that name.
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
    def keeps_rows(self) -> bool:
        """Whether there is a result for each row; `mapInPandas` and `mapInArrow` make rows of their own."""
        return self.kind in SCALAR

    def results(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The functions' results, a column each, for batches whose columns are the arguments.

        The functions are unpickled for each call of this, as for each task in Spark. Raises whatever they raise.
        """
        from pyspark.serializers import CPickleSerializer
        from pyspark.worker import read_udfs

        context.hide()
        function, _, serializer, _ = read_udfs(CPickleSerializer(), io.BytesIO(self._message()), self.kind)
        if not self.keeps_rows:
            batches = map(_as_struct, batches)
        results = _record_batches(serializer, function(0, _in_memory(serializer).load_stream(batches)))
        return results if self.keeps_rows or self.kind == MAP_ARROW else map(_of_struct, results)

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
                if self.keeps_rows:
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
