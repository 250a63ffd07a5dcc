"""Python functions of whole columns in queries, with PyFlare and without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark import TaskContext
from pyspark.ml.functions import predict_batch_udf
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.functions import ArrowUDFType, PandasUDFType, arrow_udf, pandas_udf
from pyspark.sql.types import DoubleType

import pyflare
from pyflare.errors import LeftToSpark
from pyflare.vectorized.functions import SCALAR_PANDAS, Call, Functions
from pyflare.vectorized.pace import Pace
from tests.applications import eventually, in_thread
from tests.differential import ANY, Answer, Raised, assert_same, configured

COLUMNS: Final = {
    "k": "string",
    "b": "boolean",
    "i8": "byte",
    "i16": "short",
    "i32": "int",
    "i64": "long",
    "f32": "float",
    "f64": "double",
    "d9": "decimal(9,2)",
    "d18": "decimal(18,4)",
    "d38": "decimal(38,10)",
    "dt": "date",
    "ts": "timestamp",
    "tn": "timestamp_ntz",
    "bin": "binary",
}


def same(column: Any) -> Any:
    return column


def series(function: Callable[..., Any], returns: str) -> Any:
    """A pandas function without type hints."""
    return pandas_udf(function, returns, PandasUDFType.SCALAR)


def arrays(function: Callable[..., Any], returns: str) -> Any:
    """An Arrow function without type hints."""
    return arrow_udf(function, returns, ArrowUDFType.SCALAR)


@pytest.mark.parametrize("data", ["moderate", "extreme"])
@pytest.mark.parametrize("kind", [series, arrays])
def test_every_type(spark: SparkSession, typed: Any, kind: Callable[..., Any], data: str) -> None:
    """Values of each type come back as PySpark's conversions leave them."""

    def query(spark: SparkSession) -> DataFrame:
        called = [kind(same, returns)(column).alias(column) for column, returns in COLUMNS.items()]
        return spark.table(f"{data}_many").select("id", *called)

    left_to_spark = data == "extreme" and kind is series  # pandas cannot hold all of Spark's timestamps
    assert_same(spark, query, accelerated=not left_to_spark, raises=ANY if left_to_spark else "")


def test_conversions(spark: SparkSession, typed: Any) -> None:
    """Integers with nulls are floats to pandas, results of other types are converted or refused as in Spark."""
    spark.udf.register("seen", series(lambda x: pd.Series([f"{x.name} {x.dtype}"] * len(x)), "string"))
    spark.udf.register("halved", series(lambda x: x / 2, "double"))
    spark.udf.register("widened", series(lambda x: x.fillna(0).astype("int8"), "decimal(20,3)"))
    spark.udf.register("listed", series(lambda x: x.map(lambda v: [v, 1.5]), "array<double>"))
    assert_same(spark, "SELECT id, seen(i32), seen(ts), seen(d9), seen(NULL), halved(i64) FROM moderate_one")
    assert_same(spark, "SELECT id, listed(f64) FROM moderate_one WHERE f64 IS NOT NULL")
    assert_same(spark, "SELECT widened(i8) FROM moderate_one", accelerated=False, raises=ANY)


def test_kernels_on_both_sides(spark: SparkSession, typed: Any) -> None:
    """Filters, expressions, joins and groups below functions and above, functions of functions, of nulls, by name."""
    spark.udf.register("total", series(lambda a, b: a * 2 + b, "double"))
    spark.udf.register("positive", series(lambda x: x > 0, "boolean"))
    spark.udf.register("shout", arrays(lambda x: pc.utf8_upper(x), "string"))
    where = "WHERE positive(f64) AND i16 IS NOT NULL"
    assert_same(spark, f"SELECT g, sum(total(i16, f64 + 1)) FROM moderate_many {where} GROUP BY g", floats="close")
    assert_same(spark, "SELECT total(total(i16, 1), total(b => f64, a => i16)), shout(shout(k)) FROM moderate_many")
    assert_same(
        spark,
        "SELECT a.id, shout(b.s), total(b.f64, NULL) FROM moderate_many a LEFT JOIN moderate_one b "
        "ON a.id = b.id AND positive(b.f64) ORDER BY a.id LIMIT 50",
    )
    assert_same(spark, "SELECT shout(s) AS t, count(*) FROM moderate_many GROUP BY shout(s)")
    assert_same(spark, "SELECT shout(s), total(i16, f64) FROM moderate_empty")


