"""Random queries over random tables, with PyFlare and without."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from tests import tables
from tests.differential import ANY, assert_same
from tests.queries import Query, queries

ONE_SCAN_TASK: Final = {"spark.sql.files.minPartitionNum": "1"}
"""Of a query that can fail in several ways, Spark raises what the fastest task meets: with two tasks that is chance."""


@dataclass(frozen=True)
class Layout:
    """A random table: its values, and how it is cut into files and row groups."""

    extreme: bool
    rows: int
    nulls: float
    seed: int
    files: int
    group: int

    def write(self, folder: Path) -> None:
        """Write the table's files into an empty folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        table = tables.extreme(self.seed) if self.extreme else tables.moderate(self.rows, self.nulls, self.seed)
        for number in range(self.files):
            self._write_part(table.slice(number * len(table) // self.files), folder / f"part-{number}.parquet")

    def _write_part(self, table: pa.Table, file: Path) -> None:
        part = table.slice(0, len(table) // self.files)
        pq.write_table(part, file, row_group_size=self.group, use_dictionary=self.seed % 2 == 0)


layouts = st.builds(
    Layout,
    extreme=st.booleans(),
    rows=st.integers(0, 400),
    nulls=st.sampled_from((0.0, 0.1, 0.9)),
    seed=st.integers(0, 10**6),
    files=st.integers(1, 3),
    group=st.sampled_from((13, 1000)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random") / "table"


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(layout=layouts, query=queries(), ansi=st.booleans(), aqe=st.booleans())
def test_same(spark: SparkSession, folder: Path, layout: Layout, query: Query, ansi: bool, aqe: bool) -> None:
    assume(not (query.sums and layout.extreme))
    layout.write(folder)
    spark.read.parquet(str(folder)).createOrReplaceTempView("t")
    conf = {**ONE_SCAN_TASK, "spark.sql.ansi.enabled": str(ansi), "spark.sql.adaptive.enabled": str(aqe)}
    floats = "close" if query.sums else "exact"
    assert_same(spark, query.sql, floats=floats, raises=ANY, conf=conf)
