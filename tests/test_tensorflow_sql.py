"""Models as SQL functions, with PyFlare and without, and the TensorFlare experiment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import tensorflow as tf
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from pyflare import flare
from pyflare.tensorflow import register
from pyflare.tensorflow.saving import save
from tests.differential import Answer, assert_same, configured
from tpch import crime

VALUES = """
    SELECT * FROM VALUES
      (1, 0.5D, 1.5F, 10L, 1.25BD), (2, -0.5D, -1.5F, -10L, -1.25BD), (3, double('NaN'), 0F, 0L, 0BD),
      (4, NULL, 1F, 1L, 1BD), (5, 1D, NULL, 1L, 1BD), (6, 1D, 1F, NULL, 1BD), (7, 1D, 1F, 1L, NULL),
      (8, 1e300D, 1F, 1L, 1BD)
    AS data(id, a, b, c, d)
"""

_ON_A_CLUSTER: Final = """
import shutil
from pathlib import Path
from pyspark.sql import SparkSession
from pyflare.tensorflow import register

settings = {"spark.ui.enabled": "false", "spark.driver.memory": "1g", "spark.executor.memory": "1g"}
settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
spark = SparkSession.builder.master("local-cluster[1,1,1024]").config(map=settings).getOrCreate()
register(spark, "twice", lambda x: x * 2, inputs=["int64"])
models = Path(spark.sparkContext._temp_dir) / "pyflare-models"
for path in models.iterdir():
    if path.is_dir():
        shutil.rmtree(path)
print([row[0] for row in spark.sql("SELECT twice(id) FROM range(3)").collect()])
"""


@pytest.fixture(scope="module")
def plain_spark(spark: SparkSession) -> Iterator[SparkSession]:
    """The session with PyFlare switched off."""
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        yield spark


@pytest.fixture(scope="module")
def models(spark: SparkSession) -> SparkSession:
    """The session with a few models in it."""
    tf.keras.utils.set_random_seed(5)
    softmax = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3, activation="softmax")])
    register(spark, "classifier", softmax, argmax=True)
    register(spark, "probabilities", softmax)
    register(spark, "flags", lambda x: tf.stack([x > 0.0, x > 1.0], axis=1), inputs=["float32"])
    register(spark, "probabilities_of", lambda x: x * 2.0, inputs=[tf.TensorSpec([None, 4], tf.float32)])
    register(spark, "weighted", lambda a, b: 2.0 * a + tf.cast(b, tf.float64), inputs=["float64", "int64"])
    register(spark, "is_large", lambda x: x > 1.0, inputs=["float32"])
    register(spark, "as_float", lambda x: x, inputs=["float32"])
    register(spark, "index", lambda i: tf.gather([10, 20, 30], i), inputs=["int32"])
    spark.sql(VALUES).createOrReplaceTempView("numbers")
    return spark


@pytest.fixture(scope="module")
def filed(models: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    """The models' session with the rows of `numbers` out of a file, as the view `filed`."""
    path = str(tmp_path_factory.mktemp("numbers") / "t")
    models.sql("SELECT * FROM numbers").coalesce(1).write.parquet(path)
    models.read.parquet(path).createOrReplaceTempView("filed")
    return models


FULLY = [
    "SELECT id FROM numbers WHERE weighted(a, c) > 0",
    "SELECT weighted(sum(a), count(*)) AS w FROM numbers WHERE NOT isnan(a)",
    "SELECT id, weighted(a, c) AS w, is_large(b) AS l FROM numbers",
    "SELECT class, count(*) AS n FROM (SELECT classifier(a, b, c, id) AS class FROM numbers) GROUP BY class",
    "SELECT id, as_float(id * 123456789123) AS f FROM range(2000)",
    "SELECT id, as_float(id * 1.1e37D) AS f, as_float(id % 2 = 0) AS b FROM range(2000)",
    "SELECT c, count(*) AS n FROM (SELECT classifier(id % 13, id % 7, id, 1) AS c FROM range(300000)) GROUP BY c",
    "SELECT id, as_float(nullif(id % 10, 3)) AS f, as_float(id / nullif(id % 4, 0)) AS g FROM range(3000)",
]
EITHER = [
    "SELECT id, classifier(a, b, c, d) AS class FROM numbers WHERE NOT isnan(a)",
    "SELECT id, classifier(a, b + 1, c * 2, coalesce(d, 0)) AS class, weighted(coalesce(a, 7), id) AS w FROM numbers",
    "SELECT id, is_large(weighted(a, c)) AS l, is_large(d) AS m FROM numbers",
]


