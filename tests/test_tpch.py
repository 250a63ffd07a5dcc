"""TPC-H: the queries on both engines, and the tools that measure them."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from tests.differential import assert_same
from tpch import answers, dbbench, engines, ways, workload
from tpch.compare import difference
from tpch.report import Report

SCALE: Final = 0.01


@pytest.mark.parametrize("number", range(1, 23))
def test_query(spark: SparkSession, tpch_small: Path, number: int) -> None:
    """Each query runs in PyFlare, and gives the same as without it, and as DuckDB."""
    task = workload.query(number, SCALE)
    assert_same(spark, task.sql, accelerated=True)
    rows = [tuple(row) for row in spark.sql(task.sql).collect()]
    assert answers.duckdb_difference(tpch_small, [(task, rows)]) == {}


def test_tasks() -> None:
    names = [task.name for task in workload.tasks("1, 3-4,q22,tiny")]
    assert names == ["q01", "q03", "q04", "q22", "tiny"]
    assert len(workload.tasks("all")) == 22
    assert "* 0.0000100000" in workload.query(11, 10).sql
    for wrong in ("0", "23", "4-2", "x"):
        with pytest.raises(ValueError, match="none of the 22"):
            workload.tasks(wrong)


def test_the_specification_has_an_answer_for_every_query() -> None:
    assert list(answers.SPECIFICATION) == [task.name for task in workload.tasks("all")]
    task = workload.query(6)
    assert answers.specification_difference(task, [(Decimal("123141078.2283"),)]) == ""
    assert "has 123141078.23" in answers.specification_difference(task, [(Decimal("123141078.24"),)])
    assert answers.specification_difference(task, []) == "0 rows, the specification has 1"


@pytest.mark.parametrize(
    ("left", "right", "exact", "loose"),
    [
        (Decimal("1.50"), Decimal("1.50"), True, True),
        (Decimal("1.50"), Decimal("1.5"), False, True),
        (Decimal("0.333333"), 1 / 3, False, True),
        (Decimal("0.333335"), 1 / 3, False, False),
        (1.0, 1.0 + 1e-12, True, True),
        (1.0, 1.0 + 1e-8, False, False),
        (float("nan"), float("nan"), True, True),
        ("a", "b", False, False),
        (None, 0, False, False),
        (datetime.date(2020, 1, 1), datetime.date(2020, 1, 1), True, True),
    ],
)
def test_compare(left: Any, right: Any, exact: bool, loose: bool) -> None:
    assert (difference([("k", left)], [("k", right)], exact=True) == "") == exact
    assert (difference([("k", left)], [("k", right)], exact=False) == "") == loose


def test_compare_ignores_order_but_not_count() -> None:
    assert difference([(1, "a"), (2, "b")], [(2, "b"), (1, "a")], exact=True) == ""
    assert difference([(1,)], [(1,), (1,)], exact=True) == "2 rows instead of 1"


def test_compare_tables(tmp_path: Path) -> None:
    """Rows may come in any order, columns of floating-point numbers do not decide which."""
    columns: dict[str, list[Any]] = {"score": [0.5, 0.25, 0.5], "id": [1, 2, 3], "name": ["a", "b", "a"]}

    def stored(name: str, columns: dict[str, list[Any]]) -> str:
        table = pa.table(columns)
        with pa.OSFile(str(tmp_path / name), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        return str(tmp_path / name)

    expected = stored("expected", columns)
    turned = {name: values[::-1] for name, values in columns.items()}
    assert difference(expected, stored("turned", turned), exact=True) == ""
    assert difference(expected, stored("other", {**turned, "name": ["a", "a", "b"]}), True) == "columns name differ"
    assert difference(expected, stored("fewer", {k: v[1:] for k, v in columns.items()}), True) == "2 rows instead of 3"


def test_an_engine_that_is_not_there() -> None:
    with pytest.raises(LookupError, match="pip install"):
        engines.interpreter(engines.Engine("other", "spark", "a_module_that_is_not_there"))


def test_run_and_report(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    options = ["--sf", str(SCALE), "--queries", "6", "--engines", "spark,pyflare,duckdb", "--hot", "--cold"]
    counts = ["--repeat", "2", "--warmup", "1", "--cold-repeat", "1", "--out", str(out)]
    command = [sys.executable, "-m", "tpch.run", *options, *counts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(out.read_text())
    modes = {(result["engine"], result["mode"]) for result in document["results"]}
    assert ("pyflare", "cold, filled cache") in modes
    assert ("spark", "cold") in modes
    hot = [result for result in document["results"] if result["mode"] == "hot"]
    assert len(hot) == 3
    assert all(len(result["seconds"]) == 2 and result["peak_mib"] > 0 for result in hot)
    assert document["coverage"]["q06"]["coverage"] == "fully"
    summary = Report(document).summary()
    assert "| engine | geometric mean, s | PyFlare's / its | PyFlare ahead in | peak memory, MiB |" in summary
    assert "handing over, median over the queries" in summary
    markdown = Report(document).markdown()
    assert "| query | spark | pyflare | duckdb |" in markdown
    assert markdown.count("×") == 4


def test_report_on_an_experiment(tmp_path: Path) -> None:
    results = [
        {"way": way, "rows": rows, "median": seconds, "task": "sum"}
        for rows in (10, 2000)
        for way, seconds in (("Spark", 3.0), ("PyFlare", 0.5))
    ]
    document = {"results": results, "cold_medians": {"Spark": 8.0, "PyFlare": 4.0}}
    lines = ways.markdown(document).splitlines()
    assert "| sum 2,000 rows, hot | Spark | 3.000 | 6.0 |" in lines
    assert "| first run, nothing compiled | Spark | 8.000 | 2.0 |" in lines
    ways.draw(document, tmp_path / "chart")
    assert all((tmp_path / f"chart.{ending}").stat().st_size > 1000 for ending in ("png", "svg"))


def test_dbbench(tmp_path: Path) -> None:
    """Both tasks of db-benchmark on few rows: the engines agree, and the joins have matches and rows without."""
    x, small, _, big = (dict(columns) for _, columns in dbbench.join_columns(1000))
    assert len(set(x["id3"])) == len(set(big["id3"])) == 1000
    assert len(set(x["id3"]) & set(big["id3"])) == 900
    assert len(set(x["id1"]) & set(small["id1"])) == 9
    out = tmp_path / "results.json"
    options = ["--rows", "1e3", "--repeat", "2", "--warmup", "1", "--out", str(out)]
    done = subprocess.run([sys.executable, "-m", "tpch.dbbench", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(out.read_text())
    assert document["rows"] == 1000
    assert len(document["results"]) == 45
    assert all(document["coverage"][f"join{number}"]["coverage"] == "fully" for number in range(1, 6))
    assert Report(document).title == "db-benchmark, 1e+03 rows"
