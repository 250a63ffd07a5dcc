"""Models without Spark: saving, describing, tuning, and running them on buffers."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.serializers import CloudPickleSerializer

from pyflare.errors import Unsupported
from pyflare.tensorflow import models, tensors
from pyflare.tensorflow.models import Model, ModelFunction, ModelStep, find_model
from pyflare.tensorflow.registration import describe
from pyflare.tensorflow.saving import SIGNATURE, save
from pyflare.types import BOOLEAN, DOUBLE, FLOAT, INTEGER, LONG, STRING, VOID, DataType, decimal
from tests.model_functions import Make, model_function, run_on


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a model a `ModelFunction`, as `register` does; not compiled unless asked for."""
    return partial(model_function, tmp_path)


@pytest.fixture(scope="module")
def softmax() -> Any:
    """A classifier of four features and four classes."""
    tf.keras.utils.set_random_seed(3)
    layers = [tf.keras.Input((4,)), tf.keras.layers.Normalization(mean=[1.0] * 4, variance=[2.0] * 4)]
    return tf.keras.Sequential([*layers, tf.keras.layers.Dense(4, activation="softmax")])


def features(step: ModelStep, rows: int, seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """The step's buffers with random numbers in them."""
    buffers = step.allocate(rows)
    for buffer in buffers:
        buffer[...] = np.random.default_rng(seed).standard_normal(buffer.shape)
    return buffers


def weighted(a: Any, b: Any) -> Any:
    """A model of two columns."""
    return 2.0 * a + b


# --- sharing memory ---


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "float32", "float64"])
def test_a_tensor_shares_memory_with_our_buffer(dtype: str) -> None:
    buffer = tensors.allocate((1000, 4), np.dtype(dtype))
    tensor = tensors.as_tensor(buffer)
    assert np.asarray(memoryview(tensor)).ctypes.data == buffer.ctypes.data
    buffer[7, 3] = 1
    assert tensor[7, 3].numpy() == 1


def test_the_model_computes_on_our_buffer_and_we_read_its_result_in_place(make: Make) -> None:
    model = models.load(make(lambda x: x, [tf.TensorSpec([None, 4], tf.float32)]).spec)
    buffer = tensors.allocate((64, 4), np.dtype(np.float32))
    assert model.predict([buffer])[0].ctypes.data == buffer.ctypes.data  # the identity gives back what it was given


def test_slices_of_whole_batches_are_aligned() -> None:
    buffer = tensors.allocate((4096, 3), np.dtype(np.float32))
    assert all(tensors.is_tensor_ready(buffer[start : start + 1024]) for start in range(0, 4096, 1024))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32)[1:],
        np.arange(12, dtype=np.float32)[::2],
        np.asfortranarray(np.ones((4, 3), np.float32)),
    ],
    ids=["not aligned", "strided", "column-major"],
)
def test_other_memory_is_copied(array: np.ndarray[Any, Any]) -> None:
    assert not tensors.is_tensor_ready(array)
    assert np.array_equal(tensors.as_tensor(array).numpy(), array)


def test_read_only_memory_is_copied() -> None:
    array = tensors.allocate((8,), np.dtype(np.float64))
    array[...] = 1
    array.flags.writeable = False
    assert tensors.as_tensor(array).numpy().tolist() == [1.0] * 8


# --- running ---


@pytest.mark.parametrize("rows", [0, 1, 2, 63, 64, 65, 200, 1024, 2500])
@pytest.mark.parametrize("jit", [False, True])
def test_any_number_of_rows(make: Make, softmax: Any, rows: int, jit: bool) -> None:
    function = make(softmax, jit=jit, batch_size=1024, argmax=True)
    step = function.plan([DOUBLE] * 4, INTEGER)
    buffers = features(step, rows)
    expected = np.argmax(softmax(buffers[0][:rows]), axis=1) if rows else []
    (values,), ok = step.run(buffers, rows)
    assert (values.tolist(), ok, values.dtype.name) == (list(expected), None, "int32")


