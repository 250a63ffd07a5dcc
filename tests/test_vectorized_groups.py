"""Python functions of groups in queries, with PyFlare and without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql.functions import col
from pyspark.sql.pandas.functions import ArrowUDFType, PandasUDFType, arrow_udf, pandas_udf

import pyflare
from tests.applications import eventually, in_thread
from tests.differential import ANY, Raised, assert_same, configured

HERE: Final = {"spark.pyflare.python.vectorized": "true"}
"""Slow or not: on a busy machine, Spark's workers might turn out to be faster."""

BATCHES: Final = {**HERE, "spark.sql.execution.arrow.maxRecordsPerBatch": "7"}


def of_series(function: Callable[..., Any], returns: str) -> Any:
    """A grouped aggregate pandas function without type hints."""
    return pandas_udf(function, returns, PandasUDFType.GROUPED_AGG)


def of_arrays(function: Callable[..., Any], returns: str) -> Any:
    """A grouped aggregate Arrow function without type hints."""
    return arrow_udf(function, returns, ArrowUDFType.GROUPED_AGG)


# Aggregates -----------------------------------------------------------------------------------------------------------


def seen(*columns: pd.Series) -> str:
    """What a function sees of a group: names, types, indices; rows without their order, which shuffles change."""
    return "; ".join(f"{c.name} {c.dtype} {len(c)} {list(c.index[-2:])} {sorted(map(str, c))[:3]}" for c in columns)


def summed(values: pa.Array) -> Any:
    return pc.sum(values).as_py()


@pytest.fixture(scope="module")
def aggregates(spark: SparkSession, typed: Any) -> None:
    spark.udf.register("seen", of_series(seen, "string"))
    spark.udf.register("spread", of_series(lambda high, low: float(high.max() - low.min()), "double"))
    spark.udf.register("summed", of_arrays(summed, "long"))
    spark.udf.register("plus", pandas_udf(lambda x: x + 1.0, "double", PandasUDFType.SCALAR))


AGGREGATES: Final = [
    "SELECT g, seen(i32, b, s), seen(s) AS t, spread(low => id, high => f64) + 1 AS w FROM moderate_many GROUP BY g",
    "SELECT k, b, upper(seen(dt, d9, ts)) AS t FROM moderate_many GROUP BY k, b",
    "SELECT id % 3 AS m, f64 > 0 AS p, summed(i16 + 1), summed(id) FROM moderate_many WHERE id > 5 GROUP BY m, p",
    "SELECT seen(f64, f32), spread(id, id) FROM moderate_many",
    "SELECT g, summed(id) FROM moderate_empty GROUP BY g",
    "SELECT summed(id) FROM moderate_empty",
    "SELECT a.g, spread(plus(a.f64), b.id) FROM moderate_many a JOIN moderate_one b ON a.id = b.id "
    "GROUP BY a.g HAVING spread(a.id, b.i16) > 3",
    "SELECT count(*), max(n) FROM (SELECT d18, f32, bin, summed(id) AS n FROM moderate_many GROUP BY d18, f32, bin)",
]


@pytest.mark.usefixtures("aggregates")
@pytest.mark.parametrize("query", AGGREGATES)
def test_aggregates(spark: SparkSession, query: str) -> None:
    assert_same(spark, query, conf=HERE)


def test_zeros_and_nans(spark: SparkSession, tmp_path: Any) -> None:
    """Zeros are one group, whose key is the first row's; so are NaNs, and so are nulls."""
    values = [0.0, None, -0.0, float("nan"), 1.5, -0.0, None, float("nan"), -float("inf"), 0.0]
    pa.parquet.write_table(pa.table({"k": values, "n": range(len(values))}), tmp_path / "keys.parquet")
    spark.read.parquet(str(tmp_path)).createOrReplaceTempView("keys")
    spark.udf.register("numbers", of_series(lambda n: str(list(n)), "string"))
    assert_same(spark, "SELECT k, j, numbers(n) FROM (SELECT *, float(k) AS j FROM keys) GROUP BY j, k", conf=HERE)
    assert_same(spark, lambda spark: spark.table("keys").groupBy("k").applyInPandas(described, "t string"), conf=HERE)


