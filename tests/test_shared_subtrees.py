"""Equal subtrees of a query are computed once, and only equal ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from pyflare import flare
from tests.differential import assert_same

SUMS = "SELECT k, sum(v) AS s FROM t WHERE v > {} GROUP BY k"
OTHER_SUMS = "SELECT k, sum(w) AS s FROM t WHERE v > 3 GROUP BY k"


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("shared")
    rows = np.arange(3000)
    columns = {"k": rows * 7919 % 500, "v": rows % 37, "w": (rows + 5) % 37, "x": rows / 8, "n": rows % 40}
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    table = table.append_column("m", pa.array(rows % 9, mask=rows % 11 == 3))
    pq.write_table(table, folder / "t.parquet", row_group_size=700)
    spark.read.parquet(str(folder / "t.parquet")).createOrReplaceTempView("t")
    yield
    spark.catalog.dropTempView("t")


def _aggregations(spark: SparkSession, query: str) -> int:
    """How many kernels aggregate."""
    titles = [line for line in flare(spark.sql(query)).kernels().splitlines() if line.startswith("# ")]
    return sum(title.endswith("Aggregate") for title in titles)


TWICE = {
    "join": f"SELECT a.k, a.s, b.s AS other FROM ({SUMS.format(3)}) a JOIN ({SUMS.format(3)}) b ON a.s = b.s + 2",
    "semi joins": f"SELECT k, v FROM t WHERE k IN (SELECT k FROM ({SUMS.format(9)}) WHERE s > 60) "
    f"AND n IN (SELECT k FROM ({SUMS.format(9)}) WHERE s > 60)",
    "subquery": f"SELECT k, s FROM ({SUMS.format(3)}) WHERE s = (SELECT max(s) FROM ({SUMS.format(3)}))",
    "union": f"({SUMS.format(3)}) UNION ALL ({SUMS.format(3)})",
    "null tests": f"SELECT a.s, b.s AS other FROM ({SUMS.format(3)}) a JOIN "
    "(SELECT k, sum(v) AS s FROM t WHERE k IS NOT NULL AND v > 3 GROUP BY k) b ON a.s = b.s + 2",
}
DIFFERENT = {
    "literal": f"SELECT a.k, b.s FROM ({SUMS.format(3)}) a JOIN ({SUMS.format(4)}) b ON a.s = b.s + 2",
    "column": f"SELECT a.k, b.s FROM ({SUMS.format(3)}) a JOIN ({OTHER_SUMS}) b ON a.s = b.s",
    "zero": "SELECT a.k, a.z, b.z FROM (SELECT k, max(x * double('0')) z FROM t GROUP BY k) a JOIN "
    "(SELECT k, max(x * double('-0')) z FROM t GROUP BY k) b ON a.k = b.k",
    "nulls": "(SELECT n, count(*) c FROM t WHERE m IS NOT NULL GROUP BY n) UNION ALL (SELECT n, count(*) c FROM t "
    "WHERE v IS NOT NULL GROUP BY n)",
    "filter of an aggregate": "(SELECT k, count(*) FILTER (WHERE v > 3) c FROM t GROUP BY k) UNION ALL "
    "(SELECT k, count(*) FILTER (WHERE v > 5) c FROM t GROUP BY k)",
}


@pytest.mark.parametrize("name", TWICE)
def test_equal_subtrees_have_one_kernel(spark: SparkSession, tables: None, name: str) -> None:
    assert_same(spark, TWICE[name])
    outer = 1 if name == "subquery" else 0
    assert _aggregations(spark, TWICE[name]) == 1 + outer


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_subtrees_do_not(spark: SparkSession, tables: None, name: str) -> None:
    assert_same(spark, DIFFERENT[name])
    assert _aggregations(spark, DIFFERENT[name]) == 2


def test_full_joins_mark_their_own_hits(spark: SparkSession, tables: None) -> None:
    """Two joins have one side in common; which of its rows were hit, each knows for itself."""
    side = "(SELECT k, count(*) c FROM t WHERE v = 3 GROUP BY k)"
    parts = [
        f"(SELECT a.n, b.k, b.c FROM (SELECT n FROM t WHERE v = {v}) a FULL JOIN {side} b ON a.n = b.k)"
        for v in (1, 2, 1)
    ]
    assert_same(spark, " UNION ALL ".join(parts))


def test_files_that_change_between_two_runs(spark: SparkSession, tmp_path: Path) -> None:
    """What is shared is shared for one run."""
    query = SUMS.format(3)
    for rows in (50, 70):
        pq.write_table(pa.table({"k": np.arange(rows) % 7, "v": np.arange(rows)}), tmp_path / "c.parquet")
        spark.read.parquet(str(tmp_path / "c.parquet")).createOrReplaceTempView("c")
        changing = query.replace("FROM t", "FROM c")
        assert_same(spark, f"SELECT a.k, b.s FROM ({changing}) a JOIN ({changing}) b ON a.s = b.s + 50 OR a.k = b.k")
    spark.catalog.dropTempView("c")
