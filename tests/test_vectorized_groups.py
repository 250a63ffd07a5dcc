"""Python functions of groups in queries, with PyFlare and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.functions import ArrowUDFType, PandasUDFType, arrow_udf, pandas_udf

import pyflare
from tests.differential import ANY, Raised, assert_same, configured

BATCHES: Final = {"spark.sql.execution.arrow.maxRecordsPerBatch": "7"}


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


@pytest.mark.usefixtures("aggregates")
@pytest.mark.parametrize("query", [
    "SELECT g, seen(i32, b, s), seen(s) AS t, spread(low => id, high => f64) + 1 AS w FROM moderate_many GROUP BY g",
    "SELECT k, b, dt, upper(seen(dt, d9, ts)), count(*) OVER () FROM moderate_many GROUP BY k, b, dt",
    "SELECT id % 3 AS m, f64 > 0 AS p, summed(i16 + 1), summed(id) FROM moderate_many WHERE id > 5 GROUP BY m, p",
    "SELECT seen(f64, f32), spread(id, id) FROM moderate_many",
    "SELECT g, summed(id) FROM moderate_empty GROUP BY g",
    "SELECT summed(id) FROM moderate_empty",
    "SELECT a.g, spread(plus(a.f64), b.id) FROM moderate_many a JOIN moderate_one b ON a.id = b.id GROUP BY a.g HAVING summed(a.id) > 100",
])
def test_aggregates(spark: SparkSession, query: str) -> None:
    accelerated: bool | str = True
    assert_same(spark, query, accelerated=accelerated)
