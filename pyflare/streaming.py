"""A query's rows as record batches while it runs.

They come through a pipe of this process, which the backend opens and writes to (the driver's JVM, where Spark has to
run the query). Its buffer is all that lies between the two, so the reader sets the pace; when it closes the pipe, the
query ends. A pipe has no name: nothing is left behind, however one of the processes ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pyflare.errors import ExecutionError
from pyflare.shim import arrow_schema, is_connect, shim

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PIPE_BYTES: Final = 1 << 20
_PATIENCE: Final = 0.05


class Query:
    """The rows of a DataFrame as record batches: each iteration runs the query, and ends it when no more are wanted.

    Beside what the query itself needs, a few morsels are in memory. Jobs run with the properties (job group, scheduler
    pool, …) that this thread has now.
    """

    def __init__(self, df: DataFrame) -> None:
        self._df = df
        self.schema: pa.Schema = arrow_schema(df)
        self._properties = None
        if not is_connect(df):
            shim(df)
            self._properties = df.sparkSession._jsc.sc().getLocalProperties().clone()

    def select(self, names: Sequence[str]) -> Query:
        """The same rows in these columns only, which the query then does not compute in vain."""
        if list(names) == self.schema.names:
            return self
        return Query(self._df.select(*(f"`{name.replace('`', '``')}`" for name in names)))

    def plan(self) -> None:
        """Plan the query under the settings of now, and not when its rows are first read."""
        if not is_connect(self._df):
            self._df._jdf.queryExecution().executedPlan()

    def sample(self) -> pa.Table:
        """One row, or none where nobody has to look at a value to know its shape."""
        if any(pa.types.is_nested(type_) for type_ in self.schema.types):
            return self._df.limit(1).toArrow()
        return self.schema.empty_table()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return _connect_batches(self._df) if is_connect(self._df) else self._batches()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """As long as no row has come, Spark can still run what the backend refuses."""
        rows = 0
        for in_spark in (False, True):
            with closing(_Run(self._df, self._properties, in_spark)) as run:
                for batch in run.batches():
                    rows += batch.num_rows
                    yield batch
                refusal = run.refusal()
            if refusal is None:
                return
            if rows:
                self._raise(refusal)

    def _raise(self, refusal: dict[str, str]) -> None:
        """Spark's own error, if it has one for this query; if not, the rows so far cannot be taken back to go on."""
        if refusal["kind"] in ("data", "unsupported"):
            with closing(_Run(self._df, self._properties, True)) as run:
                for _ in run.batches():
                    pass
                run.refusal()
        raise ExecutionError(
            f"the query came to a stop after some of its rows: {refusal['message']}. It goes to Spark from now on, so"
            " read it again, or set spark.pyflare.enabled=false before"
        )


class _Run:
    """One run of a query."""

    def __init__(self, df: DataFrame, properties: Any, in_spark: bool) -> None:
        self._df = df
        self._id = uuid.uuid4().hex
        self._properties = properties
        self._in_spark = in_spark
        reading, self._writing = os.pipe()
        with suppress(OSError):  # the system may grant less
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._pipe = _Pipe(reading)
        self._outcome: Future[dict[str, str] | None] = Future()
        self._thread = threading.Thread(target=self._write, name="pyflare-stream", daemon=True)
        self._thread.start()

    def _write(self) -> None:
        path = f"/proc/{os.getpid()}/fd/{self._writing}"
        try:
            answer = shim(self._df).stream(self._df._jdf, self._id, path, self._in_spark, self._properties)
            self._outcome.set_result(json.loads(answer or "null"))
        except BaseException as error:
            self._outcome.set_exception(error)
        finally:
            os.close(self._writing)  # so that the reader sees the end of a stream that has been broken off

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows up to the end, or to where the query has failed."""
        try:
            yield from pa.ipc.open_stream(self._pipe)
        except (pa.ArrowException, OSError):
            if self.refusal() is None:
                raise

    def refusal(self) -> dict[str, str] | None:
        """What the backend said when it did not get to the end. Raises the error of the query."""
        return self._outcome.result()

    def close(self) -> None:
        """End the query if it still runs."""
        from py4j.protocol import Py4JError

        self._pipe.close()
        self._thread.join(_PATIENCE)
        while self._thread.is_alive():
            with suppress(Py4JError):  # without a JVM the thread ends by itself
                shim(self._df).cancelStream(self._df.sparkSession._jsparkSession, self._id)
            self._thread.join(_PATIENCE)


class _Pipe:
    """The reading end as the file that Arrow reads from, into memory of its own pool."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)

    @property
    def closed(self) -> bool:
        return self._file.closed

    def read(self, count: int) -> memoryview:
        """That many bytes, fewer at the end."""
        return memoryview(self.read_buffer(count))

    def read_buffer(self, count: int) -> pa.Buffer:
        """The same, as Arrow prefers it."""
        buffer = pa.allocate_buffer(count)
        rest = memoryview(buffer)
        while rest and (got := self._file.readinto(rest)):
            rest = rest[got:]
        return buffer.slice(0, count - len(rest))

    def close(self) -> None:
        """Whoever still writes gets an error."""
        self._file.close()


def _connect_batches(df: Any) -> Iterator[pa.RecordBatch]:
    """Spark Connect's own stream of results."""
    client = df.sparkSession.client
    for part in client.to_table_as_iterator(df._plan.to_proto(client), df._plan.observations):
        if isinstance(part, pa.Table):
            yield from part.to_batches()
