"""What a join's build side says of the probe's row groups and files: fewer are read, and the rows stay the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tests.differential import assert_same, configured, figure

GROUPS: Final = 8
GROUP_ROWS: Final = 20
FILES: Final = 2
KEYS: Final[dict[str, pa.DataType]] = {
    "short": pa.int16(),
    "int": pa.int32(),
    "long": pa.int64(),
    "far": pa.int64(),
    "day": pa.date32(),
    "time": pa.timestamp("us", "UTC"),
    "price": pa.decimal128(9, 2),
    "wide": pa.decimal128(25, 3),
    "text": pa.string(),
    "pair": pa.int32(),
}
"""Keys of the tables: `far` are too far apart for a dense table, `pair` is used with another one."""
BUILDS: Final = {"all": "v >= 0", "one": "v = 3", "none": "v % 7 = 6", "nulls": "v = 4"}


def _values(numbers: list[int | None], name: str) -> pa.Array:
    if name == "text":
        return pa.array([None if number is None else f"k{number:05}" for number in numbers])
    if name in ("price", "wide"):
        return pa.array([None if number is None else Decimal(number) / 4 for number in numbers], KEYS[name])
    factor = 2**40 if name in ("far", "time") else 1
    whole = pa.int32() if name == "day" else pa.int16() if name == "short" else KEYS[name]
    return pa.array([None if number is None else number * factor for number in numbers], whole).cast(KEYS[name])


def _table(numbers: list[int | None]) -> pa.Table:
    columns = {name: _values(numbers, name) for name in KEYS}
    return pa.table({"id": pa.array(range(len(numbers)), pa.int64()), **columns})


def _probe_keys() -> list[list[int | None]]:
    """The keys of each row group: ascending, each twice, some null; those of one group are all null."""
    groups: list[list[int | None]] = []
    for group in range(FILES * GROUPS):
        keys = [1000 + group * 100 + row // 2 for row in range(GROUP_ROWS)]
        groups.append([None if group == 5 or row % 7 == 3 else key for row, key in enumerate(keys)])
    return groups


BUILD_KEYS: Final[list[tuple[int | None, int]]] = [
    *((1200 + row, row % 3) for row in range(12)),
    (1202, 1),  # a duplicate
    (None, 2),
    (1950, 0),  # in the range of keys, but in no row group's
    (2301, 3),
    (2301, 3),
    (None, 4),
    (99, 5),
]


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("join_filters")
    groups = _probe_keys()
    for file in range(FILES):
        part = _table([key for group in groups[file * GROUPS : (file + 1) * GROUPS] for key in group])
        (folder / "p").mkdir(exist_ok=True)
        pq.write_table(part, folder / "p" / f"{file}.parquet", row_group_size=GROUP_ROWS)
    build = _table([key for key, _ in BUILD_KEYS]).append_column("v", pa.array([v for _, v in BUILD_KEYS], pa.int32()))
    pq.write_table(build, folder / "b.parquet")
    for view, path in (("p", folder / "p"), ("b", folder / "b.parquet")):
        spark.read.parquet(str(path)).createOrReplaceTempView(view)
    yield
    for view in ("p", "b"):
        spark.catalog.dropTempView(view)


CASES: Final = [*((key, "one") for key in KEYS), *((key, b) for key in ("int", "text") for b in BUILDS if b != "one")]


def _query(kind: str, key: str, build: str) -> str:
    """A join whose right side is built; of a right join that is the left one."""
    condition = "p.pair = b.pair AND p.text = b.text" if key == "pair" else f"p.{key} = b.{key}"
    side = f"(SELECT * FROM b WHERE {BUILDS[build]}) b"
    if kind == "RIGHT JOIN":
        return f"SELECT p.id, b.id AS other FROM {side} RIGHT JOIN p ON {condition}"
    other = "" if kind in ("LEFT SEMI JOIN", "LEFT ANTI JOIN") else ", b.id AS other"
    return f"SELECT p.id{other} FROM p {kind} {side} ON {condition}"


def _pruned(spark: SparkSession, query: str) -> int:
    """How many row groups are left out."""
    frame = spark.sql(query)
    frame.collect()
    return figure(frame, "rowGroupsPruned")


def _unwanted(build: str) -> int:
    """How many row groups have no key of the build side between their bounds."""
    wanted: dict[str, tuple[int, ...]] = {"all": (0, 1, 2, 3, 4, 5), "one": (3,), "none": (), "nulls": (4,)}
    keys = [key for key, v in BUILD_KEYS if key is not None and v in wanted[build]]
    bounds = [[key for key in group if key is not None] for group in _probe_keys()]
    return sum(not any(group and group[0] <= key <= group[-1] for key in keys) for group in bounds)


@pytest.mark.parametrize(("key", "build"), CASES)
def test_row_groups_are_left_out(spark: SparkSession, tables: None, key: str, build: str) -> None:
    """Those of which the footers say that no key is in them; the rows stay the same."""
    kinds = ("JOIN", "LEFT SEMI JOIN") if key in ("int", "text") else ("JOIN",)
    for kind in kinds:
        query = _query(kind, key, build)
        assert_same(spark, query)
        assert _pruned(spark, query) == _unwanted(build) >= 14


@pytest.mark.parametrize("build", ["one", "none"])
@pytest.mark.parametrize("kind", ["LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT ANTI JOIN"])
def test_rows_without_a_match_are_kept(spark: SparkSession, tables: None, kind: str, build: str) -> None:
    query = _query(kind, "int", build)
    assert_same(spark, query)
    assert _pruned(spark, query) == 0


def test_keys_cast_to_wider_types(spark: SparkSession, tables: None) -> None:
    """Integers and decimals that are only widened for the join are as good as columns."""
    for left, right in (("int", "b.long"), ("short", "b.int"), ("price", "cast(b.price AS DECIMAL(20,2))")):
        query = f"SELECT p.id, b.v FROM p JOIN b ON p.{left} = {right} WHERE b.v = 3"
        assert_same(spark, query)
        assert _pruned(spark, query) == 15
    assert_same(spark, "SELECT p.id, b.v FROM p JOIN b ON cast(p.long AS INT) = b.int WHERE b.v = 3")


def test_several_joins_of_one_scan(spark: SparkSession, tables: None) -> None:
    """Each join leaves out what it can, also one after a join that keeps all rows."""
    first, second = (f"(SELECT * FROM b WHERE {BUILDS[name]})" for name in ("all", "one"))
    query = f"SELECT p.id, c.v, d.v FROM p LEFT JOIN {first} c ON p.text = c.text JOIN {second} d ON p.int = d.int"
    assert_same(spark, query)
    assert _pruned(spark, query) == 15
    query = f"SELECT p.id, c.v FROM p JOIN {first} c ON p.int = c.int WHERE p.long IN (SELECT long FROM {second})"
    assert_same(spark, query)


def test_too_many_keys_are_known_by_their_bounds(spark: SparkSession, tables: None) -> None:
    keys = "(SELECT (id + 1200) * 1099511627776 AS far FROM range(20000))"
    query = f"SELECT p.id FROM p LEFT SEMI JOIN {keys} b ON p.far = b.far"
    assert_same(spark, query)
    assert _pruned(spark, query) == 3


def test_nothing_of_the_probe_is_read_for_an_empty_build(spark: SparkSession, tables: None) -> None:
    """Whatever the keys are, and whatever lies between the scan and the join."""
    alone = spark.sql("SELECT int, text FROM b WHERE v % 7 = 6")
    alone.collect()
    for probe in ("p", "(SELECT text, max(int) AS int FROM p GROUP BY text)"):
        for condition in ("p.int % 7 = b.int % 7", "p.text = b.text", "p.int < b.int"):
            query = f"SELECT p.int FROM {probe} p JOIN (SELECT int, text FROM b WHERE v % 7 = 6) b ON {condition}"
            assert_same(spark, query)
            frame = spark.sql(query)
            frame.collect()
            assert figure(frame, "bytesRead") <= figure(alone, "bytesRead"), query


@pytest.mark.parametrize("probe", ["p WHERE 10 / (id - 11) < 100", "p WHERE id % 2 = 0 AND cast(text AS INT) > 0"])
def test_errors_of_rows_without_a_match(spark: SparkSession, tables: None, probe: str) -> None:
    """A row that makes Spark raise before the join does so, though its row group has no key of the other side."""
    query = f"SELECT count(*) FROM (SELECT int FROM {probe}) p JOIN b ON p.int = b.int WHERE b.v = 3"
    merge = {"spark.sql.autoBroadcastJoinThreshold": "-1", "spark.sql.ansi.enabled": "true"}
    merge["spark.sql.files.minPartitionNum"] = "1"  # of two tasks, the faster one's row would be in the message
    assert_same(
        spark, query, accelerated=False, conf=merge, raises="DIVIDE_BY_ZERO" if "/" in probe else "CAST_INVALID_INPUT"
    )


# Partitions -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def partitioned(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("partitions")
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        rows = spark.range(600).selectExpr(
            "id", "nullif(id % 12, 5) AS number", "date_add(DATE'2024-01-01', int(id % 12)) AS day"
        )
        rows.selectExpr("*", "concat('t', number) AS text").repartition(1).write.partitionBy(
            "number", "day", "text"
        ).parquet(str(folder / "facts"))
        rows.selectExpr("number", "day", "concat('t', number) AS text", "id AS v").repartition(1).write.parquet(
            str(folder / "few")
        )
    spark.read.parquet(str(folder / "facts")).createOrReplaceTempView("facts")
    spark.read.parquet(str(folder / "few")).createOrReplaceTempView("few")
    yield
    for view in ("facts", "few"):
        spark.catalog.dropTempView(view)


@pytest.mark.parametrize("broadcast", ["10485760", "-1"])
@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_dynamic_partition_pruning(spark: SparkSession, partitioned: None, adaptive: str, broadcast: str) -> None:
    """Plans with Spark's subqueries for it are taken, and files are left out by what the join finds."""
    conf = {
        "spark.sql.adaptive.enabled": adaptive,
        "spark.sql.autoBroadcastJoinThreshold": broadcast,
        "spark.sql.optimizer.dynamicPartitionPruning.reuseBroadcastOnly": "false",
    }
    few = "(SELECT * FROM few WHERE v BETWEEN 3 AND 5)"
    for key in ("number", "day", "text"):
        query = f"SELECT f.id, f.{key}, b.v FROM facts f JOIN {few} b ON f.{key} = b.{key}"
        with configured(spark, {**conf, "spark.pyflare.enabled": "false"}):
            plan = spark.sql(query)._jdf.queryExecution().executedPlan().toString()
        assert "dynamicpruning" in plan
        assert_same(spark, query, conf=conf)
        with configured(spark, conf):
            assert _pruned(spark, query) == 9  # files; those with a null partition value are not even listed
    assert_same(spark, f"SELECT count(*), sum(id) FROM facts WHERE number IN (SELECT number FROM {few})", conf=conf)
    assert_same(spark, f"SELECT f.id FROM facts f RIGHT JOIN {few} b ON f.day = b.day", conf=conf)


# Spark's own filters --------------------------------------------------------------------------------------------------

BLOOM: Final = {
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold": "1",
}


@pytest.mark.parametrize("adaptive", ["true", "false"])
@pytest.mark.parametrize("kind", ["JOIN", "LEFT SEMI JOIN", "twice"])
def test_bloom_filters_of_spark(spark: SparkSession, tables: None, kind: str, adaptive: str) -> None:
    """A plan with Spark's Bloom filters is taken as if they were not there; also when Spark makes two in one pass."""
    conf = {**BLOOM, "spark.sql.adaptive.enabled": adaptive}
    few = "(SELECT long, text, v FROM b WHERE v = 3)"
    if kind == "twice":
        query = f"SELECT p.id FROM p JOIN {few} c ON p.long = c.long JOIN {few} d ON p.text = d.text"
    else:
        query = f"SELECT p.id FROM p {kind} {few} b ON p.long = b.long"
    with configured(spark, {**conf, "spark.pyflare.enabled": "false"}):
        plan = spark.sql(query)._jdf.queryExecution().optimizedPlan().toString()
    assert "might_contain" in plan
    assert_same(spark, query, conf=conf)
