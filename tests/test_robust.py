"""What goes wrong outside of a query's rows: processes that die, files that change, users who cancel."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

import pyflare
from tests.applications import eventually, in_thread, running_job
from tests.differential import ANY, Raised, assert_same

ENDLESS: Final = "SELECT sum(id % 1000003 * 7 % 11) AS s FROM range(400000000000)"
LONG: Final = "SELECT count(*) AS n, sum(id % 7) AS s FROM range(2000000000)"


# Processes ------------------------------------------------------------------------------------------------------------


def test_a_killed_worker_costs_time_but_no_rows(tmp_path: Path) -> None:
    """The kill comes when the query runs: a run that takes long has a job of its own, for the progress bar."""
    program = f"""
import json, os, signal, threading, time
pid = json.loads(spark._jvm.org.pyflare.PyFlare.command("ping", ""))["pid"]
def kill():
    while not spark.sparkContext.statusTracker().getActiveJobsIds():
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
threading.Thread(target=kill, daemon=True).start()
print("rows", spark.sql("{LONG}").collect(), flush=True)
print("another worker", json.loads(spark._jvm.org.pyflare.PyFlare.command("ping", ""))["pid"] != pid, flush=True)
print("more rows", spark.sql("SELECT count(*) AS n FROM range(1000) WHERE id % 2 = 0").collect(), flush=True)
spark.stop()
"""
    with running_job(tmp_path, program) as job:
        output = job.rest()
    assert job.process.returncode == 0, output
    assert "rows [Row(n=2000000000, s=5999999995)]" in output
    assert "goes to Spark" in output
    assert "another worker True" in output
    assert "more rows [Row(n=500)]" in output


def test_a_killed_driver_leaves_nothing(tmp_path: Path) -> None:
    shared = set(Path("/dev/shm").iterdir())
    with running_job(tmp_path, f"print('ready', flush=True)\nspark.sql('{ENDLESS}').collect()\n") as job:
        job.wait_for("ready")
        family = job.descendants()
        assert any("pyflare.worker" in _command(member) for member in family)
        for member in family:
            if "/java " in _command(member):
                member.kill()
        eventually(lambda: not any("pyflare.worker" in _command(member) for member in family), "the end of the worker")
    eventually(lambda: not {p for p in Path("/dev/shm").iterdir() if "pyflare" in p.name} - shared, "a clean /dev/shm")


def _command(process: Any) -> str:
    import psutil

    try:
        return " ".join(process.cmdline()) if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.NoSuchProcess:
        return ""


def test_ctrl_c_cancels_between_morsels(tmp_path: Path) -> None:
    program = f"""
import json, time
ping = spark._jvm.org.pyflare.PyFlare.command
pid = json.loads(ping("ping", ""))["pid"]
print("ready", flush=True)
try:
    spark.sql("{ENDLESS}").collect()
except BaseException as error:
    print("raised", type(error).__name__, flush=True)
began = time.monotonic()
print("same worker", json.loads(ping("ping", ""))["pid"] == pid, flush=True)
print("rows", spark.sql("SELECT count(*) AS n FROM range(1000) WHERE id % 2 = 0").collect(), flush=True)
print("soon", time.monotonic() - began < 30, flush=True)
spark.stop()
"""
    with running_job(tmp_path, program) as job:
        job.wait_for("ready")
        time.sleep(2)
        job.interrupt()
        output = job.rest()
    assert "raised KeyboardInterrupt" in output or "raised Py4J" in output  # as in Spark, by what the thread waits in
    assert "same worker True" in output
    assert "rows [Row(n=500)]" in output
    assert "soon True" in output


# Cancellation ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["session", "tag", "group", "everything"])
def test_cancelled_from_another_thread(spark: SparkSession, how: str) -> None:
    context = spark.sparkContext
    cancel: dict[str, Callable[[], Any]] = {
        "session": spark.interruptAll,
        "tag": lambda: context.cancelJobsWithTag("endless"),
        "group": lambda: context.cancelJobGroup("endless"),
        "everything": context.cancelAllJobs,
    }

    def work() -> Any:
        context.setJobGroup("endless", "a query without an end")
        context.addJobTag("endless")
        return spark.sql(ENDLESS).collect()

    thread, outcome = in_thread(work)
    eventually(lambda: bool(context.statusTracker().getActiveJobsIds()), "a job beside the query")
    cancel[how]()
    thread.join(60)
    context.cancelAllJobs()
    assert not thread.is_alive()
    assert "SPARK_JOB_CANCELLED" in str(outcome[0])
    assert_same(spark, "SELECT count(*), max(id) FROM range(1000)")


# Files ----------------------------------------------------------------------------------------------------------------


def numbers(folder: Path, low: int, high: int, name: str = "part.parquet") -> Path:
    """A table of the integers `low … high` in one file, written anew."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table({"x": pa.array(range(low, high), pa.int64())}), folder / name, row_group_size=1000)
    return folder


