"""The guide's examples, and a Spark Connect session."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from pyspark.sql import SparkSession

from tests.applications import ROOT
from tpch import blocks

CONNECT: Final = """
import tensorflow as tf
from pyspark.sql import SparkSession, functions as F
import pyflare.tensorframes as tfs
from pyflare import flare

spark = SparkSession.builder.remote("local[1]").config("spark.driver.memory", "1g").getOrCreate()
frame = spark.range(0, 6, 1, 1).select(F.col("id").cast("double").alias("x"), (F.col("id") % 2).alias("k"))
with tf.Graph().as_default():
    mapped = tfs.map_blocks(tf.add(tfs.block(frame, "x"), 1.0, name="z"), frame)
assert [row.z for row in tfs.map_rows(lambda z: {"w": z * 2}, mapped).collect()] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
assert tfs.reduce_blocks(lambda x_input: {"x": tf.reduce_sum(x_input, 0)}, frame) == 15.0
assert tfs.reduce_rows(lambda x_1, x_2: {"x": x_1 + x_2}, frame.select("x")) == 15.0
grouped = frame.groupBy("k", (F.col("x") > 3).alias("large"))
found = tfs.aggregate(lambda x_input: {"x": tf.reduce_max(x_input, 0)}, grouped)
assert sorted(map(tuple, found.collect())) == [(0, False, 2.0), (0, True, 4.0), (1, False, 3.0), (1, True, 5.0)]
try:
    tfs.aggregate(lambda x_input: {"x": tf.reduce_max(x_input, 0)}, frame.rollup("k"))
except TypeError as error:
    assert "without rollup" in str(error)
tfs.print_schema(tfs.append_shape(tfs.analyze(frame), "k", [None]))
batches = [batch.numpy().ravel().tolist() for batch in flare(frame.orderBy("x")).dataset(4, columns=["x"])]
assert batches == [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0]]
print("done")
"""


def test_the_benchmark_has_the_same_answers_in_all_ways(spark: SparkSession, tmp_path: Path) -> None:
    experiment = blocks.Experiment(spark, tmp_path)
    experiment.measure(1000, 1, 0)
    assert [(result.task, result.rows_equal) for result in experiment.results] == [
        *[("map_blocks", True)] * 3,
        *[("reduce_blocks", True)] * 3,
    ]
    assert not blocks.close([1.0, 2.0], [1.0, 2.1])


@pytest.mark.usefixtures("spark")
def test_the_guides_examples(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "tensorframes.md").read_text(), re.DOTALL):
        exec(compile(example, "docs/tensorframes.md", "exec"), names)
    shown = capsys.readouterr().out
    for line in (
        " |-- both: array (nullable = false) double[?,2]",
        "10.0\n3628800.0\n",
        "Row(z=4.0, key=1, x=1.0)",
        " |-- y: array (nullable = false) double[5,2]",
        "[ 55. -55.] [  1. -10.]",
        "|[4, 3, 2, 1]| 10|[1, 2, 3, 4]|",
    ):
        assert line in shown
    np.testing.assert_allclose(names["centers"], [[3.0, -3.0], [8.0, -8.0]])
    means = {row["key"]: row["mean"] for row in names["tfs"].map_blocks(*_mean(names)).collect()}
    assert means[0] == pytest.approx((3 * 6 * 9) ** (1 / 3))


def _mean(names: dict[str, Any]) -> tuple[Any, Any]:
    def mean(log: Any, count: Any) -> Any:
        return names["tf"].exp(log / count)

    return mean, names["sums"]


def test_a_connect_session(tmp_path: Path) -> None:
    """Graphs are sent to the server inside the functions."""
    program = tmp_path / "program.py"
    program.write_text(CONNECT)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == [
        " |-- x: double (nullable = false) double[6]",
        " |-- k: long (nullable = true) long[?]",
        "done",
    ]
