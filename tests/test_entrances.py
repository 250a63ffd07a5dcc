"""Every way into PyFlare, as a new user would take it: an unchanged job, and what it says of itself."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import nbformat
import pyspark
import pytest
from nbclient import NotebookClient

import pyflare
from tests.applications import SESSION, running

UNCHANGED: Final = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(1000).selectExpr("id", "id % 3 AS k").write.mode("overwrite").parquet("{table}")
frame = spark.read.parquet("{table}").where("id >= 10").groupBy("k").sum("id").orderBy("k")
print("rows", [tuple(row) for row in frame.collect()], flush=True)
frame.explain()
spark.stop()
"""
ROWS: Final = "rows [(0, 166815), (1, 166155), (2, 166485)]"
PLAN: Final = "PyFlare ["
HOME: Final = Path(pyspark.__file__).parent
LOOPBACK: Final = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
}


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A PySpark program that has never heard of PyFlare."""
    path = tmp_path / "job.py"
    path.write_text(UNCHANGED.format(table=tmp_path / "table"))
    return path


def output(*command: str | Path, environment: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """What a command prints. Asserts that it succeeds."""
    with running(command, {"SPARK_HOME": str(HOME), **(environment or {})}, cwd) as application:
        text = application.rest()
    assert application.process.returncode == 0, text
    return text


def as_options(conf: dict[str, str]) -> list[str]:
    return [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]


def test_pyflare_submit(job: Path) -> None:
    text = output(sys.executable, "-m", "pyflare", "submit", "--master", "local[2]", *as_options(LOOPBACK), job)
    assert ROWS in text
    assert PLAN in text


def test_spark_submit_with_the_confs(job: Path) -> None:
    """As the README says it: `--jars $(pyflare jar)` and the plugin, nothing else."""
    jar = subprocess.run([sys.executable, "-m", "pyflare", "jar"], capture_output=True, text=True, check=True)
    conf = {**LOOPBACK, "spark.plugins": "org.pyflare.PyFlarePlugin"}
    options = ["--master", "local[2]", "--jars", jar.stdout.strip(), *as_options(conf)]
    text = output(HOME / "bin" / "spark-submit", *options, job, environment={"PYSPARK_PYTHON": sys.executable})
    assert ROWS in text
    assert PLAN in text


def test_spark_defaults(job: Path, tmp_path: Path) -> None:
    """`pyflare conf >> spark-defaults.conf`, then plain `python job.py`."""
    printed = subprocess.run([sys.executable, "-m", "pyflare", "conf"], capture_output=True, text=True, check=True)
    others = "".join(f"{key} {value}\n" for key, value in LOOPBACK.items())
    (tmp_path / "spark-defaults.conf").write_text(printed.stdout + others)
    text = output(sys.executable, job, environment={"SPARK_CONF_DIR": str(tmp_path)})
    assert ROWS in text
    assert PLAN in text


def test_switched_off(job: Path) -> None:
    conf = {**LOOPBACK, "spark.pyflare.enabled": "false"}
    text = output(sys.executable, "-m", "pyflare", "submit", "--master", "local[2]", *as_options(conf), job)
    assert ROWS in text
    assert PLAN not in text


def test_a_session_in_a_notebook(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    table = tmp_path / "table"
    sources = (
        SESSION,
        f'spark.range(1000).selectExpr("id", "id % 3 AS k").write.parquet("{table}")',
        f'frame = spark.read.parquet("{table}").groupBy("k").count().orderBy("k"); frame.toPandas()',
        "pyflare.explain(frame)",
        "spark.stop()",
    )
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    shown = [str(cell.outputs) for cell in notebook.cells]
    assert "334" in shown[2]
    assert "All of it runs in PyFlare" in shown[3]


# Spark Connect --------------------------------------------------------------------------------------------------------

CLIENT: Final = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.range(1000).selectExpr("id", "id % 3 AS k").write.mode("overwrite").parquet(sys.argv[2])
frame = spark.read.parquet(sys.argv[2]).where("id >= 10").groupBy("k").sum("id").orderBy("k")
print("rows", [tuple(row) for row in frame.collect()], flush=True)
print("pandas", frame.toPandas().shape, flush=True)
frame.explain()
spark.stop()
"""


@contextmanager
def connect_server(tmp_path: Path) -> Iterator[str]:
    """A Spark Connect server with the plugin; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf = {**pyflare.conf(), **LOOPBACK, "spark.connect.grpc.binding.port": str(port)}
    options = as_options({**conf, "spark.connect.grpc.binding.address": "127.0.0.1", "spark.log.level": "INFO"})
    server = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", "local[2]"]
    command = [str(HOME / "bin" / "spark-submit"), *server, *options, "spark-internal"]
    with running(command, {"SPARK_HOME": str(HOME), "SPARK_NO_DAEMONIZE": "1"}, tmp_path) as application:
        application.wait_for("Spark Connect server started")
        yield f"sc://127.0.0.1:{port}"


def test_a_remote_client_of_a_connect_server(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(CLIENT)
    with connect_server(tmp_path) as address:
        text = output(sys.executable, client, address, tmp_path / "table")
    assert ROWS in text
    assert "pandas (3, 2)" in text
    assert PLAN in text


def test_a_connect_session_in_this_process(tmp_path: Path) -> None:
    """`remote("local[2]")` sets `spark.plugins` itself, so the extension is the way in."""
    client = tmp_path / "client.py"
    changed = CLIENT.replace("builder.remote(sys.argv[1])", "builder.remote('local[2]').config(map=conf)")
    client.write_text(f"import pyflare\nconf = pyflare.conf()\n{changed}")
    text = output(sys.executable, client, "", tmp_path / "table", environment={"SPARK_LOCAL_IP": "127.0.0.1"})
    assert ROWS in text
    assert PLAN in text
