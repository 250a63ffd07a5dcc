"""Models of several outputs, declared results, and models of texts, without Spark."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tensorflow as tf
from pyspark.sql import types as sql

from pyflare.tensorflow.models import ModelFunction
from pyflare.tensorflow.outputs import declared
from tests.model_functions import Make, model_function, run_on


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a model a `ModelFunction`, as `register` does; not compiled unless asked for."""
    return partial(model_function, tmp_path)


def both(x: Any) -> Any:
    """A model of two outputs."""
    return {"low": x - 1, "high": tf.stack([x, x + 1], axis=1)}


def test_several_outputs_are_a_struct(make: Make) -> None:
    every = make(both, ["float32"])
    assert every.spec.sql_type == "struct<`high`: array<float>, `low`: float>"
    assert run_on(every, [1, None], pa.float32()) == [{"high": [1, 2], "low": 0}, None]
    assert run_on(make(both, ["float32"], output="low"), [1], pa.float32()) == [0]
    assert run_on(make(both, ["float32"], output=["low"]), [1], pa.float32()) == [{"low": 0}]
    for wrong in ("x", ["low", "x"]):
        with pytest.raises(ValueError, match=r"no output 'x', only high, low"):
            make(both, ["float32"], output=wrong)
    with pytest.raises(ValueError, match=r"argmax needs one output, choose it: output= one of high, low"):
        make(both, ["float32"], argmax=True)


def test_the_outputs_of_a_tuple_keep_their_order(make: Make) -> None:
    twelve = make(lambda x: tuple(x + n for n in range(12)), ["int32"])
    assert list(run_on(twelve, [0], pa.int32())[0].items()) == [(f"output_{n}", n) for n in range(12)]


def test_keras_models_of_several_outputs(make: Make) -> None:
    given = tf.keras.Input((2,))
    score = tf.keras.layers.Dense(1, name="score", kernel_initializer="ones")(given)
    parts = tf.keras.layers.Dense(3, name="parts", kernel_initializer="zeros")(given)
    expected = [{"parts": [0, 0, 0], "score": 3}]
    for outputs in ([score, parts], {"score": score, "parts": parts}):
        assert make(tf.keras.Model(given, outputs))(pa.array([1.0]), pa.array([2.0])).to_pylist() == expected


DOUBLES = sql.ArrayType(sql.DoubleType())


def struct(**fields: Any) -> sql.StructType:
    """A struct type."""
    return sql.StructType([sql.StructField(name, type_) for name, type_ in fields.items()])


@pytest.mark.parametrize(
    ("returns", "value"),
    [
        (struct(low=sql.DoubleType(), high=DOUBLES), {"low": 0, "high": [1, 2]}),
        (struct(low=sql.FloatType()), {"low": 0}),
    ],
)
def test_declared_results(make: Make, returns: Any, value: Any) -> None:
    described = declared(make(both, ["float32"]).spec, returns)
    assert run_on(ModelFunction("f", described), [1], pa.float32()) == [value]
    assert described.sql_type.replace("`", "").replace(" ", "") == returns.simpleString()


def test_declared_names_and_wider_types(make: Make) -> None:
    pair = declared(make(lambda x: (x, x > 0), ["int16"]).spec, struct(n=sql.LongType(), positive=sql.IntegerType()))
    assert run_on(ModelFunction("f", pair), [3], pa.int16()) == [{"n": 3, "positive": 1}]
    assert declared(make(lambda x: x, ["float32"]).spec, sql.DoubleType()).sql_type == "double"


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (sql.FloatType(), r"returns a struct of high, low, and not float: choose one with output="),
        (struct(lo=sql.FloatType(), high=DOUBLES), r"the model's outputs are high, low, not lo, high"),
        (struct(low=DOUBLES), r"output low is float, which is not converted to array<double>"),
        (struct(low=sql.IntegerType()), r"output low is float, which is not converted to integer"),
        (struct(low=sql.MapType(sql.LongType(), sql.LongType())), r"output low: type map is not supported"),
    ],
)
def test_what_cannot_be_declared(make: Make, returns: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        declared(make(both, ["float32"]).spec, returns)


class Vocabulary(tf.Module):
    """Counts the words of a text that it knows."""

    def __init__(self) -> None:
        super().__init__()
        words = tf.lookup.KeyValueTensorInitializer(["spark", "flare", "na\u00efve"], [1, 2, 4])
        self.table = tf.lookup.StaticHashTable(words, 0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts: Any) -> Any:
        words = tf.strings.split(tf.strings.lower(texts, encoding="utf-8"))
        return {"score": tf.reduce_sum(self.table.lookup(words), axis=1), "first": words.to_tensor()[:, 0]}


def test_texts(make: Make) -> None:
    function = make(Vocabulary())
    texts = ["Spark flare", None, "x NA\u00cfVE", "flare"]
    expected = [{"first": "spark", "score": 3}, None, {"first": "x", "score": 4}, {"first": "flare", "score": 2}]
    assert run_on(function, texts, pa.string()) == expected
    assert run_on(function, [None if t is None else t.encode() for t in texts], pa.binary()) == expected
    with pytest.raises(TypeError, match=r"argument 1 of f\(x\) feeds a tensor of string and cannot be long: cast it"):
        run_on(function, [1], pa.int64())
    with pytest.raises(ValueError, match="XLA compiles no model that takes or returns strings"):
        make(Vocabulary(), jit=True)


def test_several_texts_are_a_matrix(make: Make) -> None:
    joined = make(lambda x: tf.strings.reduce_join(x, axis=1), [tf.TensorSpec([None, 2], tf.string)])
    assert joined(pa.array(["a", "b", None]), pa.array(["c", "d", "e"])).to_pylist() == ["ac", "bd", None]
    assert run_on(joined, [["a", "b"]], pa.list_(pa.string())) == ["ab"]


def test_bytes_are_not_changed(make: Make) -> None:
    lengths = make(lambda x: tf.strings.length(x), ["string"])
    assert run_on(lengths, [b"a\0\0", b"\xff", b""], pa.binary()) == [3, 1, 0]
