"""Random joins of random tables, and aggregates over them, with PyFlare and without."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

import pyflare
from tests.differential import ANY, assert_same, configured
from tests.join_queries import VIEWS, queries
from tests.join_tables import DDL, KeyTable, key_tables

ONE_SCAN_TASK: Final = {"spark.sql.files.minPartitionNum": "1"}
"""Of a query that can fail in several ways, Spark raises what the fastest task meets: with two tasks that is chance."""
NO_BROADCAST: Final = {
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.autoBroadcastJoinThreshold": "-1",
}
NO_MERGE: Final = {**NO_BROADCAST, "spark.sql.join.preferSortMergeJoin": "false"}
JOINS: Final[tuple[dict[str, str], ...]] = ({}, {}, NO_BROADCAST, NO_MERGE)
"""Settings under which Spark plans other physical joins."""
TAKEN: Final = 0.9
"""The least share of the queries that must run in PyFlare as a whole."""


def check_same(
    spark: SparkSession, folder: Path, tables: tuple[KeyTable, ...], query: str, conf: dict[str, str]
) -> bool:
    """Assert that a query gives the same with PyFlare and without. Returns whether PyFlare took all of it."""
    for view, table in zip(VIEWS, tables, strict=True):
        table.write(folder / view)
        spark.read.schema(DDL).parquet(str(folder / view)).createOrReplaceTempView(view)
    settings_ = {**ONE_SCAN_TASK, **conf}
    with configured(spark, settings_):
        taken = pyflare.explain(spark.sql(query)).fully_accelerated
    assert_same(spark, query, accelerated=taken, raises=ANY, conf=settings_)
    return taken


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random_joins")


def test_same(spark: SparkSession, folder: Path) -> None:
    """Many random queries; nearly all run in PyFlare."""
    ran: Counter[bool] = Counter()

    @settings(max_examples=70, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        tables=st.tuples(*(key_tables() for _ in VIEWS)),
        query=queries(),
        joins=st.sampled_from(JOINS),
        ansi=st.booleans(),
        aqe=st.booleans(),
    )
    def check(tables: tuple[KeyTable, ...], query: str, joins: dict[str, str], ansi: bool, aqe: bool) -> None:
        conf = {**joins, "spark.sql.ansi.enabled": str(ansi), "spark.sql.adaptive.enabled": str(aqe)}
        ran[check_same(spark, folder, tables, query, conf)] += 1

    check()
    assert ran[True] >= TAKEN * ran.total(), f"PyFlare took {ran[True]} of {ran.total()} queries"
