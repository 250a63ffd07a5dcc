"""`flare(df)`: a DataFrame whose rows come out of PyFlare as columns, and what PyFlare made of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pyflare.explanation import Explanation
from pyflare.lending import LENDER
from pyflare.shim import arrow_schema, is_connect, shim
from pyflare.streaming import Query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

_NUMBERS: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
_EXACT_DIGITS: Final = 15


def flare(query: DataFrame | str, spark: SparkSession | None = None) -> Flare:
    """An accelerated frame over a DataFrame or the text of a query.

    `spark` is the session for a text, by default the active one. Raises RuntimeError when there is none.
    """
    return Flare(_session(spark).sql(query) if isinstance(query, str) else query)


def explain(query: DataFrame | str, spark: SparkSession | None = None) -> Explanation:
    """What PyFlare takes over of a query and why the rest stays with Spark. Plans the query, does not run it."""
    return flare(query, spark).explain()


class Flare:
    """A DataFrame with the ways out of it that do not pass through rows. `df` is the DataFrame itself."""

    def __init__(self, df: DataFrame) -> None:
        self.df = df

    def __repr__(self) -> str:
        return f"Flare[{', '.join(f'{name}: {kind}' for name, kind in self.df.dtypes)}]"

    def show(self, n: int = 20, truncate: bool | int = True) -> None:
        """Print the first `n` rows."""
        self.df.show(n, truncate)

    def collect(self) -> list[Row]:
        """The rows as Spark's own `collect` gives them."""
        return list(self.df.collect())

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table: the memory that PyFlare wrote them to, not a copy of it."""
        table = None if is_connect(self.df) else _delivered(self.df)
        return self.df.toArrow() if table is None else table.cast(arrow_schema(self.df))

    def to_numpy(self, dtype: Any = np.float64) -> np.ndarray[tuple[int, int], Any]:
        """The rows as a matrix, one column of the frame in each of its columns; a null is NaN.

        A decimal of up to 15 digits becomes the nearest double, a longer one that or a neighbour of it.
        Raises TypeError for a column that is neither a number nor a boolean, and for nulls when `dtype` has no NaN.
        """
        table = self.to_arrow()
        matrix = np.empty((table.num_rows, table.num_columns), dtype)
        for index, name in enumerate(table.column_names):
            _fill(matrix[:, index], table.column(index), name)
        return matrix

    def explain(self) -> Explanation:
        """What PyFlare takes over and why the rest stays with Spark."""
        return Explanation.parse(_classic(self.df).explain(self.df._jdf))

    def kernels(self) -> str:
        """The Python source of the kernels that run this query, in the order in which they run."""
        kernels = json.loads(_classic(self.df).kernels(self.df._jdf))
        return "\n\n".join(f"# {kernel['title']}\n{kernel['source']}" for kernel in kernels)

    def dataset(self, batch_size: int, **options: Any) -> Any:
        """A `tf.data.Dataset` of the rows, which come while the query runs; it runs again for each epoch.

        The options are those of `pyflare.tensorflow.dataset`. With `shuffle=True` the query runs once, now, and its
        result is kept.
        """
        from pyflare.tensorflow import dataset

        whole = options.get("shuffle") is True
        return dataset(self.to_arrow() if whole else Query(self.df), batch_size, **options)


def _session(spark: SparkSession | None) -> SparkSession:
    from pyspark.sql import SparkSession

    found = spark or SparkSession.getActiveSession()
    if found is None:
        raise RuntimeError("there is no active Spark session: pass one, flare(query, spark)")
    return found


def _classic(df: DataFrame) -> Any:
    """The shim's object, which only a driver with a JVM of its own can ask."""
    if is_connect(df):
        raise NotImplementedError(
            "a Spark Connect client cannot see the server's decisions: use df.explain(), which shows PyFlare's nodes,"
            " or spark.pyflare.explain=all, which logs them on the server"
        )
    return shim(df)


def _delivered(df: DataFrame) -> pa.Table | None:
    """The backend's rows; None when Spark has to run the query."""
    loan = LENDER.lend()
    lent = None if loan is None else loan.path
    try:
        answer = json.loads(shim(df).toArrow(df._jdf, lent) or "null")
    except BaseException:  # cancelled, for one: the backend may be at it still
        if loan is not None:
            loan.drop()
        raise
    if loan is not None and answer is not None and answer.get("path") == lent:
        return pa.ipc.open_stream(loan.take()).read_all()
    if loan is not None:
        loan.give_back()
    return None if answer is None else read(answer)


def read(answer: dict[str, str]) -> pa.Table:
    """The Arrow stream that the backend left: inline, or in a file that loses its name at once."""
    if "inline" in answer:
        return pa.ipc.open_stream(base64.b64decode(answer["inline"])).read_all()
    path = Path(answer["path"])
    try:
        with pa.memory_map(str(path)) as source:
            return pa.ipc.open_stream(source).read_all()
    finally:
        path.unlink()


def _fill(target: np.ndarray[Any, Any], column: pa.ChunkedArray, name: str) -> None:
    """Write a column into a column of the matrix, piece by piece."""
    if not any(is_number(column.type) for is_number in _NUMBERS):
        raise TypeError(f"column {name} is {column.type}: a matrix has numbers and booleans only")
    if column.null_count and not np.issubdtype(target.dtype, np.floating):
        raise TypeError(f"column {name} has nulls, and {target.dtype} has no NaN")
    start = 0
    for piece in column.chunks:
        target[start : start + len(piece)] = _numbers(piece)
        start += len(piece)


def _numbers(piece: pa.Array) -> np.ndarray[Any, Any]:
    if pa.types.is_decimal128(piece.type) and piece.type.precision <= _EXACT_DIGITS:
        return _short_decimals(piece)
    if pa.types.is_decimal(piece.type) or (piece.null_count and pa.types.is_boolean(piece.type)):
        piece = piece.cast(pa.float64())
    values: np.ndarray[Any, Any] = piece.to_numpy(zero_copy_only=False)
    return values


def _short_decimals(piece: pa.Array) -> np.ndarray[Any, Any]:
    """Decimals whose unscaled value is the low one of their two words, and exact as a double."""
    words = np.frombuffer(piece.buffers()[1], np.int64)[::2][piece.offset : piece.offset + len(piece)]
    values: np.ndarray[Any, Any] = words / 10.0**piece.type.scale
    if piece.null_count:
        values[piece.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return values