def shifted(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    """Sets something up, and gives its results a batch late."""
    offset, waiting = 3, None
    for batch in batches:
        if waiting is not None:
            yield waiting
        waiting = batch + offset
    if waiting is not None:
        yield waiting


def added(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
    for left, right in batches:
        yield left + right


def doubled(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
    for batch in batches:
        for part in (batch[:5], batch[5:]):  # results need not come as the arguments do
            yield pc.multiply(part, 2)


def test_iterators(spark: SparkSession, typed: Any) -> None:
    spark.udf.register("shifted", pandas_udf(shifted, "long"))
    spark.udf.register("added", pandas_udf(added, "double"))
    spark.udf.register("doubled", arrow_udf(doubled, "long"))
    with configured(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": "7"}):
        assert_same(spark, "SELECT id, shifted(id), added(f64, i16), doubled(id) FROM moderate_many WHERE id % 3 > 0")


def test_batches_have_at_most_so_many_rows(spark: SparkSession, typed: Any) -> None:
    spark.udf.register("rows", series(lambda x: pd.Series([len(x)] * len(x)), "int"))
    with configured(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": "13"}):
        frame = spark.sql("SELECT max(rows(id)) FROM moderate_many")
        assert pyflare.explain(frame).fully_accelerated
        assert frame.collect() == [(13,)]


def parts(x: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"text": x.astype(str).where(x % 3 == 0), "whole": x.where(x % 2 == 0)})


def halves(x: pa.Array) -> pa.Array:
    odd = pc.equal(pc.bit_wise_and(x, 1), 1)
    return pa.StructArray.from_arrays([x, odd], names=["whole", "odd"], mask=odd)


def test_structs(spark: SparkSession, typed: Any) -> None:
    """Structs that are null, structs of nulls, and structs that an outer join leaves out."""
    spark.udf.register("parts", pandas_udf(parts, "struct<whole: long, text: string>"))
    spark.udf.register("halves", arrow_udf(halves, "struct<whole: long, odd: boolean>"))
    assert_same(spark, "SELECT id, parts(id), halves(id) AS h FROM moderate_many")
    assert_same(spark, "SELECT count(parts(id).text), sum(halves(id).whole) FROM moderate_many")
    joined = (
        "SELECT a.id, b.p FROM moderate_one a LEFT JOIN (SELECT id, parts(id) AS p FROM moderate_one WHERE g = 1) b"
    )
    assert_same(spark, f"{joined} ON a.id = b.id")


def test_predict_batch(spark: SparkSession, tmp_path: Any) -> None:
    """`predict_batch_udf` with columns and with an array column."""

    def loaded() -> Callable[..., Any]:
        return lambda matrix: np.asarray(matrix).sum(axis=1)

    rows = pa.table({"a": [float(n) for n in range(500)], "v": [[n * 1.0, 2.0, 3.0] for n in range(500)]})
    pa.parquet.write_table(rows, tmp_path / "rows.parquet")
    spark.read.parquet(str(tmp_path)).createOrReplaceTempView("rows")
    spark.udf.register("of_columns", predict_batch_udf(loaded, return_type=DoubleType(), batch_size=100))
    shapes = [[3]]
    of_array = predict_batch_udf(loaded, return_type=DoubleType(), batch_size=64, input_tensor_shapes=shapes)
    spark.udf.register("of_array", of_array)
    assert_same(spark, "SELECT a, of_columns(a, a + 1), of_array(v) FROM rows")


# mapInPandas and mapInArrow -------------------------------------------------------------------------------------------


STATELESS: Final = {"spark.pyflare.python.vectorized": "true"}


def fives(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        yield batch.assign(twice=batch.id * 2)[batch.id % 5 == 0][["twice", "k"]]


def turned(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.select(["k", "id"])


def counted(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    yield pd.DataFrame({"n": [sum(map(len, batches))]})


def running(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """A row for each batch, and one more at the end."""
    count = 0
    for batch in batches:
        count += len(batch)
        yield pd.DataFrame({"n": [0]})
    yield pd.DataFrame({"n": [count]})


def test_maps(spark: SparkSession, typed: Any) -> None:
    def of(frame: DataFrame) -> DataFrame:
        return frame.select("id", "k").where("id % 3 > 0")

    def grouped(spark: SparkSession) -> DataFrame:
        return of(spark.table("moderate_many")).mapInPandas(fives, "twice long, k string").groupBy("k").count()

    def all_types(spark: SparkSession) -> DataFrame:
        frame = spark.table("extreme_many").drop("ts", "tn")
        return frame.mapInArrow(same, frame.schema)

    def fived(spark: SparkSession) -> DataFrame:
        return of(spark.table("moderate_many")).mapInPandas(fives, "twice long, k string")

    def turned_some(spark: SparkSession) -> DataFrame:
        return of(spark.table("moderate_many")).mapInArrow(turned, "k string, id long").where("id > 9")

    for query in (grouped, all_types, fived, turned_some):
        assert_same(spark, query, conf=STATELESS)
    assert_same(spark, fived, accelerated="depends on Spark's partitions")


@pytest.mark.parametrize("function", [counted, running])
def test_maps_of_partitions_stay_in_spark(spark: SparkSession, typed: Any, function: Callable[..., Any]) -> None:
    """Rows that are made when the end is known are made once a partition. The next plan says so."""

    def query(spark: SparkSession) -> DataFrame:
        return spark.table("moderate_many").select("id").mapInPandas(function, "n long")

    assert_same(spark, query, accelerated=False, conf=STATELESS)
    with configured(spark, STATELESS):
        assert "makes rows after the last ones of a partition" in str(pyflare.explain(query(spark)))


# What Spark has to do -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [lambda x: x[:0], lambda x: 1 // 0, lambda x: [str(v) for v in x], lambda x: 7, lambda x: next(iter(()))],
    ids=["length", "raise", "type", "scalar", "StopIteration"],
)
def test_errors_are_spark_s(spark: SparkSession, typed: Any, function: Callable[..., Any]) -> None:
    spark.udf.register("f", series(function, "long"))
    assert isinstance(assert_same(spark, "SELECT f(id) FROM moderate_row", accelerated=False, raises=ANY), Raised)


def in_a_task(x: pd.Series) -> pd.Series:
    """Swallows what it meets where there is no task."""
    try:
        return x * 0 + TaskContext.get().attemptNumber()
    except Exception:
        return x - 1


def test_a_function_that_asks_for_its_task(spark: SparkSession, typed: Any) -> None:
    spark.udf.register("f", series(in_a_task, "long"))
    assert isinstance(assert_same(spark, "SELECT f(id) FROM moderate_one", accelerated=False), Answer)
    assert "asks for the task" in str(pyflare.explain("SELECT f(id) FROM moderate_one", spark))


def test_refused(spark: SparkSession, typed: Any) -> None:
    """What needs Spark's workers is left there, and the explanation says why."""
    broadcast, seen = spark.sparkContext.broadcast(3), spark.sparkContext.accumulator(0)

    def adding(x: pd.Series) -> pd.Series:
        seen.add(1)
        return x

    def reason(function: Any, **conf: str) -> str:
        with configured(spark, conf):
            return str(pyflare.explain(spark.table("moderate_one").select(function("id"))))

    assert "nondeterministic" in reason(series(same, "long").asNondeterministic())
    assert "broadcast variables" in reason(series(lambda x: x + broadcast.value, "long"))
    assert "accumulator" in reason(series(adding, "long"))
    assert "vectorized is false" in reason(series(same, "long"), **{"spark.pyflare.python.vectorized": "false"})
    assert "useLargeVarTypes" in reason(series(same, "long"), **{"spark.sql.execution.arrow.useLargeVarTypes": "true"})
    assert "profiler is set" in reason(series(same, "long"), **{"spark.sql.pyspark.udf.profiler": "perf"})
    barrier = spark.table("moderate_one").select("id").mapInPandas(same, "id long", barrier=True)
    assert "barrier" in str(pyflare.explain(barrier))
    parted = spark.table("moderate_one").select("id").repartition(3).mapInPandas(same, "id long")
    assert "partitioned for it" in str(pyflare.explain(parted))


def test_other_workers(spark: SparkSession, typed: Any) -> None:
    """Another interpreter, another environment, files of code."""
    context = spark.sparkContext
    frame = spark.table("moderate_one")

    def reason() -> str:
        return str(pyflare.explain(frame.select(series(same, "long")("id"))))

    for attribute, other, text in (
        ("pythonExec", "/usr/bin/another", "it runs in /usr/bin/another"),
        ("environment", {**context.environment, "MODE": "x"}, "MODE set in their environment"),
        ("_python_includes", ["more.py"], "with files of Python code"),
    ):
        before = getattr(context, attribute)
        setattr(context, attribute, other)
        try:
            assert text in reason()
        finally:
            setattr(context, attribute, before)


def slept(x: pd.Series) -> pd.Series:
    time.sleep(0.1)
    return x


def test_cancelling(spark: SparkSession, typed: Any) -> None:
    """A query ends between two batches of a function."""
    context = spark.sparkContext
    spark.udf.register("slow", series(slept, "long"))

    def work() -> Any:
        context.addJobTag("slowly")
        return spark.sql("SELECT sum(slow(id)) FROM range(100000)").collect()

    settings = {"spark.sql.execution.arrow.maxRecordsPerBatch": "10", "spark.pyflare.python.vectorized": "true"}
    with configured(spark, settings):
        thread, outcome = in_thread(work)
        eventually(lambda: bool(context.statusTracker().getActiveJobsIds()), "a job beside the query")
        context.cancelJobsWithTag("slowly")
        thread.join(60)
        context.cancelAllJobs()
    assert not thread.is_alive()
    assert "SPARK_JOB_CANCELLED" in str(outcome[0])


# The pace -------------------------------------------------------------------------------------------------------------


def _pace(busy: float, cores: int, *, groups: int = 0, paced: bool = True) -> Pace:
    """A function that has taken a second for 100,000 rows, on so many cores."""
    functions = Functions(SCALAR_PANDAS, (Call("f", (repr((busy, cores)).encode(),), ((0, None),)),), (), 10_000, paced)
    return Pace(functions, cores, 100_000, groups, 10**9, int(busy * 10**9))


def test_pace() -> None:
    """Functions go to Spark when its cores would have done all before the rest is done here, and stay there."""
    with pytest.raises(LeftToSpark, match=r"f took 10.0 µs a row, on 1.0 of 8 cores"):
        _pace(1.0, 8).check(10_000_000)
    with pytest.raises(LeftToSpark, match="f took"):
        _pace(0.0, 8).check(10_000_000)
    _pace(7.9, 8).check(10_000_000)
    _pace(1.0, 8, groups=100_000).check(10_000_000)
    _pace(1.0, 8).check(10_000)
    _pace(1.0, 1).check(10_000_000)
    _pace(1.0, 8, paced=False).check(10_000_000)
