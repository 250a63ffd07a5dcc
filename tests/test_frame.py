"""`flare(df)`: the ways out of a query that do not pass through rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

import pyflare
from pyflare.frame import Flare
from tests.differential import configured

Tables: TypeAlias = dict[tuple[str, str], DataFrame]
EVERYTHING = "SELECT * FROM moderate_many WHERE id % 3 <> 1"


def _shared_memory() -> set[str]:
    return {str(path) for path in Path("/dev/shm").glob("pyflare-*/*") if path.suffix == ".arrow"}


def test_importing_is_cheap() -> None:
    program = "import sys, pyflare; print([m for m in ('numpy', 'pyarrow', 'pyspark', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_to_arrow_is_what_spark_gives(spark: SparkSession, typed: Tables) -> None:
    table = pyflare.flare(EVERYTHING, spark).to_arrow()
    expected = spark.sql(EVERYTHING).toArrow()
    assert table.schema.names == expected.schema.names
    assert table.schema.types == expected.schema.types
    assert table.sort_by("id").equals(expected.sort_by("id"))


def test_large_results_leave_no_file(spark: SparkSession) -> None:
    before = _shared_memory()
    table = pyflare.flare("SELECT id, id * 2 AS twice FROM range(500000)", spark).to_arrow()
    assert table.num_rows == 500_000
    assert _shared_memory() == before
    assert table["twice"][499_999].as_py() == 999_998


def test_what_spark_has_to_run_comes_out_as_well(spark: SparkSession, typed: Tables) -> None:
    frame = pyflare.flare("SELECT g, collect_list(id) AS ids FROM moderate_one GROUP BY g", spark)
    assert not frame.explain().fully_accelerated
    assert frame.to_arrow().num_rows == 6


def test_switched_off(spark: SparkSession, typed: Tables) -> None:
    spark.conf.set("spark.pyflare.enabled", "false")
    try:
        frame = pyflare.flare(EVERYTHING, spark)
        assert frame.explain().coverage == "no"
        assert frame.to_arrow().num_rows > 0
    finally:
        spark.conf.unset("spark.pyflare.enabled")


def test_to_numpy(spark: SparkSession, typed: Tables) -> None:
    frame = pyflare.flare("SELECT id, i32, f64, d9, b FROM moderate_many ORDER BY id", spark)
    matrix = frame.to_numpy()
    rows = frame.df.collect()
    expected = [[np.nan if value is None else float(value) for value in row] for row in rows]
    assert matrix.shape == (len(rows), 5)
    np.testing.assert_array_equal(matrix, np.array(expected))
    assert pyflare.flare("SELECT id FROM moderate_one", spark).to_numpy(np.int32).dtype == np.int32


def test_to_numpy_refuses_what_is_no_number(spark: SparkSession, typed: Tables) -> None:
    with pytest.raises(TypeError, match="column s is string"):
        pyflare.flare("SELECT s FROM moderate_one", spark).to_numpy()
    with pytest.raises(TypeError, match="column i32 has nulls"):
        pyflare.flare("SELECT i32 FROM moderate_one", spark).to_numpy(np.int64)


def test_collect_and_show(spark: SparkSession, typed: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pyflare.flare("SELECT count(*) AS n FROM moderate_one", spark)
    assert [row.n for row in frame.collect()] == [1000]
    frame.show()
    assert "|1000|" in capsys.readouterr().out
    assert repr(frame) == "Flare[n: bigint]"


def test_kernels(spark: SparkSession, typed: Tables) -> None:
    source = pyflare.flare("SELECT g, sum(i32) AS total FROM moderate_many WHERE i8 > 2 GROUP BY g", spark).kernels()
    assert "def " in source
    assert "i8" in source
    compile(source, "kernels", "exec")


def test_explain_is_a_function_too(spark: SparkSession, typed: Tables) -> None:
    found = pyflare.explain("SELECT count(*) FROM moderate_one", spark)
    assert found.fully_accelerated
    assert pyflare.explain("SELECT count(*) FROM moderate_one").fully_accelerated


def test_dataset(spark: SparkSession, typed: Tables) -> None:
    pytest.importorskip("tensorflow")
    frame = pyflare.flare("SELECT id, f64 FROM moderate_one WHERE f64 IS NOT NULL", spark)
    batches = list(frame.dataset(64).as_numpy_iterator())
    assert batches[0].shape == (64, 2)
    assert sum(len(batch) for batch in batches) == frame.to_arrow().num_rows


def test_a_connect_client_is_told_what_it_can_do() -> None:
    class ConnectFrame:
        """What a Connect DataFrame is for `Flare`: one without a JVM object."""

        def toArrow(self) -> str:  # noqa: N802
            return "rows"

    frame = Flare(ConnectFrame())
    assert frame.to_arrow() == "rows"
    with pytest.raises(NotImplementedError, match="shows PyFlare"):
        frame.explain()


def test_a_setting_that_cannot_be_read_is_the_reason(spark: SparkSession) -> None:
    frame = spark.range(1000).selectExpr("sum(id) AS s")
    with configured(spark, {"spark.pyflare.memory": "lots"}):
        query = frame.selectExpr("s + 1 AS t")
        (reason,) = pyflare.explain(query).reasons
        assert reason.reason == "spark.pyflare.memory: 'lots' is not a size such as 512m or 4g"
        assert query.collect() == [(499_501,)]
    assert pyflare.explain(frame.selectExpr("s + 2 AS t")).fully_accelerated