def test_answers_do_not_depend_on_batches_and_neighbours(make: Make, softmax: Any) -> None:
    """A compiled model's bits are the same for rows that come alone, in small pieces, or all at once."""
    for pieces, whole in _cut_up(make, softmax, jit=True):
        assert np.array_equal(pieces, whole)


def test_answers_of_an_interpreted_model_depend_on_batches_in_last_digits_only(make: Make, softmax: Any) -> None:
    """TensorFlow picks its loops by the number of rows, and on some processors these round in different ways."""
    for pieces, whole in _cut_up(make, softmax, jit=False):
        np.testing.assert_allclose(pieces, whole, rtol=2e-6, atol=1e-7)


def _cut_up(make: Make, softmax: Any, jit: bool) -> Iterator[tuple[Any, Any]]:
    """The answers for the same rows in pieces of some size and in one."""
    step = make(softmax, jit=jit)._bind([DOUBLE] * 4, [False] * 4)
    buffers = features(step, 3000)
    (whole,), _ = step.run(buffers, 3000)
    for size in (1, 7, 100, 1000):
        pieces = [step.run([buffers[0][start : start + size].copy()], size)[0][0] for start in range(0, 3 * size, size)]
        yield np.concatenate(pieces), whole[: 3 * size]


def test_compiled_and_interpreted_differ_in_last_digits_only(make: Make, softmax: Any) -> None:
    steps = [make(softmax, jit=jit)._bind([DOUBLE] * 4, [False] * 4) for jit in (False, True)]
    found = [step.run(features(step, 10_000), 10_000)[0][0] for step in steps]
    np.testing.assert_allclose(found[0], found[1], rtol=2e-6, atol=1e-7)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(st.tuples(st.booleans(), st.integers(-1000, 1000), st.integers(-1000, 1000)), max_size=80))
def test_null_rows_are_left_out(weights: ModelStep, data: list[tuple[bool, int, int]]) -> None:
    rows = len(data)
    ok = np.array([row[0] for row in data], np.uint8)
    buffers = weights.allocate(rows)
    for index, buffer in enumerate(buffers):
        buffer[:rows] = np.where(ok, [row[index + 1] for row in data], np.nan) if rows else 0
    (values,), valid = weights.run(buffers, rows, ok)
    assert (None if valid is None else valid.tolist()) == (None if ok.all() else ok.tolist())
    assert [v for v, is_ok in zip(values.tolist(), ok, strict=True) if is_ok] == [
        2.0 * a + b for is_ok, a, b in data if is_ok
    ]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> ModelStep:
    """`weighted` as a step."""
    path = tmp_path_factory.mktemp("weights") / "model"
    order = save(weighted, path, ["float64", "float64"])
    return ModelFunction("f", describe(path, SIGNATURE, order, None, False)).plan([DOUBLE, DOUBLE], DOUBLE)


def test_the_model_never_sees_null_rows_or_padding(make: Make) -> None:
    """It would fail on them."""

    def picky(x: Any) -> Any:
        with tf.control_dependencies([tf.debugging.assert_positive(x)]):
            return tf.identity(x)

    step = make(picky, ["float32"]).plan([FLOAT], FLOAT)
    (buffer,) = step.allocate(3)
    buffer[:] = [1, -1, 3]
    (values,), ok = step.run([buffer], 3, np.array([1, 0, 1], np.uint8))
    assert (values.tolist(), ok is not None and ok.tolist()) == ([1, 0, 3], [1, 0, 1])
    with pytest.raises(tf.errors.InvalidArgumentError):
        step.run([buffer], 3)


def test_results_stay_when_buffers_are_used_again(make: Make) -> None:
    step = make(lambda x: x, ["float32"]).plan([FLOAT], FLOAT)
    buffers = features(step, 100)
    before = buffers[0].copy()
    (values,), _ = step.run(buffers, 100)
    buffers[0][:] = 0
    assert np.array_equal(values, before)


