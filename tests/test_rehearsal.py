"""The queries that warm an application up: nobody may see them, and they end when the user begins."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.applications import SESSION, running_job

WATCH: Final = """
import time
from pathlib import Path

def threads():
    names = [thread.getName() for thread in spark._jvm.Thread.getAllStackTraces().keySet()]
    return names.count("pyflare-rehearsal")

def samples():
    "The files of this application's rehearsal: others' are older than the program."
    began = Path(__file__).stat().st_mtime
    return {str(path) for path in Path("/dev/shm").glob("pyflare-*/rehearsal.parquet") if path.stat().st_ctime > began}

def seen():
    spark._jsc.sc().listenerBus().waitUntilEmpty()
    store = spark._jsc.sc().statusStore()
    return store.jobsList(None).size(), spark._jsparkSession.sharedState().statusStore().executionsCount()
"""
UNSEEN: Final = """
deadline = time.monotonic() + 60
while not (mine := samples()) and threads() and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(3)
print("rehearsing", threads(), "seen", seen(), flush=True)
"""
ENDS: Final = """
print("answer", spark.range(10).selectExpr("sum(id) AS s").collect()[0].s)
while threads() and time.monotonic() < deadline:
    time.sleep(0.01)
print("left", threads(), mine & samples(), flush=True)
spark.stop()
"""


def test_nobody_sees_it_and_the_first_query_ends_it(tmp_path: Path) -> None:
    with running_job(tmp_path, WATCH + UNSEEN + ENDS) as application:
        output = application.rest()
    assert application.process.returncode == 0, output
    assert "rehearsing 1 seen (0, 0)" in output
    assert "answer 45" in output
    assert "left 0 set()" in output
    assert "WARN" not in output.partition("rehearsing")[2], output


def test_spark_runs_none_of_it(tmp_path: Path) -> None:
    """Not even when the backend takes nothing."""
    off = SESSION.replace(".getOrCreate()", ".config('spark.pyflare.memory', 'lots').getOrCreate()")
    assert off != SESSION
    with running_job(tmp_path, "spark.stop()\n" + off + WATCH + UNSEEN + "spark.stop()\n") as application:
        output = application.rest()
    assert "rehearsing 1 seen (0, 0)" in output, output


def test_it_can_be_left_out(tmp_path: Path) -> None:
    off = SESSION.replace(".getOrCreate()", ".config('spark.pyflare.rehearsal', 'false').getOrCreate()")
    text = "print('rehearsing', threads(), flush=True)\nspark.stop()\n"
    assert off != SESSION
    with running_job(tmp_path, "spark.stop()\n" + off + WATCH + text) as application:
        output = application.rest()
    assert "rehearsing 0" in output, output