# Maps -----------------------------------------------------------------------------------------------------------------


def described(key: tuple[Any, ...], rows: pd.DataFrame) -> pd.DataFrame:
    """All that a function sees of a group."""
    types = [f"{name} {type_}" for name, type_ in rows.dtypes.items()]
    values = sorted(map(str, rows.itertuples()))[:2] if len(rows) > 20 else rows.to_csv()
    return pd.DataFrame({"t": [f"{key} {types} {list(rows.index[-2:])} {values}"]})


def halved(rows: pd.DataFrame) -> pd.DataFrame:
    """Fewer rows, and none at all of some groups, whose columns come in another order."""
    found = rows[rows.id % 2 == 0]
    return found.assign(n=len(rows))[["n", "k", "id"]] if len(rows) % 2 else pd.DataFrame()


def told(key: tuple[pa.Scalar, ...], rows: pa.Table) -> pa.Table:
    chunks = [len(chunk) for chunk in rows.column(0).chunks]
    return pa.table({"t": [f"{key} {rows.schema} {chunks}"]})


def same(rows: Any) -> Any:
    return rows


def sized(key: tuple[Any, ...], frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for frame in frames:
        yield pd.DataFrame({"k": [key[0]], "n": [len(frame)]})


def with_sums(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield pa.RecordBatch.from_arrays([pa.array([summed(batch.column("id"))]), batch.column("k")[:1]], ["n", "k"])


def _rows(spark: SparkSession) -> Any:
    """Rows of one partition, so that Spark defines their order in groups."""
    return spark.table("moderate_one").select("id", "k", "g", "i16", "f64", "dt").where("id % 7 > 0")


def both(key: tuple[Any, ...], left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([described(key, left), described(key, right)])


def both_tables(left: pa.Table, right: pa.Table) -> pa.Table:
    return pa.table({"t": [f"{left.schema} {left.to_pylist()} {right.to_pylist()}"]})


def _cogrouped(spark: SparkSession, left: Sequence[str], right: Sequence[str]) -> Any:
    """Keys that both sides have, and keys that only one of them has; null, and strings that are coded apart."""
    some = spark.table("moderate_one").selectExpr("i64", "k", "int(i8 % 3) AS m", "s").where("id % 20 = 1 AND k <> 'a'")
    others = _rows(spark).where("id % 10 < 4 AND (k IS NULL OR k > '')")
    return others.groupBy(*left).cogroup(some.groupBy(*right))


Map = Callable[[SparkSession], DataFrame]

MAPS: Final[dict[str, Map]] = {
    "pandas": lambda spark: _rows(spark).groupBy("k").applyInPandas(halved, "n int, k string, id long"),
    "key": lambda spark: _rows(spark).groupBy("g", "k").applyInPandas(described, "t string"),
    "expression": lambda spark: (
        _rows(spark).groupBy((col("id") % 4).alias("g"), "k").applyInPandas(described, "t string")
    ),
    "one group": lambda spark: _rows(spark).groupBy().applyInPandas(same, _rows(spark).schema),
    "order": lambda spark: (
        _rows(spark).repartition(1).sortWithinPartitions("g", "i16").groupBy("g").applyInPandas(described, "t string")
    ),
    "arrow": lambda spark: _rows(spark).groupBy("k").applyInArrow(told, "t string"),
    "arrow rows": lambda spark: _rows(spark).groupBy("g").applyInArrow(same, _rows(spark).schema).where("id > 100"),
    "pandas iterator": lambda spark: _rows(spark).groupBy("k").applyInPandas(sized, "k string, n long"),
    "arrow iterator": lambda spark: _rows(spark).groupBy("k", "g").applyInArrow(with_sums, "k string, n long"),
    "cogroups": lambda spark: _cogrouped(spark, ["k"], ["k"]).applyInPandas(both, "t string"),
    "cogroups of two keys": lambda spark: _cogrouped(spark, ["g", "k"], ["m", "s"]).applyInPandas(both, "t string"),
    "cogroups of tables": lambda spark: _cogrouped(spark, ["k"], ["s"]).applyInArrow(both_tables, "t string"),
    "cogroup": lambda spark: _cogrouped(spark, [], []).applyInPandas(both, "t string"),
    "empty": lambda spark: _rows(spark).where("id < 0").groupBy("k").applyInArrow(told, "t string"),
    "grouped again": lambda spark: (
        _rows(spark).groupBy("k").applyInPandas(halved, "n int, k string, id long").groupBy("n").count()
    ),
}


@pytest.mark.parametrize("query", MAPS.values(), ids=MAPS)
def test_maps(spark: SparkSession, typed: Any, query: Map) -> None:
    assert_same(spark, query, conf=BATCHES)


@pytest.mark.parametrize("apply", ["applyInPandas", "applyInArrow"])
def test_every_type(spark: SparkSession, typed: Any, apply: str) -> None:
    """Columns of each type, as values and as keys."""

    def query(spark: SparkSession) -> DataFrame:
        frame = spark.table("moderate_many")
        keys = [column for column in frame.columns if column not in ("id", "num", "day")]
        return getattr(frame.where("id < 150").groupBy(*keys), apply)(same, frame.schema)

    assert_same(spark, query, conf=HERE)


# What Spark has to do -------------------------------------------------------------------------------------------------


def _raising(_rows: pd.DataFrame) -> pd.DataFrame:
    raise ValueError("not with me")


ERRORS: Final[dict[str, Map]] = {
    "raise": lambda spark: _rows(spark).groupBy("k").applyInPandas(_raising, "n int"),
    "names": lambda spark: _rows(spark).groupBy("k").applyInPandas(same, "id long, other string"),
    "arrow type": lambda spark: _rows(spark).groupBy("k").applyInArrow(lambda t: t.select(["id"]), "id int"),
    "aggregate": lambda spark: _rows(spark).groupBy("k").agg(of_series(lambda x: "text", "double")("id")),
}


@pytest.mark.parametrize("query", ERRORS.values(), ids=ERRORS)
def test_errors_are_spark_s(spark: SparkSession, typed: Any, query: Map) -> None:
    """With the user's traceback."""
    raised = assert_same(spark, query, accelerated=False, raises=ANY)
    assert isinstance(raised, Raised)
    assert "Traceback" in raised.message


def test_cancelling(spark: SparkSession, typed: Any) -> None:
    """A query ends between two groups, also when all rows have been read."""
    context = spark.sparkContext

    def slowly(rows: pd.DataFrame) -> pd.DataFrame:
        time.sleep(0.05)
        return rows

    def work() -> Any:
        context.addJobTag("slow groups")
        return _rows(spark).select("id", "i16").groupBy("id").applyInPandas(slowly, "id long, i16 short").collect()

    with configured(spark, HERE):
        thread, outcome = in_thread(work)
        eventually(lambda: bool(context.statusTracker().getActiveJobsIds()), "a job beside the query")
        time.sleep(0.5)
        context.cancelJobsWithTag("slow groups")
        thread.join(10)
        context.cancelAllJobs()
    assert not thread.is_alive()
    assert "SPARK_JOB_CANCELLED" in str(outcome[0])


def test_refused(spark: SparkSession, typed: Any) -> None:
    rows = _rows(spark)
    other = rows.groupBy(col("g") + 1.5).cogroup(rows.groupBy("g")).applyInPandas(lambda a, b: a, rows.schema)
    assert "different types" in str(pyflare.explain(other))
    windowed = rows.select(of_series(lambda x: x.max(), "long")("id").over(Window.partitionBy("k")))
    assert "functions of windows" in str(pyflare.explain(windowed))
    with configured(spark, {"spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName": "false"}):
        assert "how many columns" in str(pyflare.explain(MAPS["arrow"](spark)))
    twice = rows.groupBy((col("g") + 1).alias("g")).applyInArrow(told, "t string")
    assert "the same name" in str(pyflare.explain(twice))
    with configured(spark, {"spark.pyflare.python.vectorized": "false"}):
        left = str(pyflare.explain(MAPS["pandas"](spark)))
        assert "vectorized is false" in left
        assert "workers each take some partitions" in left
        assert "vectorized is false" in str(pyflare.explain(rows.groupBy("k").agg(of_series(seen, "string")("id"))))
