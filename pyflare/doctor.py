"""`pyflare doctor`: is everything there that PyFlare needs, and what to do about what is not."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyflare import explanation, jar, session

_LIBRARIES: Final = ("pyspark", "py4j", "pyarrow", "numba", "numpy", "pandas")
_ENOUGH_SHARED_MEMORY: Final = 512 * 2**20
_QUERY: Final = "SELECT k, count(*) AS n, sum(x * 2) AS s FROM pyflare_doctor WHERE x > 3 GROUP BY k ORDER BY k"


class Problem(Exception):
    """A check that failed, and the remedy. With `required=False` PyFlare works without what was looked for."""

    def __init__(self, message: str, remedy: str, required: bool = True) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.required = required


@dataclass(frozen=True)
class Check:
    """One check: `run` returns what it found or raises `Problem`."""

    name: str
    run: Callable[[], str]


def run() -> bool:
    """Run and print every check. Returns whether all that is required is there."""
    outcomes = [_report(check) for check in CHECKS]
    return all(outcomes)


def _report(check: Check) -> bool:
    try:
        return _line("ok", check.name, check.run())
    except Problem as problem:
        _line("FAIL" if problem.required else "note", check.name, str(problem), problem.remedy)
        return not problem.required
    except Exception as error:
        _line("FAIL", check.name, f"{type(error).__name__}: {error}")
        return False


def _line(status: str, name: str, text: str, remedy: str = "") -> bool:
    print(f"{status:4}  {name:14}  {text}", flush=True)
    if remedy:
        print(f"{'':22}-> {remedy}", flush=True)
    return True


def _python() -> str:
    versions = []
    for name in _LIBRARIES:
        try:
            versions.append(f"{name} {importlib.import_module(name).__version__}")
        except ImportError as error:
            raise Problem(
                f"{name} cannot be imported: {error}", f"pip install {name}, or install pyflare again"
            ) from None
        except AttributeError:
            versions.append(name)
    return f"{sys.version.split()[0]} ({', '.join(versions)})"


def _java() -> str:
    text = subprocess.run([jar.java(), "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)[^"]*"', text)
    if found is None or int(found[1]) < 17:
        raise Problem(f"{jar.java()} is not Java 17 or newer", "install Java 17 or newer, or let JAVA_HOME name one")
    return f"{found[0].split()[1]} at {jar.java()}"


def _spark() -> str:
    import pyspark

    spark = jar.installed_spark()
    if not re.match(r"4\.[0-3]\.", spark.version):
        raise Problem(f"Spark {spark.version} at {jar.spark_home()}", "install pyspark 4.0 to 4.3")
    if spark.version != pyspark.__version__:
        raise Problem(
            f"PySpark is {pyspark.__version__}, but Spark at {jar.spark_home()} is {spark.version}",
            f"pip install pyspark=={spark.version}, or unset SPARK_HOME",
        )
    return f"{spark.version} (Scala {spark.scala}) at {jar.spark_home()}"


def _jar() -> str:
    try:
        return str(jar.jar_path())
    except jar.JarError as error:
        raise Problem(str(error), "Java and the Spark above are all that building it needs") from None


def _shared_memory() -> str:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        raise Problem(
            "/dev/shm is not there or not writable", "results go through spark.local.dir, slower", required=False
        )
    free = shutil.disk_usage(memory).free
    if free < _ENOUGH_SHARED_MEMORY:
        raise Problem(f"/dev/shm has {free >> 20} MiB left", "in a container: --shm-size=4g", required=False)
    return f"/dev/shm has {free >> 20} MiB left"


def _interpreter() -> str:
    settings = session.conf(session.defaults())
    python = settings.get("spark.pyflare.python") or os.environ.get("PYSPARK_PYTHON") or "python3"
    path = os.pathsep.join(filter(None, [settings.get("spark.pyflare.pythonPath"), os.environ.get("PYTHONPATH")]))
    program = "import sys, pyflare.worker, numba, pyarrow; print(sys.version.split()[0])"
    command = [python, "-c", program]
    try:
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Problem(f"{python}: {error.strerror}", "let spark.pyflare.python name an interpreter") from None
    if done.returncode:
        cause = done.stderr.strip().splitlines()[-1]
        raise Problem(
            f"{python}: {cause}", f"{python} -m pip install pyflare, or let spark.pyflare.python name another"
        )
    return f"{python} is Python {done.stdout.strip()}"


def _round_trip() -> str:
    """A query over a Parquet file, with PyFlare and without."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("pyflare doctor")
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    spark = session.enable(builder.config(map=quiet)).getOrCreate()
    try:
        with tempfile.TemporaryDirectory() as folder:
            pq.write_table(pa.table({"k": ["a", "b", None] * 5, "x": list(range(15))}), f"{folder}/rows.parquet")
            spark.read.parquet(f"{folder}/rows.parquet").createOrReplaceTempView("pyflare_doctor")
            return _compare(spark)
    finally:
        spark.stop()


def _compare(spark: Any) -> str:
    from pyflare.frame import explain

    rows = {}
    found = explanation.Explanation((), ())
    for enabled in ("false", "true"):
        spark.conf.set("spark.pyflare.enabled", enabled)
        frame = spark.sql(_QUERY)
        rows[enabled] = frame.collect()
        found = explain(frame)
    if rows["true"] != rows["false"]:
        raise Problem(f"PyFlare answers {rows['true']}, Spark {rows['false']}", "a bug of PyFlare: please report it")
    if not found.fully_accelerated:
        reasons = "; ".join(str(reason) for reason in found.reasons)
        raise Problem(f"Spark ran the query: {reasons}", "the log of the worker, above, says more")
    return "a query gives the same rows with PyFlare and without"


def _tensorflow() -> str:
    if importlib.util.find_spec("tensorflow") is None:
        raise Problem(
            "not installed; only model functions need it", "pip install 'pyflare[tensorflow]'", required=False
        )
    program = "import tensorflow as tf; print(tf.__version__)"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        cause = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        raise Problem(f"cannot be imported: {cause}", "pip install --force-reinstall tensorflow")
    return done.stdout.strip()


CHECKS: Final = (
    Check("Python", _python),
    Check("Java", _java),
    Check("Spark", _spark),
    Check("jar", _jar),
    Check("shared memory", _shared_memory),
    Check("worker", _interpreter),
    Check("round trip", _round_trip),
    Check("TensorFlow", _tensorflow),
)