@pytest.mark.parametrize("query", FULLY)
def test_models_run_in_pyflare_with_the_same_rows(models: SparkSession, query: str) -> None:
    assert_same(models, query, accelerated=True)


@pytest.mark.parametrize("query", EITHER)
def test_the_same_rows_wherever_they_run(models: SparkSession, query: str) -> None:
    assert_same(models, query, accelerated=False)


def test_arrays(filed: SparkSession) -> None:
    query = "SELECT id, probabilities(a, b, c, d) AS p FROM filed"
    found = assert_same(filed, query)
    assert isinstance(found, Answer)
    lengths = {id_: None if p is None else len(p) for id_, p in found.rows}
    assert lengths == {1: 3, 2: 3, 3: 3, 4: None, 5: None, 6: None, 7: None, 8: 3}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, classifier(array(a, b, c, d)) AS class FROM filed",
        "SELECT probabilities(array(a, b, c, d)) AS p, id AS i FROM filed WHERE id <> 3",
        "SELECT probabilities(a, b, c, d) AS p FROM filed WHERE id > 100",
        "SELECT g, flags(x) AS f FROM (SELECT id % 2 AS g, cast(sum(b) AS FLOAT) AS x FROM filed GROUP BY 1)",
        "SELECT probabilities(a, b, c, d) AS p FROM filed ORDER BY id",
        "SELECT id, probabilities(a, b, c, d) AS p, flags(a) AS f FROM filed",
        "SELECT t.id, u.p FROM filed t JOIN (SELECT id, probabilities(a, b, c, d) AS p FROM filed) u ON t.id = u.id",
        "SELECT classifier(a, b, c, id) AS c, count(*) AS n FROM filed WHERE classifier(a, b, c, id) < 2 GROUP BY 1",
        "SELECT t.id, u.id AS other FROM filed t JOIN filed u ON t.id = u.id AND classifier(t.a, t.b, t.c, t.id) < 2",
        "SELECT t.id, u.id AS other FROM filed t JOIN filed u ON classifier(t.a, t.b, t.c, t.id) = u.id - 1",
        "SELECT t.id, u.id AS other FROM filed t JOIN filed u ON t.id < u.id AND classifier(t.a, u.b, t.c, u.id) = 1",
    ],
)
def test_arrays_in_and_out(filed: SparkSession, query: str) -> None:
    assert_same(filed, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id + 1 AS i, probabilities(a, b, c, d)[0] AS p FROM filed",
        "SELECT probabilities(a, b, c, d) AS p, count(*) AS n FROM filed GROUP BY 1",
        "SELECT classifier(probabilities_of(array(a, b, c, d))) AS c FROM filed",
        "SELECT probabilities(a, b, c, d) AS p FROM filed UNION ALL SELECT array(1.0F)",
    ],
)
def test_what_else_is_done_with_arrays_is_spark_s(filed: SparkSession, query: str) -> None:
    assert_same(filed, query, accelerated=False)


def test_arrays_reach_arrow_and_files(filed: SparkSession, tmp_path: Path) -> None:
    """More rows than travel inline, and by the columnar way."""
    query = "SELECT t.id, probabilities(a, b, c, d) AS p FROM filed t, range(3000)"
    with configured(filed, {"spark.pyflare.enabled": "false"}):
        expected = filed.sql(query).toArrow()
    frame = flare(query, filed)
    assert frame.explain().fully_accelerated
    table = frame.to_arrow()
    assert table.schema.equals(expected.schema)
    assert sorted(map(str, table.to_pylist())) == sorted(map(str, expected.to_pylist()))
    filed.sql(query).write.parquet(str(tmp_path / "written"))
    written = filed.read.parquet(str(tmp_path / "written"))
    assert written.where("p IS NOT NULL").count() == 4 * 3000


def test_values_and_schema(plain_spark: SparkSession, models: SparkSession) -> None:
    frame = plain_spark.sql(
        "SELECT weighted(a, c) AS w, is_large(b) AS l, index(id % 3) AS i FROM numbers WHERE id < 5"
    )
    assert frame.schema.simpleString() == "struct<w:double,l:boolean,i:int>"
    rows = [tuple(row) for row in frame.collect()]
    assert [rows[0], rows[1], rows[3]] == [(11.0, True, 20), (-11.0, False, 30), (None, False, 20)]
    assert str(rows[2]) == "(nan, False, 10)"


def test_the_function_works_on_data_frames(plain_spark: SparkSession) -> None:
    double = register(plain_spark, "twice", lambda x: x * 2, inputs=["int64"])
    assert [row[0] for row in plain_spark.range(3).select(double("id")).collect()] == [0, 2, 4]