def test_threads_run_a_model_together(make: Make, softmax: Any) -> None:
    step = make(softmax, jit=True, argmax=True, batch_size=1024).plan([DOUBLE] * 4, INTEGER)
    inputs = [features(step, 1024, seed) for seed in range(16)]
    alone = [step.run(buffers, 1024)[0][0].tolist() for buffers in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda buffers: step.run(buffers, 1024)[0][0].tolist(), inputs))
    assert together == alone


def test_a_model_is_traced_once(make: Make) -> None:
    traces = []

    def counted(x: Any) -> Any:
        traces.append(x.shape)
        return x + 1

    step = make(counted, ["float32"]).plan([FLOAT], FLOAT)
    for rows in (1, 10, 1000, 100_000):
        step.run(step.allocate(rows), rows)
    assert len(traces) == 1


def test_a_model_is_loaded_once_and_again_when_its_files_change(make: Make, tmp_path: Path) -> None:
    function = make(lambda x: x + 1, ["float32"])
    first = models.load(function.spec)
    assert models.load(function.spec) is first
    save(lambda x: x + 2, Path(function.spec.path), ["float32"])
    step = function.plan([FLOAT], FLOAT)
    assert step.run([np.zeros(2, np.float32)], 2)[0][0].tolist() == [2, 2]


def test_a_lost_model_is_named(make: Make, tmp_path: Path) -> None:
    spec = make(lambda x: x, ["float32"]).spec
    Path(spec.path).rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError, match="there is no SavedModel in"):
        models.load(spec)


def test_a_model_that_loses_rows_is_refused(make: Make) -> None:
    step = make(lambda x: x[:1], ["float32"]).plan([FLOAT], FLOAT)
    with pytest.raises(ValueError, match="returned 1 rows for 5"):
        step.run(step.allocate(5), 5)


def test_warming_up_loads_the_model(make: Make) -> None:
    function = make(lambda x: x, ["float32"])
    models.warm_up(function, 2).join()
    before = models._load.cache_info().misses
    models.load(function.spec)
    assert models._load.cache_info().misses == before


# --- kinds of models ---


def test_inputs_outputs_and_kinds(make: Make, softmax: Any, tmp_path: Path) -> None:
    class Scaled(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(3, dtype=tf.int32)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="n")])
        def __call__(self, n: Any) -> Any:
            return n * self.factor

    variable = tf.Variable(10.0)
    free = tf.function(lambda x: x * variable, input_signature=[tf.TensorSpec([None], tf.float32)])
    assert str(make(softmax)) == "f(x[4])"
    assert str(make(Scaled())) == "f(n)"
    assert str(make(weighted, ["float32", "float32"])) == "f(x0, x1)"
    assert run_on(make(Scaled()), [1, 2], pa.int32()) == [3, 6]
    assert run_on(make(free), [1, 2], pa.float64()) == [10, 20]


def test_keras_models_of_several_inputs(make: Make) -> None:
    age, income = tf.keras.Input((1,), name="age"), tf.keras.Input((2,), name="income")
    total = tf.keras.layers.Lambda(lambda ab: ab[0] + tf.reduce_sum(ab[1], axis=1, keepdims=True))([age, income])
    columns = [pa.array([1.0, 2.0]), pa.array([10, 20]), pa.array([100, 200], pa.int16())]
    for inputs in ([age, income], {"age": age, "income": income}):
        function = make(tf.keras.Model(inputs, total))
        assert str(function) == "f(age, income[2])"
        assert function(*columns).to_pylist() == [111.0, 222.0]


def test_images_are_flat_rows(make: Make) -> None:
    function = make(lambda x: tf.reduce_sum(x[:, 0, :, 0], axis=1), [tf.TensorSpec([None, 2, 3, 1], tf.float32)])
    assert run_on(function, [[1, 2, 3, 4, 5, 6], [0] * 6], pa.list_(pa.int64())) == [6, 0]


def test_a_fixed_batch_dimension_is_respected(make: Make) -> None:
    function = make(lambda x: x * 2, [tf.TensorSpec([32], tf.float32)])
    assert (function.spec.batch, function.spec.exact) == (32, True)
    assert run_on(function, list(range(70)), pa.float32()) == [2.0 * x for x in range(70)]


