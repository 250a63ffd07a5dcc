"""Corners of grouping and joining that no other test reaches: orders, filters, many keys, rows that nobody may miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession, functions

import pyflare
from tests.differential import assert_same, configured

FAR: Final = 10**12
NO_BROADCAST: Final = {"spark.sql.autoBroadcastJoinThreshold": "-1"}
TABLES: Final[dict[str, dict[str, Any]]] = {
    "few": {"id": [1, 2, 3, 4, 5], "v": [None, 1, 2, 3, None]},
    "dimension": {"k": [FAR + n for n in range(1000)], "v": [n % 10 for n in range(1000)]},
    "facts": {"k": [FAR + n % 1000 if n % 10 else None for n in range(50_000)], "x": list(range(50_000))},
    "coded": {"id": list(range(50_000)), "s": [f"word {n % 3}" for n in range(50_000)]},
    "sorted": {"id": list(range(300_007)), "v": [n * 7919 % 300_007 for n in range(300_007)]},
}


@pytest.fixture(scope="module")
def corners(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder: Path = tmp_path_factory.mktemp("corners")
    for name, columns in TABLES.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", row_group_size=25_000)
        spark.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)
    yield spark
    for name in TABLES:
        spark.catalog.dropTempView(name)


@pytest.mark.parametrize("function", ["first", "last", "any_value"])
@pytest.mark.parametrize("ignores_nulls", ["false", "true"])
@pytest.mark.parametrize("keys", ["", "GROUP BY id % 2"])
def test_first_and_last_of_the_rows_that_a_filter_lets_pass(
    corners: SparkSession, function: str, ignores_nulls: str, keys: str
) -> None:
    conditions = ("id > 1", "id < 5", "v > 1", "v < 2", "id > 9")
    calls = ", ".join(f"{function}(v, {ignores_nulls}) FILTER (WHERE {condition})" for condition in conditions)
    assert_same(corners, f"SELECT {calls}, count(*) FROM few {keys}")


@pytest.mark.parametrize("function", ["first", "last"])
def test_first_and_last_of_many_rows_in_an_order(corners: SparkSession, function: str) -> None:
    assert_same(corners, f"SELECT {function}(id), {function}(v) FROM (SELECT * FROM sorted ORDER BY v)")


@pytest.mark.parametrize(("keys", "accelerated"), [(64, True), (65, "keys that may be null")])
def test_many_keys_that_may_be_null(corners: SparkSession, keys: int, accelerated: bool | str) -> None:
    columns = ", ".join(f"nullif(id, {key}) AS c{key}" for key in range(keys))
    assert_same(corners, f"SELECT DISTINCT {columns} FROM few", accelerated=accelerated)


def test_null_keys_are_not_looked_up_in_a_table_of_keys_that_are_far_from_zero(corners: SparkSession) -> None:
    """The rows of the joined table ask for a byte of each key beforehand."""
    assert_same(corners, "SELECT sum(x), count(*) FROM facts JOIN dimension USING (k) WHERE v = 3")


@pytest.mark.parametrize("conf", [NO_BROADCAST, {}])
@pytest.mark.parametrize("join", ["JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "LEFT JOIN"])
@pytest.mark.parametrize("failing", [5, 9, 77])
def test_a_row_that_fails_before_it_finds_no_match(
    corners: SparkSession, join: str, failing: int, conf: dict[str, str]
) -> None:
    """Behind an exchange Spark has computed a projection for every row."""
    rows = f"(SELECT id, 10 DIV (id - {failing}) AS y FROM coded WHERE id < 50) a"
    query = f"SELECT a.id, a.y FROM {rows} {join} few b ON a.id = b.id"
    assert_same(corners, query, accelerated=failing == 77, raises="DIVIDE_BY_ZERO", conf=conf)


@pytest.mark.parametrize("keys", ["s", "s, id % 3"])
def test_groups_of_texts_without_a_row(corners: SparkSession, keys: str) -> None:
    """The join finds out before a file is read."""
    nothing = "(SELECT id FROM few WHERE v > 2 AND id < 2) b"
    query = f"SELECT {keys}, count(*), max(s), first(s) FROM coded JOIN {nothing} USING (id) GROUP BY {keys}"
    assert_same(corners, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT sum(CASE WHEN x <> 3 THEN p END) FROM (SELECT id AS x, 10 DIV (id - {failing}) AS p FROM few)",
        "SELECT sum(p) FILTER (WHERE x <> 3) FROM (SELECT id AS x, 10 DIV (id - {failing}) AS p FROM few)",
        "SELECT CASE WHEN x <> 3 THEN p + p END AS c FROM (SELECT id AS x, 10 DIV (id - {failing}) AS p FROM few)",
    ],
)
@pytest.mark.parametrize("failing", [3, 9])
def test_a_row_that_fails_before_a_condition_leaves_it_out(corners: SparkSession, query: str, failing: int) -> None:
    assert_same(corners, query.format(failing=failing), accelerated=failing == 9, raises="DIVIDE_BY_ZERO")


def test_zeros_of_both_signs_in_a_query(corners: SparkSession) -> None:
    products = "cast(id AS DOUBLE) * 0.0D AS a, cast(id AS DOUBLE) * -0.0D AS b"
    assert_same(corners, f"SELECT id, a, b, pow(a, -1D), pow(b, -1D) FROM (SELECT id, {products} FROM few)")
    assert_same(corners, f"SELECT {products} FROM few")


@pytest.mark.parametrize("pushdown", ["true", "false"])
@pytest.mark.parametrize("column", ["k", "t"])
@pytest.mark.parametrize("failing", [0, 9])
def test_rows_that_fail_in_row_groups_that_a_later_condition_rules_out(
    spark: SparkSession, tmp_path: Path, column: str, pushdown: str, failing: int
) -> None:
    """Spark evaluates the conditions in their order wherever it reads a row group."""
    for number in (0, 1):
        times = pa.array([number * 10**15], pa.timestamp("us"))
        pq.write_table(pa.table({"x": [number], "k": [number], "t": times}), tmp_path / f"{number}.parquet")
    spark.read.parquet(str(tmp_path)).createOrReplaceTempView("ruled_out")
    bound = "1" if column == "k" else "TIMESTAMP_NTZ'2000-01-01'"
    query = f"SELECT x FROM ruled_out WHERE 10 DIV (x - {failing}) < 100 AND {column} >= {bound}"
    conf = {"spark.sql.parquet.filterPushdown": pushdown}
    assert_same(spark, query, accelerated=failing == 9, raises="DIVIDE_BY_ZERO", conf=conf)
    spark.catalog.dropTempView("ruled_out")


@pytest.mark.parametrize("function", ["first", "last"])
def test_first_of_filtered_rows_beside_distinct_values(corners: SparkSession, function: str) -> None:
    query = f"SELECT {function}(v) FILTER (WHERE id = 3), count(DISTINCT id) FROM few"
    assert_same(corners, query, accelerated="FILTER beside a DISTINCT")


def test_sorts_below_a_union_are_seen(corners: SparkSession) -> None:
    """The rows of a union come one child after the other."""
    union = "(SELECT id FROM sorted ORDER BY v DESC) UNION ALL (SELECT id FROM few)"
    assert_same(corners, f"SELECT * FROM ({union}) LIMIT 3")
    assert_same(corners, f"SELECT first(id) FROM ({union})")


def test_rows_sorted_in_partitions(corners: SparkSession) -> None:
    numbers = "SELECT id FROM range(0, 10, 1, 2) SORT BY id DESC"
    assert_same(corners, f"{numbers} LIMIT 3", accelerated="sortWithinPartitions")
    assert_same(corners, f"SELECT id + 1 FROM ({numbers}) LIMIT 3", accelerated="sortWithinPartitions")


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.coalesce(1),
        lambda frame: frame.repartition(3, "id").sortWithinPartitions("v"),
        lambda frame: frame.repartition(5).selectExpr("id + 1 AS id"),
    ],
)
def test_partitions_that_the_user_asks_for(corners: SparkSession, change: Callable[[DataFrame], DataFrame]) -> None:
    frame = change(corners.table("sorted").groupBy("v").agg(functions.max("id").alias("id")))
    assert "how its rows are to be partitioned" in str(pyflare.explain(frame))
    with configured(corners, {"spark.pyflare.enabled": "false"}):
        expected = change(corners.table("sorted").groupBy("v").agg(functions.max("id").alias("id")))
        partitions = expected.rdd.getNumPartitions()
    assert frame.rdd.getNumPartitions() == partitions


def test_a_subquery_that_chooses_partitions(corners: SparkSession, tmp_path: Path) -> None:
    """Spark keeps no filter for it above the scan."""
    frame = corners.range(6).selectExpr("id", "id % 3 AS p")
    frame.write.partitionBy("p").parquet(str(tmp_path / "by_p"))
    corners.read.parquet(str(tmp_path / "by_p")).createOrReplaceTempView("by_p")
    for query in ("SELECT *", "SELECT count(*), sum(id)"):
        by_subquery = f"{query} FROM by_p WHERE p <= (SELECT min(id) FROM few)"
        assert_same(corners, by_subquery, accelerated="subquery chooses")
    corners.catalog.dropTempView("by_p")


@pytest.mark.parametrize("hint", ["BROADCAST(s)", "SHUFFLE_HASH(s)"])
def test_an_order_that_a_join_keeps(corners: SparkSession, hint: str) -> None:
    """Spark drops the last sort: the streamed side is in that order."""
    some = "(SELECT id, v FROM sorted ORDER BY v LIMIT 50) x"
    query = f"SELECT /*+ {hint} */ x.id, x.v FROM {some} JOIN sorted s ON x.id = s.id ORDER BY x.v"
    assert_same(corners, query, accelerated=False)


def test_texts_that_are_no_utf8_are_collected(corners: SparkSession, tmp_path: Path) -> None:
    texts = [b"a\xff", b"\xed\xa0\x80", b"\xe2\x82", b"fine", None]
    pq.write_table(pa.table({"id": range(5), "b": pa.array(texts, pa.binary())}), tmp_path / "texts.parquet")
    frame = corners.read.parquet(str(tmp_path)).selectExpr("id", "cast(b AS STRING) AS s").orderBy("id")
    assert pyflare.explain(frame).fully_accelerated
    with configured(corners, {"spark.pyflare.enabled": "false"}):
        expected = frame.select("*").collect()
    assert frame.collect() == expected
    assert [row.s for row in expected[-2:]] == ["fine", None]
