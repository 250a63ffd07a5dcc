"""Queries whose state outgrows `spark.pyflare.memory`: Spark runs them, with the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.differential import assert_same, configured, ran_in_pyflare

QUERIES = {
    "groups": "SELECT id, count(*) AS n, sum(v) AS s FROM {t} GROUP BY id",
    "text groups": "SELECT concat('key ', id) AS k, max(v) AS m FROM {t} GROUP BY 1",
    "join": "SELECT count(*) AS n, sum(b.v) AS s FROM {t} a JOIN {t} b ON a.v = b.v",
    "sort": "SELECT * FROM {t} ORDER BY v, id",
    "distinct": "SELECT count(DISTINCT v) AS n FROM {t}",
    "rows": "SELECT id + v AS w FROM {t} WHERE v > 0",
}


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """200,000 rows in several files, no value twice."""
    path = tmp_path_factory.mktemp("budget") / "t"
    frame = spark.range(0, 200_000, 1, 3).selectExpr("id", "id * 1000003 % 200003 AS v")
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        frame.write.parquet(str(path))
    return f"parquet.`{Path(path)}`"


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_spark_runs_what_outgrows_the_budget(spark: SparkSession, table: str, query: str) -> None:
    text = query.format(t=table)
    with configured(spark, {"spark.pyflare.memory": "100k"}):
        assert_same(spark, text, accelerated=False)
        frame = spark.sql(text)
        frame.collect()
        assert not ran_in_pyflare(frame)
    assert_same(spark, text)