@pytest.mark.parametrize(
    ("dtype", "sql", "values"),
    [
        ("bool", "boolean", [True, False]),
        ("int8", "byte", [1, -2]),
        ("uint8", "short", [1, 2]),
        ("int16", "short", [1, -2]),
        ("int32", "integer", [1, -2]),
        ("int64", "long", [1, -2]),
        ("float16", "float", [1.5, -2.0]),
        ("float32", "float", [1.5, -2.0]),
        ("float64", "double", [1.5, -2.0]),
    ],
)
def test_output_types(make: Make, dtype: str, sql: str, values: list[Any]) -> None:
    function = make(lambda x: tf.cast(x, dtype), ["float64"])
    assert function.spec.outputs[0].type == DataType(sql)
    assert run_on(function, values, pa.float64()) == values
    step = function.plan([DOUBLE], DataType(sql))
    assert step.run(step.allocate(0), 0)[0][0].shape == (0,)


@pytest.mark.parametrize(
    ("model", "inputs", "error", "message"),
    [
        (42, None, TypeError, "a model is a Keras model"),
        (weighted, None, ValueError, "it is not known what the model takes"),
        (tf.keras.Sequential([tf.keras.layers.Dense(1)]), None, ValueError, "does not know its input yet"),
        (lambda x: x, ["complex64"], TypeError, "a tensor of complex64, which no SQL column feeds"),
        (lambda x: tf.cast(x, "uint64"), ["int32"], TypeError, "a tensor of uint64, which has no SQL type"),
        (lambda x: tf.stack([x, x], 1), ["string"], TypeError, "output output is an array of strings"),
        (lambda x: x, [tf.TensorSpec([None, None], tf.float32)], ValueError, r"input x has the shape \(None, None\)"),
        (lambda x: tf.reduce_sum(x), ["float32"], ValueError, r"output output has the shape \(\): it must be"),
    ],
)
def test_what_cannot_be_a_function(make: Make, model: Any, inputs: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(model, inputs)


def test_argmax_needs_arrays(make: Make) -> None:
    with pytest.raises(ValueError, match="argmax needs an array per row"):
        make(lambda x: x, ["float32"], argmax=True)


def test_models_that_keras_exports(softmax: Any, tmp_path: Path) -> None:
    softmax.export(tmp_path / "exported", verbose=False)
    function = ModelFunction("f", describe(tmp_path / "exported", SIGNATURE, None, None, True))
    row = np.array([[1.0, 2.0, 3.0, 4.0]], np.float32)
    assert function(*[pa.array([value]) for value in row[0]]).to_pylist() == [int(np.argmax(softmax(row)))]


def test_saved_models_are_used_in_place(tmp_path: Path) -> None:
    path = tmp_path / "model"
    save(lambda b, a: a - b, path, [tf.TensorSpec([None], tf.float32, name=name) for name in ("b", "a")])
    with pytest.raises(ValueError, match=r"name the model's inputs in the order .* inputs=\['a', 'b'\]"):
        describe(path, SIGNATURE, None, None, False)
    for order, expected in ((["a", "b"], 4.0), (["b", "a"], -4.0)):
        function = ModelFunction("f", describe(path, SIGNATURE, order, None, False))
        assert function(pa.array([5.0]), pa.array([1.0])).to_pylist() == [expected]
    with pytest.raises(ValueError, match="has no signature 'predict', only serving_default"):
        describe(path, "predict", None, None, False)
    with pytest.raises(ValueError, match="is not the directory of a SavedModel"):
        describe(tmp_path, SIGNATURE, None, None, False)


# --- arguments ---


@pytest.fixture(scope="module")
def anything(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModelFunction]:
    """The identity over a tensor of a type."""

    def identity(dtype: str) -> ModelFunction:
        path = tmp_path_factory.mktemp("identity") / dtype
        return ModelFunction("same", describe(path, SIGNATURE, save(lambda x: x, path, [dtype]), None, False))

    return identity


@pytest.mark.parametrize(
    ("dtype", "type_", "values", "expected"),
    [
        ("float32", pa.float64(), [0.1, None, float("nan"), 1e300], [np.float32(0.1), None, np.nan, np.inf]),
        ("float32", pa.int64(), [2**24 + 1, -1], [2.0**24, -1.0]),
        ("float64", pa.int64(), [2**53, None], [2.0**53, None]),
        ("float64", pa.bool_(), [True, None, False], [1.0, None, 0.0]),
        ("float64", pa.decimal128(5, 2), [Decimal("1.10"), None, Decimal("-999.99")], [1.1, None, -999.99]),
        (
            "float64",
            pa.decimal128(38, 4),
            [Decimal("12345678901234567890.1234"), None],
            [12345678901234567890.1234, None],
        ),
        ("float64", pa.decimal128(18, 0), [Decimal(2**53 + 1)], [float(2**53)]),
        ("float64", pa.null(), [None, None], [None, None]),
        ("int32", pa.int8(), [-128, None, 127], [-128, None, 127]),
        ("int64", pa.int64(), [2**63 - 1, None], [2**63 - 1, None]),
        ("bool", pa.bool_(), [True, None, False], [True, None, False]),
    ],
)
def test_arguments_are_converted(
    anything: Callable[[str], ModelFunction], dtype: str, type_: pa.DataType, values: list[Any], expected: list[Any]
) -> None:
    given_values = pa.concat_arrays([pa.array([None], type_), pa.array(values, type_)])[
        1:
    ]  # not at the start of its memory
    found = anything(dtype)(given_values).to_pylist()
    assert [value is None for value in found] == [value is None for value in expected]
    np.testing.assert_array_equal([v for v in found if v is not None], [v for v in expected if v is not None])


@pytest.mark.parametrize(
    ("dtype", "type_", "is_accepted"),
    [
        ("float32", decimal(38, 10), True),
        ("float32", BOOLEAN, True),
        ("float32", STRING, False),
        ("float32", DataType("date"), False),
        ("int32", DOUBLE, False),
        ("int32", LONG, False),
        ("int32", decimal(5, 0), False),
        ("int64", LONG, True),
        ("bool", INTEGER, False),
    ],
)
def test_argument_types(
    anything: Callable[[str], ModelFunction], dtype: str, type_: DataType, is_accepted: bool
) -> None:
    function = anything(dtype)
    if is_accepted:
        assert function.plan([type_], function.spec.outputs[0].type).slots[0].dtype == dtype
    else:
        with pytest.raises(
            Unsupported, match=rf"argument 1 of same\(x\) feeds a tensor of {dtype} and cannot be"
        ) as caught:
            function.plan([type_], function.spec.outputs[0].type)
        with pytest.raises(TypeError, match="argument 1 of same"):
            function(pa.nulls(1, type_.arrow))
        assert caught.value.node == "PythonUDF"


def test_plans_that_stay_with_spark(make: Make, softmax: Any, anything: Callable[[str], ModelFunction]) -> None:
    with pytest.raises(Unsupported, match=r"f\(x\[4\]\) takes 4 arguments, 3 were given"):
        make(softmax, argmax=True).plan([DOUBLE] * 3, INTEGER)
    with pytest.raises(Unsupported, match=r"returns array<float>, not float"):
        make(softmax).plan([DOUBLE] * 4, FLOAT)
    with pytest.raises(Unsupported, match=r"returns float, not double"):
        anything("float32").plan([DOUBLE], DOUBLE)
    with pytest.raises(Unsupported, match="untyped null"):
        anything("float32").plan([VOID], FLOAT)


def test_array_columns_are_matrices(make: Make) -> None:
    function = make(lambda x: x[:, 0] - x[:, 1], [tf.TensorSpec([None, 2], tf.float64)])
    columns = [
        pa.array([[9.0], [3.0, 1.0], None, [5.0, None], [7.0, 2.0]], pa.list_(pa.float64()))[1:],
        pa.array([[3, 1], None, [5, None], [7, 2]], pa.list_(pa.int32(), 2)),
    ]
    for column in columns:
        assert function(column).to_pylist() == [2.0, None, None, 5.0]
    with pytest.raises(ValueError, match="x takes arrays of 2 numbers, one of 3 was given"):
        function(pa.array([[1.0, 2.0, 3.0]]))
    with pytest.raises(TypeError, match="cannot be array<string>: cast it"):
        function(pa.array([["a", "b"]]))
    with pytest.raises(TypeError, match=r"argument 2 of f\(x\[2\]\) .* cannot be array<double>"):
        function(pa.array([1.0]), pa.array([[1.0, 2.0]]))


def test_arrays_come_out(make: Make, softmax: Any) -> None:
    columns = [pa.array([1.0, None, 3.0])] + [pa.array([1.0, 2.0, 3.0])] * 3
    found = make(softmax)(*columns)
    assert found.type == pa.list_(pa.float32())
    assert [value and len(value) for value in found.to_pylist()] == [4, None, 4]
    assert len(make(softmax)(*[pa.array([], pa.float64())] * 4)) == 0


def test_pandas_series_are_taken_too(anything: Callable[[str], ModelFunction]) -> None:
    found = anything("float64")(pa.array([1.0, 2.0]).to_pandas())
    assert found.tolist() == [1.0, 2.0]


# --- travelling ---


def test_the_function_travels_small_and_is_found_again(make: Make, softmax: Any) -> None:
    function = make(softmax)
    command = CloudPickleSerializer().dumps((function, None))
    assert len(command) < 2000
    unpickled, _ = CloudPickleSerializer().loads(command)
    assert find_model(unpickled) == function
    assert find_model(len) is None
    assert pickle.loads(pickle.dumps(function)) == function


def test_importing_the_package_does_not_import_tensorflow() -> None:
    check = "import sys, pyflare.tensorflow.models; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_without_tensorflow_the_cure_is_named() -> None:
    check = "import sys; sys.modules['tensorflow'] = None; import pyflare.tensorflow"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert "ImportError: pyflare.tensorflow needs TensorFlow: pip install pyflare[tensorflow]" in done.stderr


# --- tuning ---


def test_cheap_models_are_compiled(make: Make, softmax: Any) -> None:
    spec = make(softmax, jit=None).spec
    assert spec.compiled
    assert spec.exact
    assert spec.batch in (1024, 2048, 4096, 8192, 16384, 32768, 65536)


def test_models_that_xla_would_change_are_not_compiled(make: Make) -> None:
    """XLA's gather does not check indices."""
    table = tf.constant([10.0, 20.0])
    function = make(lambda i: tf.gather(table, i), ["int32"], jit=None)
    assert not function.spec.compiled
    with pytest.raises(tf.errors.InvalidArgumentError):
        function(pa.array([2], pa.int32()))


def test_models_that_do_not_take_any_number_are_not_measured(make: Make) -> None:
    def positive(x: Any) -> Any:
        with tf.control_dependencies([tf.debugging.assert_positive(x)]):
            return tf.identity(x)

    assert not make(positive, ["float32"], jit=None).spec.compiled


def test_wide_rows_come_in_smaller_batches(make: Make) -> None:
    narrow, wide = (make(lambda x: x[:, 0], [tf.TensorSpec([None, n], tf.float32)]).spec.batch for n in (1, 4096))
    assert (narrow, wide) == (262144, 2048)


def test_a_batch_size_must_be_positive(make: Make, softmax: Any) -> None:
    with pytest.raises(ValueError, match="batch_size must be positive"):
        make(softmax, batch_size=-1)


def test_the_output_of_a_batch_is_a_view(make: Make) -> None:
    model = Model(make(lambda x: x + 1, ["float32"]).spec)
    assert not model.predict([np.zeros(4, np.float32)])[0].flags.owndata
