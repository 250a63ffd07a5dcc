"""Models that take columns of arrays and of texts, and models that return structs: with PyFlare and without."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from pyflare.errors import Unsupported
from pyflare.io.cache import ColumnCache
from pyflare.io.decode import decode
from pyflare.io.parquet import open_scan
from pyflare.io.spec import ScanColumn, ScanFile, ScanSpec
from pyflare.run.feeds import fed
from pyflare.tensorflow import models, register, tensors
from pyflare.tensorflow.models import ModelFunction
from pyflare.tensorflow.registration import describe
from pyflare.tensorflow.saving import SIGNATURE, save
from pyflare.types import FLOAT, DataType, array_of
from tests.differential import Answer, assert_same, configured
from tpch import mlp
from tpch.comparison import PYFLARE

ROWS: Final = 1000
FLOATS: Final = pa.float32()
VECTORS: Final = tf.TensorSpec([None, 4], tf.float32)


def moments(x: Any) -> Any:
    """A model of three outputs."""
    return {"total": tf.reduce_sum(x, axis=1), "doubled": x * 2, "first": tf.cast(x[:, 0], tf.int32)}


def labelled(x: Any) -> Any:
    """A model that returns texts."""
    return tf.where(x[:, 0] > 0.5, "na\u00efve", "plain"), x[:, 1]


def write(path: Path, vectors: Any, element: pa.DataType = FLOATS, rows: int = 300) -> str:
    """A Parquet file with numbers, vectors, texts and bytes."""
    count = len(vectors)
    columns = {
        "id": pa.array(range(count), pa.int64()),
        "v": pa.array(vectors, pa.list_(element)),
        "s": pa.array([None if i % 11 == 5 else f"Na\u00efve {i % 7}" for i in range(count)]),
        "u": pa.array([f"{i} " * (i % 5) for i in range(count)]),
        "b": pa.array([bytes([i % 256, 0, 255]) for i in range(count)]),
    }
    pq.write_table(pa.table(columns), path, row_group_size=rows)
    return str(path)


@pytest.fixture(scope="module")
def session(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    """The session with some models, and tables of vectors."""
    pair = tf.TensorSpec([None, 2], tf.string)
    known = partial(register, spark, jit_compile=False)
    known("total", lambda x: tf.reduce_sum(x, axis=1), inputs=[VECTORS])
    known("doubled", lambda x: x * 2, inputs=[VECTORS])
    known("moments", moments, inputs=[VECTORS])
    known("scaled", lambda x, f: x * f[:, None], inputs=[VECTORS, "float32"])
    known("labelled", labelled, inputs=[VECTORS], returns="label: string, second: double")
    known("size_of", lambda x: tf.strings.length(x), inputs=["string"])
    known("upper_of", lambda x: tf.strings.upper(x, encoding="utf-8"), inputs=["string"])
    known("both_of", lambda x: tf.strings.reduce_join(x, 1), inputs=[pair])
    root = tmp_path_factory.mktemp("vectors")
    view = partial(_view, spark, root)
    view("vectors", np.random.default_rng(1).random((ROWS, 4), np.float32).tolist())
    view("nulls", [[1, 2, 3, 4], None, [5, 6, 7, 8], None, [0, 0, 0, -0.0]], rows=2)
    view("holes", [[1, 2, 3, 4], None, [5, None, 7, 8], [9, 9, 9, 9]])
    view("ragged", [[1, 2, 3, 4], [1, 2], [5, 6, 7, 8], []])
    view("never", [None, None])
    view("longs", [[1, -2, 3, 2**62], [5, 6, 7, 2**24 + 1]], pa.int64())
    view("shorts", [[1, -2, 3, 4], [5, 6, 7, -8]], pa.int16())
    view("doubles", [[0.1, float("nan"), 1e300, -0.0], [1, 2, 3, 4]], pa.float64())
    view("booleans", [[True, False, False, True], [False] * 4], pa.bool_())
    (root / "older").mkdir()
    write(root / "older" / "new.parquet", [[1, 2, 3, 4], None, [5, 6, 7, 8]])
    pq.write_table(pa.table({"id": [7, 8]}), root / "older" / "old.parquet")
    spark.read.option("mergeSchema", "true").parquet(str(root / "older")).createOrReplaceTempView("older")
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        spark.table("vectors").write.orc(str(root / "orc"))
    spark.read.orc(str(root / "orc")).createOrReplaceTempView("elsewhere")
    return spark


def _view(
    spark: SparkSession, root: Path, name: str, vectors: Any, element: pa.DataType = FLOATS, rows: int = 300
) -> None:
    spark.read.parquet(write(root / f"{name}.parquet", vectors, element, rows)).createOrReplaceTempView(name)


# --- arrays ---


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, total(v) AS t FROM vectors",
        "SELECT id, v, doubled(v) AS d, total(v) AS t FROM vectors WHERE id % 3 = 0",
        "SELECT id, total(doubled(v)) AS t, total(scaled(v, id)) AS u FROM vectors WHERE id BETWEEN 200 AND 700",
        "SELECT id, total(v) AS t FROM vectors WHERE total(v) > 2 ORDER BY total(v) DESC, id LIMIT 20",
        "SELECT cast(total(v) AS INT) AS k, count(*) AS n FROM vectors GROUP BY cast(total(v) AS INT)",
        "SELECT id, scaled(v, id) AS d FROM vectors ORDER BY id DESC LIMIT 7",
        "SELECT v, total(v) AS t FROM vectors UNION ALL SELECT doubled(v), id FROM vectors",
        "SELECT id, v IS NULL AS n, v, total(v) AS t, doubled(v) AS d FROM nulls",
        "SELECT id, doubled(v) AS d, total(v) AS t FROM nulls WHERE v IS NOT NULL",
        "SELECT id, doubled(v) AS d, total(v) AS t FROM never",
        "SELECT id, v, total(v) AS t, doubled(v) AS d FROM longs",
        "SELECT id, v, total(v) AS t, doubled(v) AS d FROM shorts",
        "SELECT id, v, total(v) AS t, doubled(v) AS d FROM doubles",
        "SELECT id, v, total(v) AS t, doubled(v) AS d FROM booleans",
        "SELECT a.id, b.v, b.d FROM vectors a LEFT JOIN (SELECT id * 2 AS id, v, doubled(v) AS d FROM nulls) b"
        " ON a.id = b.id WHERE a.id < 12",
        "SELECT a.id, b.v FROM vectors a LEFT JOIN (SELECT id, v FROM nulls WHERE total(v) > 100) b ON a.id = b.id",
        "SELECT id, v, doubled(v) AS d FROM older ORDER BY id, v IS NULL",
        "SELECT a.id, b.id AS k FROM vectors a JOIN nulls b ON cast(total(a.v) AS INT) = b.id AND a.id < 50",
    ],
)
def test_arrays(session: SparkSession, query: str) -> None:
    assert_same(session, query, floats="close" if "sum" in query else "exact")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT id, total(v) AS t, v FROM elsewhere WHERE id < 500", "FileFormat"),
        ("SELECT id, v FROM nulls", "columns of arrays are read for models and functions"),
        ("SELECT (SELECT max(id) FROM nulls WHERE v IS NOT NULL) AS m, id FROM vectors", "ScalarSubquery: columns of"),
        ("SELECT v[1] AS e, total(v) AS t FROM vectors", "GetArrayItem"),
        ("SELECT v, count(*) AS n FROM nulls WHERE total(v) > 1 GROUP BY v", "ArrayTransform"),
        ("SELECT max(v) AS m FROM nulls WHERE total(v) > 1", "which Aggregate does not hand on"),
        ("SELECT id, total(CASE WHEN id > 10 THEN v END) AS t FROM vectors", "arrays are handed on"),
    ],
)
def test_arrays_beside_spark_s_own_operators(session: SparkSession, query: str, reason: str) -> None:
    assert_same(session, query, accelerated=reason)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, v, total(v) AS t FROM holes",
        "SELECT id, total(v) AS t FROM ragged WHERE id % 2 = 0 AND id < 3",
    ],
)
def test_nulls_in_arrays_and_other_lengths_are_read_by_spark(session: SparkSession, query: str) -> None:
    answer = assert_same(session, query, accelerated=False)
    assert isinstance(answer, Answer)
    assert [row[-1] for row in answer.rows] in ([10, None, None, 36], [10, 26])


def test_arrays_of_another_length_are_an_error(session: SparkSession) -> None:
    for enabled in ("false", "true"):
        with configured(session, {"spark.pyflare.enabled": enabled}), pytest.raises(PythonException) as caught:
            session.sql("SELECT total(v) AS t FROM ragged").collect()
        assert "argument 1 of total(x[4]): x takes arrays of 4 numbers, one of 2 was given" in str(caught.value)


# --- texts ---


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, size_of(s) AS a, size_of(u) AS b, size_of(b) AS c, size_of('x') AS d FROM vectors",
        "SELECT id, upper_of(s) AS a, upper_of(concat(u, s)) AS b FROM vectors WHERE id % 4 <> 1",
        "SELECT upper_of(s) AS a, max(both_of(s, u)) AS m FROM vectors GROUP BY upper_of(s)",
        "SELECT id, both_of(upper_of(s), nullif(u, '')) AS a FROM vectors",
        "SELECT id, size_of(nullif(s, s)) AS a FROM vectors",
    ],
)
def test_texts(session: SparkSession, query: str) -> None:
    assert_same(session, query)


# --- structs ---


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, moments(v).total AS t, moments(v).doubled AS d FROM vectors",
        "SELECT id, moments(v) AS m, labelled(v) AS l FROM nulls",
        "SELECT m, m.first + 1 AS f, id FROM (SELECT id, moments(v) AS m FROM nulls ORDER BY id LIMIT 3)",
        "SELECT labelled(v).label AS l, sum(labelled(v).second) AS s, count(*) AS n FROM vectors"
        " WHERE moments(v).total > 1 GROUP BY 1",
        "SELECT a.id, b.m, b.m.total AS t FROM vectors a LEFT JOIN (SELECT id, moments(v) AS m FROM nulls) b"
        " ON a.id = b.id WHERE a.id < 8",
        "SELECT moments(v) AS m FROM nulls UNION ALL SELECT moments(v) FROM shorts",
    ],
)
def test_structs(session: SparkSession, query: str) -> None:
    assert_same(session, query, floats="close" if "sum" in query else "exact")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM nulls WHERE moments(v) IS NULL",
        "SELECT moments(v) AS m, count(*) AS n FROM shorts GROUP BY 1",
        "SELECT max(moments(v)) AS m FROM shorts",
    ],
)
def test_what_else_is_done_with_structs_is_spark_s(session: SparkSession, query: str) -> None:
    assert_same(session, query, accelerated=False)


# --- memory ---


def identity(path: Path) -> ModelFunction:
    """A model that returns the tensor that it is given."""
    return ModelFunction("same", describe(path, SIGNATURE, save(lambda x: x, path, [VECTORS]), None, False))


def address(array: Any) -> int:
    """Where an array lies."""
    return int(array.ctypes.data)


def test_a_column_of_a_file_is_the_models_tensor(tmp_path: Path) -> None:
    """Arrow's buffer, the column, what is left of it after a filter of its end, and the tensor: one address."""
    path = Path(write(tmp_path / "t.parquet", np.ones((ROWS, 4)).tolist(), rows=ROWS))
    columns = (ScanColumn("v", array_of(FLOAT)),)
    scan = open_scan(ScanSpec((ScanFile(str(path), path.stat().st_size),), columns), ColumnCache(2**30))
    (column,) = scan.read(scan.morsels[0], [0]).columns
    again = scan.read(scan.morsels[0], [0]).columns[0]
    step = identity(tmp_path / "model").plan([array_of(FLOAT)], array_of(FLOAT))
    (tensor,) = fed(step, step.allocate(ROWS), [column], ROWS)
    (result,) = models.load(step.spec).predict([tensor])
    assert address(column.data) == address(again.data) == address(tensor) == address(result)


