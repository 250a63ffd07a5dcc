"""`collect()` out of the backend's memory: the rows, the errors and the executions of Spark's own `collect`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TypeAlias

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from pyflare.collecting import install, loading
from tests.differential import configured

Tables: TypeAlias = dict[tuple[str, str], DataFrame]
SPARKS: dict[str, str] = {"spark.pyflare.python.collect": "false"}
TYPES = """
    SELECT id, cast(id AS byte) b, cast(id AS short) s, cast(id AS int) i, id % 2 = 0 flag, cast(id AS float) / 7 f,
        double(id) / 7 d, decimal(id) / 100 c, cast(id AS decimal(38, 20)) wide, concat('é', id) text,
        date_add(DATE'1969-12-01', int(id)) day, timestamp_micros(id * 1234567891) ts,
        cast(timestamp_micros(id * 1234567891) AS timestamp_ntz) ntz
    FROM range(-100, 100)"""
COLUMNS = ("id", "b", "s", "i", "flag", "f", "d", "c", "wide", "text", "day", "ts", "ntz")
NULLS = f"SELECT {', '.join(f'if(id % 3 = 0, NULL, {c}) {c}' for c in COLUMNS)} "


@pytest.fixture(autouse=True)
def ready(spark: SparkSession) -> None:
    loading().join()


def _both(spark: SparkSession, query: str) -> tuple[list[Row], list[Row]]:
    rows = spark.sql(query).collect()
    with configured(spark, SPARKS):
        return rows, spark.sql(query).collect()


def _executions(spark: SparkSession) -> list[str]:
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    listed = spark._jsparkSession.sharedState().statusStore().executionsList()
    return [listed.apply(index).description() for index in range(listed.size())]


@pytest.mark.parametrize("query", [TYPES, f"{NULLS} FROM ({TYPES})", f"{TYPES} WHERE id > 1000", "SELECT 1 a, 2 a"])
def test_rows_are_sparks_to_the_last_type(spark: SparkSession, query: str) -> None:
    ours, sparks = _both(spark, query)
    assert repr(ours) == repr(sparks)
    assert [type(value) for row in ours for value in row] == [type(value) for row in sparks for value in row]
    assert [row.__fields__ for row in ours] == [row.__fields__ for row in sparks]


def test_special_numbers(spark: SparkSession, typed: Tables) -> None:
    ours, sparks = _both(spark, "SELECT * FROM extreme_one ORDER BY id")
    assert repr(ours) == repr(sparks)


@pytest.mark.parametrize("value", ["array(id)", "named_struct('a', id)", "cast(string(id) AS binary)", "map(id, 1)"])
def test_other_types_come_as_from_spark(spark: SparkSession, value: str) -> None:
    ours, sparks = _both(spark, f"SELECT {value} FROM range(5)")
    assert repr(ours) == repr(sparks)


def test_one_execution_each_with_sparks_name(spark: SparkSession) -> None:
    before = len(_executions(spark))
    query = "SELECT sum(id) FROM range(10)"
    assert spark.sql(query).collect() == [Row(45)]
    with configured(spark, SPARKS):
        spark.sql(query).collect()
    assert spark.sql(query).first() == Row(45)
    ours, sparks, first = (name.rpartition(":")[0] for name in _executions(spark)[before:])
    assert ours == sparks
    assert first == f"first at {__file__}"
    assert ours == f"collect at {__file__}"


def test_what_the_backend_gives_up_spark_delivers(spark: SparkSession) -> None:
    before = len(_executions(spark))
    with configured(spark, {"spark.pyflare.memory": "64k"}):
        rows = spark.sql("SELECT id, count(*) FROM range(100000) GROUP BY id").collect()
    assert len(set(rows)) == 100_000
    assert len(_executions(spark)) == before + 1


def test_spark_delivers_the_first_rows_of_an_application(tmp_path: Path) -> None:
    """Spark registers how it pickles rows when it collects for the first time."""
    job = tmp_path / "job.py"
    job.write_text("""
from pyspark.sql import SparkSession
import pyflare
from pyflare.collecting import loading

settings = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
spark = pyflare.enable(SparkSession.builder.master("local[1]").config(map=settings)).getOrCreate()
loading().join()
spark.conf.set("spark.pyflare.memory", "64k")
print(len(spark.sql("SELECT id, count(*) FROM range(20000) GROUP BY id").collect()))
""")
    done = subprocess.run([sys.executable, str(job)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["20000"], done.stderr


def test_a_date_that_python_lacks_fails_alike(spark: SparkSession) -> None:
    query = "SELECT date_add(DATE'9999-12-31', int(id)) FROM range(2)"
    with pytest.raises(ValueError, match=r"ordinal|range") as ours:
        spark.sql(query).collect()
    with configured(spark, SPARKS), pytest.raises(ValueError, match=r"ordinal|range") as sparks:
        spark.sql(query).collect()
    assert str(ours.value) == str(sparks.value)


def test_installed_once() -> None:
    collect = DataFrame.collect
    install()
    assert DataFrame.collect is collect
