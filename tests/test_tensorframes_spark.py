"""TensorFrames on Spark, with PyFlare switched on and off: rows, schemas, metadata, laziness and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import ArrayType, DoubleType, FloatType, IntegerType, LongType, StructField

import pyflare
import pyflare.tensorframes as tfs
from pyflare.tensorframes import blocks, core, shapes
from pyflare.tensorframes.checks import Feeding
from pyflare.tensorframes.mapping import FrameMapping, logger
from pyflare.tensorframes.reducing import Reducer
from tests import tensorframes_examples
from tests.differential import configured, ran_in_pyflare

v1 = tf.compat.v1
T = TypeVar("T")
WEIGHT = tf.Variable(2.0, dtype=tf.float64)


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    """A graph of its own for each test."""
    with tf.Graph().as_default() as graph:
        yield graph


def twice(spark: SparkSession, found: Callable[[], T]) -> T:
    """What is found with PyFlare, which must be what is found without."""
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        expected = found()
    actual = found()
    assert repr(actual) == repr(expected)
    return actual


def rows(frame: DataFrame) -> list[tuple[Any, ...]]:
    """The rows, the same with PyFlare and without, in the same order. A frame is planned once: each run has its own."""
    return twice(frame.sparkSession, lambda: [tuple(row) for row in frame.select("*").collect()])


def reduce_blocks(spark: SparkSession, fetches: Any, frame: DataFrame) -> Any:
    return twice(spark, lambda: tfs.reduce_blocks(fetches, frame))


def reduce_rows(spark: SparkSession, fetches: Any, frame: DataFrame) -> Any:
    return twice(spark, lambda: tfs.reduce_rows(fetches, frame))


def in_any_order(frame: DataFrame) -> list[tuple[Any, ...]]:
    """The rows in the order of their texts."""
    return twice(frame.sparkSession, lambda: sorted((tuple(row) for row in frame.select("*").collect()), key=repr))


def numbers(spark: SparkSession, partitions: int = 2) -> DataFrame:
    """x = 0.0 … 9.0 in order, in partitions of the same size."""
    return spark.range(0, 10, 1, partitions).select(F.col("id").cast("double").alias("x"))


def vectors(spark: SparkSession) -> DataFrame:
    """y = [i, -i]."""
    x = F.col("id").cast("double")
    return spark.range(0, 10, 1, 2).select(F.array(x, -x).alias("y"))


def placeholder(dtype: Any, shape: Any, name: str) -> Any:
    return v1.placeholder(dtype, shape, name)


def shape_of(field: StructField) -> Any:
    return field.metadata.get("org.spartf.shape"), field.metadata.get("org.sparktf.type")


# map_blocks -----------------------------------------------------------------------------------------------------------


def test_a_column_is_added(spark: SparkSession) -> None:
    frame = numbers(spark)
    z = tf.add(tfs.block(frame, "x"), 3, name="z")
    assert rows(tfs.map_blocks(z, frame)) == [(x + 3.0, x) for x in np.arange(10.0)]


def test_fetches_come_first_and_sorted_by_name(spark: SparkSession) -> None:
    frame = spark.range(4).select((F.col("id") * 1.0).alias("x"), F.col("id").cast("int").alias("i"), "id")
    x, i = tfs.block(frame, "x"), tfs.block(frame, "i")
    fetches = [tf.add(x, 1.0, name="z"), tf.stack([i, i], 1, name="b"), tf.cast(x, tf.float32, name="a")]
    found = tfs.map_blocks(fetches, frame)
    assert found.columns == ["a", "b", "z", "x", "i", "id"]
    assert found.schema.fields[:3] == [
        StructField("a", FloatType(), False, {"org.spartf.shape": [-1], "org.sparktf.type": "FloatType"}),
        StructField(
            "b",
            ArrayType(IntegerType(), False),
            False,
            {"org.spartf.shape": [-1, 2], "org.sparktf.type": "IntegerType"},
        ),
        StructField("z", DoubleType(), False, {"org.spartf.shape": [-1], "org.sparktf.type": "DoubleType"}),
    ]
    assert found.schema.fields[3:] == frame.schema.fields
    assert in_any_order(found) == [(float(n), [n, n], n + 1.0, float(n), n, n) for n in range(4)]


def test_a_block_is_a_partition_however_many_batches_it_comes_in(spark: SparkSession) -> None:
    frame = numbers(spark)
    total = tf.reduce_sum(tfs.block(frame, "x"))
    z = tf.add(tf.zeros_like(tfs.block(frame, "x", tf_name="again")), total, name="z")
    with configured(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": "2"}):
        found = rows(tfs.map_blocks(z, frame, feed_dict={"again": "x"}))
    assert found == [(10.0 if x < 5 else 35.0, x) for x in np.arange(10.0)]


def test_where_blocks_do_not_matter_the_graph_runs_in_the_backend(spark: SparkSession) -> None:
    frame = numbers(spark, 5)
    x = tfs.block(frame, "x")
    by_rows = tfs.map_blocks(tf.add(x * x, 3.0, name="z"), frame)
    assert rows(by_rows) == [(x * x + 3.0, x) for x in np.arange(10.0)]
    for found in (by_rows, tfs.map_rows(lambda x: {"y": x + 1.0}, frame)):
        found.collect()
        assert ran_in_pyflare(found)
    by_blocks = tfs.map_blocks(tf.add(x, tf.reduce_sum(x), name="z"), frame)
    assert not pyflare.explain(by_blocks).fully_accelerated


def test_empty_partitions_do_not_run_the_graph(spark: SparkSession) -> None:
    frame = numbers(spark).where("x < 5")
    x = tfs.block(frame, "x")
    with tf.control_dependencies([tf.debugging.assert_greater(tf.size(x), 0)]):
        z = tf.identity(x, name="z")
    assert [z for z, _ in rows(tfs.map_blocks(z, frame))] == [0.0, 1.0, 2.0, 3.0, 4.0]
    nothing = tfs.map_blocks(z, frame.where("x < 0"))
    assert (rows(nothing), nothing.columns) == ([], ["z", "x"])


def test_constants_need_no_column(spark: SparkSession) -> None:
    frame = numbers(spark)
    z = tf.constant([1, 2, 3, 4, 5], tf.int64, name="z")
    assert rows(tfs.map_blocks(z, frame)) == [(int(x) % 5 + 1, x) for x in np.arange(10.0)]
    assert rows(tfs.map_blocks(z, frame, trim=True)) == [(1,), (2,), (3,), (4,), (5,)] * 2


def test_trim_changes_the_number_of_rows(spark: SparkSession) -> None:
    frame = numbers(spark).select("x", F.lit("text").alias("other"))
    x = tf.reduce_sum(tfs.block(frame, "x"), 0, keepdims=True, name="x")
    top = tf.reduce_max(tfs.block(frame, "x", tf_name="in"), 0, keepdims=True, name="top")
    found = tfs.map_blocks([x, top], frame, feed_dict={"in": "x"}, trim=True)
    assert (found.columns, rows(found)) == (["top", "x_1"], [(4.0, 10.0), (9.0, 35.0)])


def test_trim_may_reuse_a_name(spark: SparkSession) -> None:
    frame = numbers(spark)
    x = tf.reduce_sum(placeholder(tf.float64, [None], "in"), 0, keepdims=True, name="x")
    assert rows(tfs.map_blocks(x, frame, {"in": "x"}, trim=True)) == [(10.0,), (35.0,)]


def test_an_output_longer_than_a_batch(spark: SparkSession) -> None:
    frame = numbers(spark, 1).limit(1)
    z = tf.range(200000.0 + tf.cast(tf.size(tfs.block(frame, "x")), tf.float32), name="z")
    found = tfs.map_blocks(z, frame, trim=True).agg(F.count("*"), F.sum("z"), F.max("z"))
    assert rows(found) == [(200001, 200000.0 * 200001 / 2, 200000.0)]


def test_vectors_and_matrices(spark: SparkSession) -> None:
    frame = tfs.analyze(vectors(spark))
    y = tfs.block(frame, "y")
    assert y.shape.as_list() == [None, 2]
    m = tf.multiply(y[:, :, None], y[:, None, :], name="m")
    found = tfs.map_blocks([m, tf.reduce_sum(y * y, 1, name="s")], frame)
    assert [shape_of(field)[0] for field in found.schema.fields] == [[-1, 2, 2], [-1], [5, 2]]
    n = 3.0
    assert rows(found)[3] == ([[n * n, -n * n], [-n * n, n * n]], 2 * n * n, [n, -n])
    with tf.Graph().as_default():
        m = tfs.block(found, "m")
        assert m.shape.as_list() == [None, 2, 2]
        traces = tfs.map_blocks(tf.reduce_sum(m, [1, 2], name="t"), found.select("m"))
    assert [t for t, _ in rows(traces)] == [0.0] * 10


def test_cells_of_three_dimensions_come_out_and_go_in_again(spark: SparkSession) -> None:
    frame = numbers(spark)
    cube = tf.tile(tf.reshape(tfs.block(frame, "x"), [-1, 1, 1, 1]), [1, 1, 2, 1], name="cube")
    found = tfs.map_blocks(cube, frame)
    assert rows(found)[1] == ([[[1.0], [1.0]]], 1.0)
    with tf.Graph().as_default():
        again = tfs.map_blocks(tf.reduce_sum(tfs.block(found, "cube"), [1, 2, 3], name="s"), found.select("cube"))
    assert rows(again)[2] == (4.0, [[[2.0], [2.0]]])
    deep = tf.reshape(tfs.block(frame, "x", tf_name="again"), [-1, 1, 1, 1, 1], name="deep")
    with pytest.raises(tfs.HighDimException, match=r"'deep' have the shape \[1,1,1,1\]: 3 dimensions is the most"):
        tfs.map_blocks(deep, frame, {"again": "x"})


def test_the_next_step_needs_no_analysis(spark: SparkSession) -> None:
    frame = numbers(spark)
    x = tfs.block(frame, "x")
    pairs = tfs.map_blocks(tf.stack([x, x + 1.0], 1, name="pair"), frame)
    with tf.Graph().as_default():
        total = tf.reduce_sum(tfs.block(pairs, "pair"), 1, name="total")
        found = tfs.map_blocks(total, pairs.where("x > 7"))
    assert rows(found) == [(17.0, [8.0, 9.0], 8.0), (19.0, [9.0, 10.0], 9.0)]


def test_an_analyzed_frame_may_be_filtered(spark: SparkSession) -> None:
    """The number of rows that `analyze` found says nothing about the rows that are left."""
    frame = tfs.analyze(vectors(spark)).where(F.col("y")[0] > 6)
    y = tfs.block(frame, "y")
    found = tfs.map_blocks(tf.multiply(y, 2.0, name="z"), frame)
    assert [z for z, _ in rows(found)] == [[14.0, -14.0], [16.0, -16.0], [18.0, -18.0]]


def test_values_are_exact(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(float("nan"), 2**53 + 1), (float("inf"), -(2**63)), (-0.0, 2**63 - 1)], "d double, l long"
    ).coalesce(1)
    found = tfs.map_blocks([tf.identity(tfs.block(frame, n), name=f"same_{n}") for n in ("d", "l")], frame)
    assert [repr(row[:2]) for row in rows(found)] == [
        "(nan, 9007199254740993)",
        "(inf, -9223372036854775808)",
        "(-0.0, 9223372036854775807)",
    ]


EVERYTHING = """
    SELECT 1D AS x, named_struct('a', 1, 'b', array('x', NULL)) AS struct, map('k', 1.5BD) AS map,
      CAST(1 AS DECIMAL(38, 10)) AS decimal, TIMESTAMP '1066-10-14 09:00:00' AS timestamp, DATE '0001-01-01' AS date,
      TIMESTAMP_NTZ '2020-02-29 23:59:59.999999' AS ntz, 'a\\u0000é' AS text, X'00FF' AS bytes, true AS flag,
      CAST(1 AS TINYINT) AS tiny, CAST(NULL AS SMALLINT) AS small, INTERVAL '1-3' YEAR TO MONTH AS months,
      INTERVAL '1 02:03:04.5' DAY TO SECOND AS seconds, NULL AS nothing, array(array(1, NULL), NULL) AS lists,
      make_interval(1, 2, 3, 4, 5, 6, -7.000001) AS interval, 2 AS `a.b`, 3 AS `a.b`, 4 AS ``