def test_a_rewritten_file_is_never_served_stale(spark: SparkSession, tmp_path: Path) -> None:
    table = numbers(tmp_path / "t", 0, 5000)
    spark.read.parquet(str(table)).createOrReplaceTempView("rewritten")
    assert spark.sql("SELECT sum(x), count(*) FROM rewritten").collect()[0] == (12497500, 5000)
    for start in (1, 2, 3):
        numbers(table, start, 5000 + start)
        expected = sum(range(start, 5000 + start))
        assert spark.read.parquet(str(table)).selectExpr("sum(x)").collect()[0][0] == expected
        spark.catalog.refreshByPath(str(table))
        assert spark.sql("SELECT sum(x), count(*) FROM rewritten").collect()[0] == (expected, 5000)


def test_an_appended_file_is_seen(spark: SparkSession, tmp_path: Path) -> None:
    table = numbers(tmp_path / "t", 0, 10)

    def query(session: SparkSession) -> DataFrame:
        return session.read.parquet(str(table)).selectExpr("count(*)", "max(x)")

    assert_same(spark, query)
    numbers(table, 100, 110, "more.parquet")
    assert_same(spark, query)
    assert query(spark).collect()[0] == (20, 109)


def test_a_damaged_file_is_sparks_own_error(spark: SparkSession, tmp_path: Path) -> None:
    table = numbers(tmp_path / "t", 0, 50_000)
    spark.read.parquet(str(table)).createOrReplaceTempView("damaged")
    file = table / "part.parquet"
    content = bytearray(file.read_bytes())
    content[1000:3000] = bytes(2000)
    file.write_bytes(content)
    _assert_same_error(spark, "SELECT sum(x) FROM damaged")
    file.write_bytes(b"PAR1 this is no Parquet file PAR1")
    spark.catalog.refreshByPath(str(table))
    _assert_same_error(spark, "SELECT sum(x) FROM damaged")


def test_a_missing_file_is_sparks_own_error(spark: SparkSession, tmp_path: Path) -> None:
    table = numbers(tmp_path / "t", 0, 5000)
    spark.read.parquet(str(table)).createOrReplaceTempView("gone")
    assert spark.sql("SELECT sum(x) FROM gone").collect()[0][0] == 12497500
    shutil.rmtree(table)
    _assert_same_error(spark, "SELECT sum(x) FROM gone")


def _assert_same_error(spark: SparkSession, query: str) -> None:
    assert isinstance(assert_same(spark, query, accelerated=False, raises=ANY), Raised)


# Sessions and threads -------------------------------------------------------------------------------------------------


def test_two_sessions_have_their_own_settings_and_views(spark: SparkSession, tmp_path: Path) -> None:
    other = spark.newSession()
    for session, low, zone in ((spark, 0, "UTC"), (other, 1000, "Asia/Tokyo")):
        folder = tmp_path / zone.replace("/", "-")
        session.read.parquet(str(numbers(folder, low, low + 10))).createOrReplaceTempView("mine")
        session.conf.set("spark.sql.session.timeZone", zone)
    try:
        query = "SELECT min(x), hour(timestamp_seconds(min(x))) FROM mine"
        assert pyflare.explain(query, other).fully_accelerated
        assert tuple(spark.sql(query).collect()[0]) == (0, 0)
        assert tuple(other.sql(query).collect()[0]) == (1000, 9)
        other.conf.set("spark.pyflare.enabled", "false")
        assert pyflare.explain(query, other).coverage == "no"
        assert pyflare.explain(query, spark).fully_accelerated
    finally:
        spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")


def test_eight_threads_get_their_own_answers(spark: SparkSession, tmp_path: Path) -> None:
    spark.read.parquet(str(numbers(tmp_path / "t", 0, 20_000))).createOrReplaceTempView("shared")

    def ask(number: int) -> tuple[int, list[Any]]:
        divisor = number % 8 + 2
        rows = spark.sql(f"SELECT x % {divisor} AS k, count(*) AS n, sum(x) AS s FROM shared GROUP BY 1").collect()
        return divisor, sorted(map(tuple, rows))

    with ThreadPoolExecutor(8) as pool:
        for divisor, rows in pool.map(ask, range(64)):
            groups = [range(k, 20_000, divisor) for k in range(divisor)]
            assert rows == [(k, len(group), sum(group)) for k, group in enumerate(groups)]
