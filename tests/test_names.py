"""Columns may have any name, also one that kernels use themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tests.differential import assert_same

NAMES: Final = (
    *(
        "counter",
        "capacity",
        "resume",
        "skip",
        "emitted",
        "projection",
        "n_out",
        "h",
        "slot",
        "found",
        "at",
        "g",
        "key",
    ),
    *(
        "begin0",
        "end0",
        "match0",
        "has0",
        "any0",
        "turn0",
        "flags",
        "selected",
        "start",
        "end",
        "count",
        "kept",
        "group",
    ),
    *(
        "i",
        "lo",
        "hi",
        "kernel",
        "words",
        "it",
        "array",
        "given",
        "valid",
        "arena",
        "text",
        "merged",
        "chosen",
        "matched",
    ),
    *("int64", "abs", "len", "range", "class", "None", "ok", "v", "日", "_", "a_v", "a_ok", "out0_data", "ht_slots"),
)
ROWS: Final = 200


@pytest.fixture(scope="module")
def named(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Tables `numbers` (too far apart for dense groups), `texts` and `nulls` whose columns have those names."""
    folder: Path = tmp_path_factory.mktemp("names")
    values = {name: [(row * 7 + place) % 50 for row in range(ROWS)] for place, name in enumerate(NAMES)}
    tables: dict[str, dict[str, list[Any]]] = {
        "numbers": {name: [value * 2**40 for value in column] for name, column in values.items()},
        "texts": {name: [f"{name} {value}" for value in column] for name, column in values.items()},
        "nulls": {name: [value or None for value in column] for name, column in values.items()},
    }
    for table, columns in tables.items():
        path = str(folder / f"{table}.parquet")
        pq.write_table(pa.table({"id": list(range(ROWS)), **columns}), path, use_dictionary=table != "texts")
        spark.read.parquet(path).createOrReplaceTempView(table)
    yield spark
    for table in tables:
        spark.catalog.dropTempView(table)


@pytest.mark.parametrize("table", ["numbers", "texts", "nulls"])
def test_rows_of_every_name(named: SparkSession, table: str) -> None:
    assert_same(named, f"SELECT * FROM {table} WHERE counter IS NOT NULL AND `at` IS NOT NULL AND id > 5")


@pytest.mark.parametrize("table", ["numbers", "texts", "nulls"])
@pytest.mark.parametrize("name", NAMES)
def test_groups_and_joins_by_each_name(named: SparkSession, table: str, name: str) -> None:
    assert_same(named, f"SELECT `{name}`, count(*), max(`{name}`) FROM {table} GROUP BY `{name}`")
    join = f"FROM {table} a LEFT JOIN {table} b ON a.`{name}` = b.`{name}` AND a.id < b.id"
    assert_same(named, f"SELECT a.`{name}`, b.id, b.`{name}` {join} WHERE a.`{name}` IS NOT NULL")


def test_grouping_sets_over_these_names(named: SparkSession) -> None:
    keys = "projection, found, slot"
    assert_same(named, f"SELECT {keys}, count(*), max(h), max(`at`) FROM texts GROUP BY ROLLUP ({keys})")