def test_the_elements_of_an_arrow_array_are_the_models_tensor(tmp_path: Path) -> None:
    array = pa.array(np.ones((64, 4)).tolist(), pa.list_(pa.float32()))
    memory = array.values.buffers()[1].address
    matrix, ok = tensors.rows(array, 4, "x")
    assert (address(decode(array, array_of(FLOAT)).data), address(matrix), ok) == (memory, memory, None)
    assert address(tensors.as_array(tensors.as_tensor(matrix[16:]))) == memory + 16 * 4 * 4


@pytest.mark.parametrize(
    ("vectors", "message"),
    [([[1.0, 2.0], [1.0]], "have 1 to 2 elements"), ([[1.0, None]], "there is a null in an array<float>")],
)
def test_arrays_that_are_no_matrix(vectors: Any, message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        decode(pa.array(vectors, pa.list_(pa.float32())), array_of(FLOAT))


@pytest.mark.parametrize("element", ["byte", "integer", "long", "double"])
def test_slices_and_null_arrays(element: str) -> None:
    type_ = array_of(DataType(element))
    array = pa.array([[0, 0], [1, 2], None, [3, 4], [5, 6]], type_.arrow).slice(1, 3)
    column = decode(array, type_)
    assert column.data.tolist() == [[1, 2], [0, 0], [3, 4]]
    assert (column.ok is not None and column.ok.tolist(), column.data.dtype) == ([1, 0, 1], type_.storage)


# --- the experiment ---


def test_the_experiment(session: SparkSession, tmp_path: Path) -> None:
    """Every way to call the network counts the same, and the network has learnt something."""
    experiment = mlp.Experiment(session, tmp_path)
    experiment.measure(2000, repeat=2, warmup=1, scratch=tmp_path)
    equal = {result.way: result.rows_equal for result in experiment.results}
    assert equal == dict.fromkeys((mlp.BATCHED, mlp.PLAIN, PYFLARE, mlp.ALONE), True)
    assert next(result.coverage for result in experiment.results if result.way == PYFLARE) == "fully"