def test_a_registered_model_can_be_replaced(spark: SparkSession) -> None:
    for factor in (2, 3):
        register(spark, "scaled", lambda x, factor=factor: x * factor, inputs=["int64"])
        assert_same(spark, "SELECT scaled(id) AS s FROM range(5)", accelerated=False)
        assert spark.sql("SELECT scaled(7L) AS s").first() == (7 * factor,)
        assert spark.sql("SELECT id, scaled(id) AS s FROM range(9) WHERE id = 8").first() == (8, 8 * factor)


def test_a_model_that_is_gone_is_named(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "model"
    save(lambda x: x - 1.0, path, ["float32"])
    register(spark, "lost", str(path), jit_compile=False)
    (path / "saved_model.pb").write_bytes(b"damaged")
    for enabled in ("false", "true"):
        with configured(spark, {"spark.pyflare.enabled": enabled}), pytest.raises(PythonException) as caught:
            spark.sql("SELECT lost(id) AS l FROM range(3)").collect()
        assert "the model lost(x) cannot be loaded: " in str(caught.value)
    with pytest.raises(ValueError, match=f"the SavedModel in {path} cannot be loaded"):
        register(spark, "lost", str(path))


def test_a_saved_model_is_used_in_place(plain_spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "model"
    save(lambda x: x - 1.0, path, ["float32"])
    register(plain_spark, "less", str(path))
    assert plain_spark.sql("SELECT less(3) AS l").first() == (2.0,)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT classifier(1, 2, 3) AS c", "classifier(x[4]) takes 4 arguments, 3 were given"),
        ("SELECT classifier('1', 2, 3, 4) AS c", "feeds a tensor of float32 and cannot be string: cast it"),
        ("SELECT index(3000000000) AS i", "argument 1 of index(x) feeds a tensor of int32 and cannot be long: cast it"),
        ("SELECT index(7) AS i", "indices[0] = 7 is not in [0, 3)"),
        ("SELECT classifier(array(1, 2)) AS c", "x takes arrays of 4 numbers, one of 2 was given"),
    ],
)
def test_wrong_calls_are_explained(models: SparkSession, query: str, message: str) -> None:
    for enabled in ("false", "true"):
        with configured(models, {"spark.pyflare.enabled": enabled}), pytest.raises(PythonException) as caught:
            models.sql(query).collect()
        assert message in str(caught.value)


def test_models_lie_in_the_applications_directory(spark: SparkSession, models: SparkSession) -> None:
    directory = Path(spark.sparkContext._temp_dir) / "pyflare-models"
    assert any(path.name.startswith("classifier-") for path in directory.iterdir())


def test_the_dataset_of_a_query(spark: SparkSession) -> None:
    batches = flare(spark.sql("SELECT id, id * 2 AS twice, id % 2 AS label FROM range(10)")).dataset(4, label="label")
    assert [features.shape.as_list() for features, _ in batches] == [[4, 2], [4, 2], [2, 2]]


def test_the_experiment(spark: SparkSession, tmp_path: Path) -> None:
    """Every way to call the model gives the same accuracy matrix, and the classifier has learnt something."""
    experiment = crime.Experiment(spark, tmp_path, crime.WAYS)
    experiment.prepare(tmp_path)
    experiment.measure(500, repeat=2, warmup=1)
    document: dict[str, Any] = json.loads(json.dumps(experiment.document()))
    assert {result["way"]: result["rows_equal"] for result in document["results"]} == {
        way.name: True for way in crime.WAYS
    }
    right = sum(row[f"class{row['cluster']}"] for row in document["accuracy"])
    assert 450 < right < 500
    assert "rows equal" in experiment.report()


def test_the_data_of_the_experiment_are_the_same_every_time(tmp_path: Path) -> None:
    path = crime.generate(1000, tmp_path)
    assert crime.generate(1000, tmp_path) == path
    assert crime.table(1000, 1).equals(crime.table(1000, 1))
    assert not crime.table(1000, 1).equals(crime.table(1000, 2))


def test_the_examples_of_the_guide(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    guide = (Path(__file__).parent.parent / "docs" / "tensorflow.md").read_text()
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for example in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
            exec(compile(example, "docs/tensorflow.md", "exec"), names)
    shown = capsys.readouterr().out
    assert "|5.0|" in shown
    assert "|predicted|" in shown


def test_a_cluster_does_not_share_the_drivers_disk() -> None:
    """The model is sent to the executors: it is found there when the driver's copy is gone."""
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_CLUSTER],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable},
    )
    assert "[0, 2, 4]" in done.stdout, done.stderr[-3000:]