"""


def test_columns_of_any_type_pass_through(spark: SparkSession) -> None:
    frame = spark.sql(EVERYTHING.replace("AS ``", "AS `c``d`"))
    for mapping in (tfs.map_blocks, tfs.map_rows):
        found = mapping(lambda x: {"z": x + 1.0}, frame)
        assert found.schema.fields[1:] == frame.schema.fields
        texts = [F.col(f"c{i}").cast("string") for i in range(len(frame.columns))]
        before = frame.toDF(*(f"c{i}" for i in range(len(frame.columns)))).select(*texts)
        after = found.toDF("z", *(f"c{i}" for i in range(len(frame.columns)))).select(*texts)
        assert rows(after) == rows(before)


def test_ml_vectors_pass_through(spark: SparkSession) -> None:
    linalg = pytest.importorskip("pyspark.ml.linalg")
    frame = spark.createDataFrame([(1.0, linalg.Vectors.dense([1.0, 2.0]))], ["x", "v"])
    found = tfs.map_blocks(tf.add(tfs.block(frame, "x"), 1.0, name="z"), frame)
    assert rows(found) == [(2.0, 1.0, linalg.Vectors.dense([1.0, 2.0]))]


def test_metadata_of_other_kinds_is_kept(spark: SparkSession) -> None:
    frame = numbers(spark).select(F.col("x").alias("x", metadata={"comment": "mine"}))
    found = tfs.map_blocks(tf.add(tfs.block(frame, "x"), 1.0, name="z"), tfs.analyze(frame))
    assert found.schema["x"].metadata["comment"] == "mine"


def test_nothing_runs_before_it_is_asked_for(spark: SparkSession) -> None:
    counted = spark.sparkContext.accumulator(0)

    def counting(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            counted.add(batch.num_rows)
            yield batch

    frame = numbers(spark, 1).mapInArrow(counting, "x double")
    mapped = tfs.map_blocks(lambda x: {"z": x}, frame)
    mapped = tfs.map_rows(lambda z: {"w": z}, mapped)
    grouped = tfs.aggregate(lambda w_input: {"w": tf.reduce_sum(w_input, 0)}, mapped.groupBy("z"))
    tfs.append_shape(grouped, "w", [None])
    assert counted.value == 0
    assert len(grouped.collect()) == 10
    assert counted.value == 10


def test_the_graph_is_frozen_at_the_call(spark: SparkSession, graph: Any) -> None:
    frame = numbers(spark)
    x = tfs.block(frame, "x")
    weight = v1.get_variable("weight", initializer=tf.constant(2.0, tf.float64))
    found = tfs.map_blocks(tf.multiply(x, weight, name="z"), frame)
    with v1.Session(graph=graph) as current:
        current.run(weight.initializer)
        current.run(weight.assign(100.0))
        trained = tfs.map_blocks(tf.multiply(x, weight, name="y"), frame, initial_variables=False)
    assert rows(found)[1] == (2.0, 1.0)
    assert rows(trained)[1] == (100.0, 1.0)


def test_a_variable_is_a_fetch(spark: SparkSession) -> None:
    frame = numbers(spark).limit(3).coalesce(1)
    weight = v1.get_variable("weight", initializer=tf.constant([7, 8, 9], tf.int64))
    assert rows(tfs.map_blocks(weight, frame)) == [(7, 0.0), (8, 1.0), (9, 2.0)]


def test_functions_instead_of_graphs(spark: SparkSession) -> None:
    frame = numbers(spark)

    @tf.function
    def scaled(x: Any) -> Any:
        return x * WEIGHT

    def both(a: Any, b: Any) -> Any:
        return {"low": tf.minimum(a, b), "high": tf.maximum(a, b)}

    assert rows(tfs.map_blocks(scaled, frame))[3] == (6.0, 3.0)
    found = tfs.map_blocks(both, frame, feed_dict={"a": "x", "b": "x"})
    assert (found.columns, rows(found)[2]) == (["high", "low", "x"], (2.0, 2.0, 2.0))


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_errors_in_rows_reach_the_user(spark: SparkSession, enabled: str) -> None:
    frame = numbers(spark, 1).select("x", F.expr("nullif(x, 3)").alias("n"))
    x = tfs.block(frame, "x")
    picked = tf.gather(tf.constant([1.0, 2.0]), tf.cast(x, tf.int32), name="look/up")
    failing = tfs.map_blocks(tf.identity(picked, name="z"), frame)
    with tf.Graph().as_default():
        empty = tfs.map_rows(tf.identity(tfs.row(frame, "n"), name="z"), frame)
    message = (
        r"ComputationException: TensorFlow failed in the operation 'look/up': InvalidArgumentError: indices\[2\] = 2"
    )
    with configured(spark, {"spark.pyflare.enabled": enabled}):
        with pytest.raises(PythonException, match=message):
            failing.select("*").collect()
        with pytest.raises(PythonException, match="The data column 'n' has nulls, which have no place in a tensor"):
            empty.select("*").collect()


# map_rows -------------------------------------------------------------------------------------------------------------


def test_rows_one_by_one(spark: SparkSession) -> None:
    frame = numbers(spark)
    x = tfs.row(frame, "x")
    assert x.shape.as_list() == []
    found = tfs.map_rows([tf.add(x, 3, name="z"), tf.stack([x, -x], name="pair")], frame)
    assert found.columns == ["pair", "z", "x"]
    assert [shape_of(field)[0] for field in found.schema.fields] == [[-1, 2], [-1], None]
    assert rows(found) == [([x, -x], x + 3.0, x) for x in np.arange(10.0)]


def test_rows_of_other_lengths(spark: SparkSession) -> None:
    frame = spark.createDataFrame([([1.0],), ([2.0, 3.0],), ([],)], "v array<double>").coalesce(1)
    v = tfs.row(frame, "v")
    assert v.shape.as_list() == [None]
    found = tfs.map_rows([tf.multiply(v, 2.0, name="z"), tf.reduce_sum(v, name="s")], frame)
    assert rows(found) == [(1.0, [2.0], [1.0]), (5.0, [4.0, 6.0], [2.0, 3.0]), (0.0, [], [])]
    assert found.schema["z"].dataType == ArrayType(DoubleType(), False)
    assert shape_of(found.schema["z"]) == ([-1, -1], "DoubleType")


def test_outputs_of_other_lengths(spark: SparkSession) -> None:
    frame = spark.range(4)
    found = tfs.map_rows(lambda n: {"upto": tf.range(n), "grid": tf.ones([n, 2])}, frame, {"n": "id"})
    assert rows(found) == [([[1.0, 1.0]] * n, list(range(n)), n) for n in range(4)]


def test_rows_of_matrices(spark: SparkSession) -> None:
    frame = spark.createDataFrame([([[1, 2]],), ([[3, 4], [5, 6]],)], "m array<array<long>>").coalesce(1)
    with pytest.raises(tfs.InvalidDimensionException, match="has not been analyzed yet"):
        tfs.map_rows(tf.reduce_sum(tfs.row(frame, "m"), 0, name="s"), frame)
    frame = tfs.analyze(frame)
    with tf.Graph().as_default():
        m = tfs.row(frame, "m")
        assert m.shape.as_list() == [None, 2]
        assert rows(tfs.map_rows(tf.reduce_sum(m, 0, name="s"), frame)) == [
            ([1, 2], [[1, 2]]),
            ([8, 10], [[3, 4], [5, 6]]),
        ]


def test_binary_columns_feed_strings(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(bytearray(b"ab\0"), 1.0), (bytearray(b""), 2.0)], "data binary, x double").coalesce(
        1
    )
    data, x = placeholder(tf.string, [], "image"), tfs.row(frame, "x")
    length = tf.strings.length(data, name="n")
    codes = tf.io.decode_raw(data, tf.uint8)
    for fetches, expected in (
        ([length, tf.add(x, tf.cast(length, tf.float64), name="sum")], [(3, 4.0, 1.0), (0, 2.0, 2.0)]),
        ([tf.cast(codes, tf.int32, name="codes")], [([97, 98, 0], 1.0), ([], 2.0)]),
    ):
        found = tfs.map_rows(fetches, frame, feed_dict={"image": "data"}).drop("data")
        assert rows(found) == expected


def test_empty_frames_of_rows(spark: SparkSession) -> None:
    frame = numbers(spark).where("x < 0")
    assert rows(tfs.map_rows(lambda x: {"z": x}, frame)) == []
    assert rows(tfs.map_rows(lambda x: {"z": tf.range(x)}, frame)) == []


def test_a_constant_for_each_row(spark: SparkSession) -> None:
    found = tfs.map_rows(tf.constant([1, 2], name="z"), numbers(spark).limit(2).coalesce(1))
    assert rows(found) == [([1, 2], 0.0), ([1, 2], 1.0)]


# Reducers -------------------------------------------------------------------------------------------------------------


def test_blocks_are_reduced(spark: SparkSession) -> None:
    frame = tfs.analyze(vectors(spark)).select("y", F.col("y").alias("z"), F.lit("other").alias("text"))
    y = tf.reduce_sum(tfs.block(frame, "y", tf_name="y_input"), [0], name="y")
    z = tf.reduce_min(tfs.block(frame, "z", tf_name="z_input"), [0], name="z")
    total, least = reduce_blocks(spark, [y, z], frame)
    assert (total.tolist(), least.tolist()) == ([45.0, -45.0], [0.0, -9.0])
    assert [found.tolist() for found in reduce_blocks(spark, [z, y], frame)] == [[0.0, -9.0], [45.0, -45.0]]


def test_a_single_fetch_gives_its_value(spark: SparkSession) -> None:
    frame = spark.range(0, 100, 1, 3)
    found = reduce_blocks(spark, lambda id_input: {"id": tf.reduce_sum(id_input, 0)}, frame)
    assert (found, type(found)) == (4950, int)
    vector = reduce_blocks(spark, lambda y_input: {"y": tf.reduce_max(y_input, 0)}, tfs.analyze(vectors(spark)))
    assert isinstance(vector, np.ndarray)
    assert vector.tolist() == [9.0, 0.0]


def test_longs_are_reduced_exactly(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(2**53,), (1,), (2**60 + 1,)], "n long").repartition(2)
    assert reduce_blocks(spark, lambda n_input: {"n": tf.reduce_sum(n_input, 0)}, frame) == 2**53 + 2 + 2**60
    assert reduce_rows(spark, lambda n_1, n_2: {"n": n_1 + n_2}, frame) == 2**53 + 2 + 2**60


@pytest.mark.parametrize("partitions", [1, 4])
def test_one_row_is_not_reduced(spark: SparkSession, partitions: int) -> None:
    frame = numbers(spark, partitions).where("x = 7")
    assert reduce_blocks(spark, lambda x_input: {"x": tf.reduce_sum(x_input, 0) + 100.0}, frame) == 7.0
    assert reduce_rows(spark, lambda x_1, x_2: {"x": x_1 + x_2 + 100.0}, frame) == 7.0


def test_partial_results_are_reduced_by_pairs(spark: SparkSession) -> None:
    """Ten rows in five blocks: a sum that adds 100 each time shows how often the graph runs."""
    frame = numbers(spark, 5)
    assert reduce_blocks(spark, lambda x_input: {"x": tf.reduce_sum(x_input, 0) + 100.0}, frame) == 45.0 + 9 * 100
    assert reduce_rows(spark, lambda x_1, x_2: {"x": x_1 + x_2 + 100.0}, frame) == 45.0 + 9 * 100


def test_reductions_that_take_any_rows_run_in_the_backend(spark: SparkSession) -> None:
    frame = numbers(spark, 3).where("x != 4")
    by_sums = Reducer.of_blocks(lambda x_input: {"x": tf.reduce_sum(x_input, 0)}, frame, True)
    by_pairs = Reducer.of_rows(lambda x_1, x_2: {"x": tf.maximum(x_1, x_2)}, frame, True)
    for reducer, expected in ((by_sums, 41.0), (by_pairs, 9.0)):
        found = reducer.partial(frame)
        assert [row.x for row in found.collect()] == [expected]  # of one batch, where plain Spark has three partitions
        assert ran_in_pyflare(found)
    by_blocks = Reducer.of_blocks(lambda x_input: {"x": tf.reduce_mean(x_input, 0)}, frame, True)
    assert not pyflare.explain(by_blocks.partial(frame)).fully_accelerated


def test_rows_are_reduced(spark: SparkSession) -> None:
    frame = tfs.analyze(vectors(spark).select("y", F.col("y")[0].alias("a")))
    inputs = {
        name: placeholder(tf.float64, [2] if name[0] == "y" else [], name) for name in ("y_1", "y_2", "a_1", "a_2")
    }
    a = tf.maximum(inputs["a_1"], inputs["a_2"], name="a")
    y = tf.add(inputs["y_1"], inputs["y_2"], name="y")
    largest, total = reduce_rows(spark, [a, y], frame)
    assert (largest, total.tolist()) == (9.0, [45.0, -45.0])


def test_empty_frames_cannot_be_reduced(spark: SparkSession) -> None:
    frame = numbers(spark).where("x < 0")
    with pytest.raises(tfs.TensorFramesError, match="empty collection"):
        tfs.reduce_blocks(lambda x_input: {"x": tf.reduce_sum(x_input, 0)}, frame)
    with pytest.raises(tfs.TensorFramesError, match="empty collection"):
        tfs.reduce_rows(lambda x_1, x_2: {"x": x_1 + x_2}, frame)


def test_errors_of_the_drivers_part(spark: SparkSession) -> None:
    frame = numbers(spark).where("x IN (1, 7)")
    with pytest.raises(tfs.ComputationException, match="in the operation 'third'"):
        tfs.reduce_blocks(lambda x_input: {"x": tf.gather(x_input, 3, name="third")}, frame)


# Aggregations ---------------------------------------------------------------------------------------------------------


def keyed(spark: SparkSession) -> DataFrame:
    """Keys of three kinds, an unused column, two columns to aggregate."""
    return spark.range(0, 12, 1, 2).select(
        F.when(F.col("id") % 3 == 0, None).otherwise(F.col("id") % 3).alias("k"),
        F.lit("unused").alias("unused"),
        F.col("id").alias("n"),
        (F.col("id") * 1.0).alias("x"),
        F.when(F.col("id") % 2 == 0, "even").otherwise("odd").alias("name"),
    )


def sums(x_input: Any, n_input: Any) -> Any:
    return {"x": tf.reduce_sum(x_input, 0), "n": tf.reduce_max(n_input, 0)}


def test_groups_are_reduced(spark: SparkSession) -> None:
    frame = keyed(spark)
    x = tf.reduce_sum(tfs.block(frame, "x", tf_name="x_input"), [0], name="x")
    n = tf.reduce_max(tfs.block(frame, "n", tf_name="n_input"), [0], name="n")
    found = tfs.aggregate([x, n], frame.groupBy("name", "k"))
    assert found.columns == ["name", "k", "n", "x"]
    assert found.schema.fields[:2] == [frame.schema["name"], frame.schema["k"]]
    assert found.schema["n"] == StructField(
        "n", LongType(), False, {"org.spartf.shape": [-1], "org.sparktf.type": "LongType"}
    )
    expected = frame.groupBy("name", "k").agg(F.max("n").alias("n"), F.sum("x").alias("x"))
    assert in_any_order(found) == in_any_order(expected)


def test_groups_by_expressions(spark: SparkSession) -> None:
    frame = keyed(spark)
    grouped = frame.groupBy((F.col("n") > 5).alias("large"), F.col("n") % 2, "name")
    found = tfs.aggregate(sums, grouped)
    assert found.columns == ["large", "(n % 2)", "name", "n", "x"]
    expected = grouped.agg(F.max("n").alias("n"), F.sum("x").alias("x"))
    assert in_any_order(found) == in_any_order(expected)


def test_all_rows_are_a_group_without_keys(spark: SparkSession) -> None:
    assert rows(tfs.aggregate(sums, keyed(spark).groupBy())) == [(11, 66.0)]
    assert rows(tfs.aggregate(sums, keyed(spark).where("n < 0").groupBy())) == []
    assert rows(tfs.aggregate(sums, keyed(spark).where("n < 0").groupBy("k"))) == []


def test_zeros_and_nans_are_one_key_each(spark: SparkSession) -> None:
    frame = spark.sql("SELECT * FROM VALUES (0D, 1L), (-0D, 2L), (double('NaN'), 3L), (double('NaN'), 4L) AS t(k, n)")
    found = tfs.aggregate(lambda n_input: {"n": tf.reduce_sum(n_input, 0)}, frame.groupBy("k"))
    assert list(map(repr, in_any_order(found))) == ["(0.0, 3)", "(nan, 7)"]


def test_a_group_of_one_row_is_not_reduced(spark: SparkSession) -> None:
    frame = keyed(spark).where("n < 2")
    found = tfs.aggregate(lambda n_input: {"n": tf.reduce_sum(n_input, 0) + 100}, frame.groupBy("name"))
    assert in_any_order(found) == [("even", 0), ("odd", 1)]


def test_groups_of_vectors(spark: SparkSession) -> None:
    frame = tfs.analyze(vectors(spark)).select("y", (F.col("y")[0] > 4).alias("large"))
    found = tfs.aggregate(lambda y_input: {"y": tf.reduce_sum(y_input, 0)}, frame.groupBy("large"))
    assert in_any_order(found) == [(False, [10.0, -10.0]), (True, [35.0, -35.0])]
    assert shape_of(found.schema["y"]) == ([-1, 2], "DoubleType")


def test_awkward_names(spark: SparkSession) -> None:
    frame = keyed(spark).select(
        F.col("k").alias("a.b"), F.col("n").alias("n"), F.lit(1).alias("s"), F.lit(2).alias("s")
    )
    found = tfs.aggregate(lambda n_input: {"n": tf.reduce_sum(n_input, 0)}, frame.groupBy("`a.b`"))
    assert (found.columns, in_any_order(found)) == (["a.b", "n"], [(1, 22), (2, 26), (None, 18)])


def test_only_plain_groups(spark: SparkSession) -> None:
    frame = keyed(spark)
    for grouped in (frame.rollup("k"), frame.cube("k"), frame.groupBy("k").pivot("name")):
        with pytest.raises(TypeError, match="without rollup, cube or pivot"):
            tfs.aggregate(sums, grouped)
    with pytest.raises(TypeError, match=r"aggregate takes what DataFrame.groupBy returns, not DataFrame"):
        tfs.aggregate(sums, frame)
    with pytest.raises(tfs.TensorFramesError, match="Some outputs are grouping columns: x"):
        tfs.aggregate(sums, frame.groupBy("x"))


# Shapes ---------------------------------------------------------------------------------------------------------------


def test_an_analysis(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    frame = spark.sql("""
        SELECT id, array(id, 1) AS pair, sequence(0, id) AS ragged, array(array(1D, 2D)) AS matrix, 'text' AS text,
          IF(id = 1, NULL, 1F) AS holes, array(NULLIF(id, 3)) AS inside, double('NaN') AS nan, X'00' AS bytes,
          array(array(array(1))) AS cube, CAST(1 AS DECIMAL(5, 2)) AS price FROM range(0, 6, 1, 2)
    """)
    found = tfs.analyze(frame)
    tfs.print_schema(found)
    assert capsys.readouterr().out.splitlines() == [
        "root",
        " |-- id: long (nullable = false) long[3]",
        " |-- pair: array (nullable = false) long[3,2]",
        " |-- ragged: array (nullable = false) long[3,?]",
        " |-- matrix: array (nullable = false) double[3,1,2]",
        " |-- text: string (nullable = false) <no tensor info>",
        " |-- holes: float (nullable = true) float[?]",
        " |-- inside: array (nullable = false) long[?,?]",
        " |-- nan: double (nullable = true) double[3]",
        " |-- bytes: binary (nullable = false) binary[3]",
        " |-- cube: array (nullable = false) <no tensor info>",
        " |-- price: decimal(5,2) (nullable = true) <no tensor info>",
    ]
    assert (found.columns, found.dtypes, rows(found.drop("nan"))) == (
        frame.columns,
        frame.dtypes,
        rows(frame.drop("nan")),
    )
    assert shape_of(found.schema["matrix"]) == ([3, 1, 2], "DoubleType")
    assert [found.schema[name].metadata for name in ("text", "holes", "inside")] == [{}, {}, {}]


def test_partitions_of_other_sizes_have_no_lead(spark: SparkSession) -> None:
    frame = tfs.analyze(numbers(spark, 3))
    assert shape_of(frame.schema["x"]) == ([-1], "DoubleType")
    one = tfs.analyze(numbers(spark, 5).where("x < 2"))
    assert shape_of(one.schema["x"]) == ([2], "DoubleType")


def test_analyzing_nothing(spark: SparkSession) -> None:
    assert tfs.analyze(numbers(spark).where("x < 0")).schema["x"].metadata == {}
    texts = spark.sql("SELECT 'a' AS text")
    assert tfs.analyze(texts) is texts


def test_a_later_analysis_corrects_an_earlier_one(spark: SparkSession) -> None:
    frame = tfs.append_shape(vectors(spark), "y", [None, 7])
    assert shape_of(tfs.analyze(frame).schema["y"]) == ([5, 2], "DoubleType")
    nulls = tfs.append_shape(spark.sql("SELECT CAST(NULL AS ARRAY<DOUBLE>) AS y"), "y", [None, 2])
    assert tfs.analyze(nulls).schema["y"].metadata == {}


def test_shapes_are_appended(spark: SparkSession) -> None:
    frame = vectors(spark).withColumn("a.b", F.col("y"))
    for shape, kept in (([None, 2], [-1, 2]), ([0, 2], [-1, 2]), ([-1, 2], [-1, 2]), ([5, None], [5, -1])):
        assert shape_of(tfs.append_shape(frame, "y", shape).schema["y"]) == (kept, "DoubleType")
    both = tfs.append_shape(tfs.append_shape(frame, F.col("y"), [None, 2]), "a.b", [None, 2])
    assert [shape_of(field)[0] for field in both.schema.fields] == [[-1, 2], [-1, 2]]
    assert rows(both) == rows(frame)
    with tf.Graph().as_default():
        z = tf.reduce_sum(tfs.block(both, "y"), 1, name="z")
        assert [z for z, *_ in rows(tfs.map_blocks(z, both))] == [0.0] * 10


def test_shapes_that_cannot_be_appended(spark: SparkSession) -> None:
    frame = vectors(spark).withColumn("text", F.lit("a"))
    with pytest.raises(tfs.InvalidDimensionException, match="The column 'y' has 2 dimensions, not 1"):
        tfs.append_shape(frame, "y", [2])
    with pytest.raises(tfs.InvalidTypeException, match="The column 'text' has a type that has no place"):
        tfs.append_shape(frame, "text", [None])
    with pytest.raises(tfs.InputNotFoundException, match="Could not find column with name nope"):
        tfs.append_shape(frame, "nope", [None])


def test_placeholders(spark: SparkSession, graph: Any) -> None:
    frame = tfs.analyze(vectors(spark)).select("y", F.lit(1).alias("i"), F.lit("a").alias("s"), F.lit(b"a").alias("b"))
    for found, name, dtype, shape in (
        (tfs.block(frame, "y"), "y", tf.float64, [None, 2]),
        (tfs.row(frame, "y", "cell"), "cell", tf.float64, [2]),
        (tfs.block(frame, "i", tf_name="is"), "is", tf.int32, [None]),
        (tfs.row(frame, "i"), "i", tf.int32, []),
        (tfs.block(vectors(spark), "y", "raw"), "raw", tf.float64, [None, None]),
    ):
        assert (found.op.type, found.op.name, found.dtype, found.shape.as_list()) == ("Placeholder", name, dtype, shape)
        assert found.graph is graph
    for make in (tfs.block, tfs.row):
        with pytest.raises(Exception, match="Could not find column with name nope"):
            make(frame, "nope")
        for column in ("s", "b"):
            with pytest.raises(Exception, match="Unknown type"):
                make(frame, column)


# What is refused at the call ------------------------------------------------------------------------------------------


def identity(name: str, dtype: Any, shape: Any) -> Any:
    """A graph with one placeholder."""
    return tf.identity(placeholder(dtype, shape, name), name="z")


NOT_ANALYZED = "has not been analyzed yet, cannot run TF on this dataframe"


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "error", "message"),
    [
        (
            "q",
            tf.float64,
            [None],
            tfs.InputNotFoundException,
            "Graph input q found, but no column to match it. Dataframe columns: x, v, s, b, m",
        ),
        ("s", tf.string, [None], tfs.InvalidTypeException, f"Data column s {NOT_ANALYZED}: its type has no tensors"),
        ("b", tf.string, [None], tfs.InvalidTypeException, "Data column b is binary, which map_rows takes only"),
        (
            "x",
            tf.float32,
            [None],
            tfs.InvalidTypeException,
            "The type of node 'x' (float32) is not compatible with the data type of the column (double)",
        ),
        (
            "x",
            tf.float64,
            [],
            tfs.InvalidDimensionException,
            "The data column 'x' has shape [?] (not compatible) with shape [] requested by the TF graph",
        ),
        (
            "x",
            tf.float64,
            [3],
            tfs.InvalidDimensionException,
            "The data column 'x' has shape [?] (not compatible) with shape [3] requested by the TF graph",
        ),
        (
            "v",
            tf.float64,
            [None, 2],
            tfs.InvalidDimensionException,
            "The data column 'v' has shape [?,?] (not compatible) with shape [?,2] requested by the TF graph"
            ": run tfs.analyze",
        ),
        (
            "v",
            tf.float64,
            [None, None],
            tfs.InvalidDimensionException,
            f"Data column v {NOT_ANALYZED}: run tfs.analyze",
        ),
        (
            "v",
            tf.float64,
            [None],
            tfs.InvalidDimensionException,
            "The data column 'v' has shape [?,?] (not compatible) with shape [?] requested",
        ),
        (
            "m",
            tf.int64,
            [None, None, None],
            tfs.InvalidDimensionException,
            f"Data column m {NOT_ANALYZED}: run tfs.analyze",
        ),
    ],
)
def test_columns_that_cannot_feed(
    spark: SparkSession, name: str, dtype: Any, shape: Any, error: type[Exception], message: str
) -> None:
    frame = spark.sql("SELECT 1D AS x, array(1D) AS v, 's' AS s, X'00' AS b, array(array(1L)) AS m")
    with pytest.raises(error) as caught:
        tfs.map_blocks(identity(name, dtype, shape), frame)
    assert message in str(caught.value)
    assert isinstance(caught.value, tfs.TensorFramesError)


def test_an_analyzed_shape_that_is_not_the_requested_one(spark: SparkSession) -> None:
    frame = tfs.analyze(vectors(spark))
    with pytest.raises(tfs.InvalidDimensionException) as caught:
        tfs.map_blocks(identity("y", tf.float64, [None, 3]), frame)
    assert str(caught.value).endswith("'y' has shape [5,2] (not compatible) with shape [?,3] requested by the TF graph")


def test_outputs_that_cannot_be_columns(spark: SparkSession) -> None:
    frame = numbers(spark)
    x = tfs.block(frame, "x")
    with pytest.raises(Exception) as caught:  # noqa: PT011
        tfs.map_blocks(
            tf.identity(placeholder(tf.float64, [None], "in"), name="other"),
            frame.withColumn("other", F.lit(1)),
            {"in": "x"},
        )
    assert str(caught.value) == (
        "TF graph has an output node called 'other', but this column already exists. Input columns: x, other"
    )
    with pytest.raises(
        tfs.InvalidTypeException, match="an output node called 'flag' of type bool, which is not one of"
    ):
        tfs.map_blocks(tf.greater(x, 1.0, name="flag"), frame, {"in": "x"})
    with pytest.raises(tfs.InvalidDimensionException, match="The output 'sum' is a scalar"):
        tfs.map_blocks(tf.reduce_sum(x, name="sum"), frame, {"in": "x"})
    with pytest.raises(
        tfs.InvalidDimensionException, match="The shape of the output 'any' is not known: use set_shape"
    ):
        tfs.map_blocks(tf.reshape(x, tf.cast(x, tf.int32), name="any"), frame, {"in": "x"})


def test_several_columns_of_one_name(spark: SparkSession) -> None:
    frame = spark.sql("SELECT 1D AS x, 2D AS x, 3D AS y")
    with pytest.raises(tfs.InputNotFoundException, match="Graph input x found, but several columns called x"):
        tfs.map_blocks(lambda x: {"z": x}, frame)
    with pytest.raises(tfs.InputNotFoundException, match="Several columns are called x"):
        tfs.reduce_blocks(lambda x_input: {"x": tf.reduce_sum(x_input, 0)}, frame)
    assert rows(tfs.map_blocks(lambda y: {"z": y}, frame)) == [(3.0, 1.0, 2.0, 3.0)]


def reducer(*inputs: tuple[str, Any], name: str, dtype: Any = tf.float64, shape: Any = ()) -> Any:
    for input_, given in inputs:
        placeholder(tf.float64, given, input_)
    return tf.zeros(shape, dtype, name=name)


@pytest.mark.parametrize(
    ("fetch", "message"),
    [
        (
            lambda: reducer(("z_input", [None]), name="z"),
            "Based on the TF graph, some inputs are missing: z. Dataframe columns: v, x; Outputs: z",
        ),
        (
            lambda: reducer(("x_input", [None]), ("q", []), name="x"),
            "Extra graph inputs have been found: q. Dataframe columns: v, x",
        ),
        (lambda: reducer(name="x"), "Some inputs are missing in the graph: x_input. Dataframe columns: v, x"),
        (
            lambda: reducer(("x_input", [None]), name="x", dtype=tf.float32),
            "Output 'x' has type float32 but the column type is double",
        ),
        (
            lambda: reducer(("x_input", [None]), name="x", shape=[2]),
            "Output 'x' has shape [2], not compatible with the shape of field elements []",
        ),
        (
            lambda: reducer(("x_input", []), name="x"),
            "The data column 'x' has shape [?] (not compatible) with shape [] requested by the TF graph",
        ),
        (
            lambda: reducer(("x_input", [10]), name="x"),
            "The data column 'x' has shape [?] (not compatible) with shape [10]",
        ),
        (
            lambda: reducer(("v_input", [None, None]), name="v", shape=[2]),
            f"Data column v {NOT_ANALYZED}: run tfs.analyze",
        ),
    ],
)
def test_reducers_of_blocks_that_do_not_fit(spark: SparkSession, fetch: Any, message: str) -> None:
    frame = spark.sql("SELECT 1D AS x, array(1D, 2D) AS v")
    fetched = fetch()
    for call, given in ((tfs.reduce_blocks, frame), (tfs.aggregate, frame.groupBy())):
        with pytest.raises(tfs.TensorFramesError) as caught:
            call(fetched, given)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fetches", "message"),
    [
        (
            lambda: [reducer(name="x"), reducer(name="z")],
            "Some extra outputs were found in the reducer: z. Dataframe columns: v, x; Outputs: x, z",
        ),
        (
            lambda: reducer(("x_1", []), ("x_2", []), name="x"),
            "Some outputs are missing in the reducer: v. Dataframe columns: v, x; Outputs: x",
        ),
        (
            lambda: [reducer(("x_1", []), name="x"), reducer(("v_1", [2]), ("v_2", [2]), name="v", shape=[2])],
            "Some inputs are missing in the graph: x_2",
        ),
        (
            lambda: [
                reducer(("x_1", []), ("x_2", []), ("x_3", []), name="x"),
                reducer(("v_1", [2]), ("v_2", [2]), name="v", shape=[2]),
            ],
            "Extra graph inputs have been found: x_3",
        ),
        (
            lambda: [
                reducer(("x_1", []), ("x_2", [None]), name="x"),
                reducer(("v_1", [2]), ("v_2", [2]), name="v", shape=[2]),
            ],
            "The data column 'x' has shape [] (not compatible) with shape [?]",
        ),
        (
            lambda: [
                reducer(("x_1", []), ("x_2", []), name="x"),
                reducer(("v_1", [2]), ("v_2", [2]), name="v", shape=[1]),
            ],
            "Output 'v' has shape [1], not compatible with the shape of field elements [2]",
        ),
    ],
)
def test_reducers_of_rows_that_do_not_fit(spark: SparkSession, fetches: Any, message: str) -> None:
    frame = tfs.append_shape(spark.sql("SELECT 1D AS x, array(1D, 2D) AS v"), "v", [None, 2])
    with pytest.raises(tfs.TensorFramesError) as caught:
        tfs.reduce_rows(fetches(), frame)
    assert message in str(caught.value)


def test_functions_that_are_no_reducers(spark: SparkSession) -> None:
    frame = numbers(spark)
    with pytest.raises(tfs.TensorFramesError, match="Extra graph inputs have been found: x"):
        tfs.reduce_blocks(lambda x: {"x": x}, frame)
    with pytest.raises(tfs.TensorFramesError, match="Some extra outputs were found in the reducer: y"):
        tfs.reduce_rows(lambda x_1, x_2: {"x": x_1, "y": x_2}, frame)
    with pytest.raises(tfs.InvalidDimensionException, match="has not been analyzed yet"):
        tfs.reduce_rows(lambda y_1, y_2: {"y": y_1 + y_2}, vectors(spark))


# The original's examples ----------------------------------------------------------------------------------------------


def test_geometric_means(spark: SparkSession) -> None:
    frame = spark.range(1, 21).select((F.col("id") % 3).alias("key"), (F.col("id") * 1.5).alias("x"))
    found = dict(in_any_order(tensorframes_examples.geometric_means(frame, "key", "x")))
    for key in range(3):
        values = np.array([n * 1.5 for n in range(1, 21) if n % 3 == key])
        assert found[key] == pytest.approx(np.exp(np.log(values).mean()), rel=1e-12)


def test_kmeans(spark: SparkSession) -> None:
    random = np.random.default_rng(1)
    points = np.concatenate([random.normal(center, 0.5, (60, 3)) for center in (-5.0, 0.0, 5.0)])
    random.shuffle(points)
    frame = spark.createDataFrame([(point.tolist(),) for point in points], "features array<double>").repartition(2)
    centers, cost = tensorframes_examples.kmeans(frame, "features", points[:3].copy(), 3)
    expected = points[:3].copy()
    for _ in range(3):
        distances = ((points[:, None] - expected) ** 2).sum(axis=2)
        nearest = distances.argmin(axis=1)
        expected = np.stack([points[nearest == k].mean(axis=0) for k in range(3)])
    np.testing.assert_allclose(centers, expected, rtol=1e-9)
    assert cost == pytest.approx(distances.min(axis=1).sum(), rel=1e-9)


# Odds and ends --------------------------------------------------------------------------------------------------------


def test_rows_and_structs_of_python(spark: SparkSession) -> None:
    frame = spark.createDataFrame([Row(x=1.0, price=Decimal("1.50"))])
    assert tfs.map_blocks(lambda x: {"z": x}, frame).collect() == [
        Row(z=1.0, x=1.0, price=Decimal("1.500000000000000000"))
    ]


def test_a_worker_gets_the_graph_with_its_function(spark: SparkSession) -> None:
    """What is sent holds no session and no frame."""
    frame = numbers(spark)
    mapping = FrameMapping.of(lambda x: {"z": x}, frame, None, True, Feeding.BLOCK)
    function = blocks.MapBlocks(mapping.program, mapping.feeds(mapping.whole()), mapping.outputs(Feeding.BLOCK), False)
    batch = pa.RecordBatch.from_arrays([pa.array([1.0, 2.0])], ["c0"])
    (found,) = function(iter([batch]))
    assert found.to_pydict() == {"z": [1.0, 2.0], "c0": [1.0, 2.0]}
    assert found.schema.field("z") == pa.field("z", pa.float64(), nullable=False)


def test_logging_of_the_original() -> None:
    core._java_api().initialize_logging()
    assert logger.isEnabledFor(20)
    logger.setLevel(0)


def test_inferred_shapes(spark: SparkSession) -> None:
    frame = spark.sql(
        "SELECT 1 AS i, array(1L) AS v, array(array(1F)) AS m, array(array(array(1F))) AS c, array(X'00') AS b"
    )
    assert [column.shape for column in shapes.columns_of(frame)] == [(-1,), (-1, -1), (-1, -1, -1), None, None]
