"""TensorFrames without Spark: freezing graphs and functions, cells and Arrow columns, loops, errors of TensorFlow."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import pyflare.tensorframes as tfs
from pyflare.tensorflow import tensors
from pyflare.tensorframes import loops, programs
from pyflare.tensorframes.blocks import MapBlocks, Output
from pyflare.tensorframes.columns import Feed, as_column, as_ragged_column, measured, merged
from pyflare.tensorframes.fetches import Spec, bound, read
from pyflare.tensorframes.programs import Program
from pyflare.tensorframes.shapes import NUMBERS, SCALARS, UNKNOWN, Shape, fits, printed

v1 = tf.compat.v1
DOUBLE, LONG = NUMBERS["float64"], NUMBERS["int64"]
BINARY = SCALARS[-1]


def block(*cell: int) -> Spec:
    return Spec(DOUBLE, (UNKNOWN, *cell))


def frozen(fetches: Any, initial_variables: bool = True, **specs: Spec) -> Program:
    return read(fetches, initial_variables).program(specs)


@pytest.fixture
def graph() -> Iterator[Any]:
    with tf.Graph().as_default() as graph:
        yield graph


# Fetches --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("graph")
def test_a_graph_is_frozen_when_it_is_read() -> None:
    x = v1.placeholder(tf.float64, [None], "x")
    z = tf.add(x, 1.0, name="z")
    found = read(z, True)
    tf.multiply(v1.placeholder(tf.float64, [None], "later"), 2.0)
    program = found.program({"x": block()})
    assert [(port.name, port.tensor, port.shape) for port in program.outputs] == [("z", "z:0", (UNKNOWN,))]
    assert [port.name for port in program.inputs] == ["x"]
    assert [values.tolist() for values in program.run([np.array([1.0, 2.0])])] == [[2.0, 3.0]]


@pytest.mark.usefixtures("graph")
def test_every_placeholder_counts_even_if_no_fetch_uses_it() -> None:
    x = v1.placeholder(tf.float64, [None], "x")
    v1.placeholder(tf.int32, [], "unused")
    assert [(port.name, port.dtype, port.shape) for port in read(tf.add(x, 1.0, name="z"), True).inputs] == [
        ("x", "float64", (UNKNOWN,)),
        ("unused", "int32", ()),
    ]


def test_variables_become_constants_and_unused_placeholders_go(graph: Any) -> None:
    x = v1.placeholder(tf.float64, [None], "x")
    v1.placeholder(tf.float64, [None], "unused")
    weight = v1.get_variable("weight", initializer=tf.constant(3.0, tf.float64))
    doubled = v1.get_variable("doubled", initializer=tf.constant(6.0, tf.float64))
    z = tf.multiply(x, weight + doubled, name="z")
    graph.finalize()
    found = read([z, weight], True)
    assert [port.name for port in found.inputs] == ["x"]
    program = found.program({"x": block()})
    assert [port.name for port in program.outputs] == ["z", "weight"]
    assert [values.tolist() for values in program.run([np.array([1.0, 2.0])])] == [[9.0, 18.0], 3.0]


def test_reference_variables_too(graph: Any) -> None:
    weight = v1.Variable(tf.constant(4.0, tf.float64), use_resource=False, name="weight")
    assert graph.get_operations()
    assert frozen(weight).run([])[0].tolist() == 4.0


def test_without_initial_variables_the_current_session_has_the_values(graph: Any) -> None:
    x = v1.placeholder(tf.float64, [None], "x")
    weight = v1.get_variable("weight", initializer=tf.constant(3.0, tf.float64))
    z = tf.multiply(x, weight, name="z")
    with pytest.raises(tfs.TensorFramesError, match="A variable of the graph has no value"):
        read(z, False)
    with v1.Session(graph=graph) as session:
        session.run(weight.initializer)
        session.run(weight.assign(7.0))
        assert frozen(z, False, x=block()).run([np.array([2.0])])[0].tolist() == [14.0]
        assert frozen(z, True, x=block()).run([np.array([2.0])])[0].tolist() == [6.0]


@pytest.mark.usefixtures("graph")
def test_two_outputs_of_an_operation_have_the_same_name() -> None:
    values, indices = tf.math.top_k(v1.placeholder(tf.float64, [None], "x"), 1, name="top")
    with pytest.raises(ValueError, match="is no first output of its operation"):
        read(indices, True)
    with pytest.raises(ValueError, match="Could not infer a list of unique names"):
        read([values, values], True)


def test_what_is_no_fetch(graph: Any) -> None:
    z = tf.constant(1.0, name="z")
    with tf.Graph().as_default(), pytest.raises(ValueError, match="cannot be interpreted as a Tensor of the current"):
        read(z, True)
    for fetch in (3, None, graph, z.op):
        with pytest.raises(TypeError, match="has invalid type"):
            read(fetch, True)
    with pytest.raises(ValueError, match="There are no fetches"):
        read([], True)


def test_an_eager_tensor_is_no_fetch() -> None:
    with pytest.raises(TypeError, match="must be a Tensor of the current graph or a function"):
        read(tf.constant(1.0), True)


@pytest.mark.usefixtures("graph")
def test_the_shapes_of_columns_make_those_of_outputs_precise() -> None:
    x = v1.placeholder(tf.float64, [None, None], "x")
    anything = v1.placeholder(tf.float64, name="anything")
    program = frozen([tf.add(x, x, name="z"), tf.abs(anything, name="y")], x=block(2), anything=block(4))
    assert [port.shape for port in program.outputs] == [(UNKNOWN, 2), (UNKNOWN, 4)]
    y = tf.matmul(x, tf.zeros([3, 1], tf.float64), name="product")
    with pytest.raises(tfs.InvalidDimensionException, match="The graph does not work for these columns: "):
        frozen(y, x=block(2), anything=block())


# Functions ------------------------------------------------------------------------------------------------------------


def plus_one(x: Any) -> Any:
    return x + 1.0


WEIGHT = tf.Variable(5.0, dtype=tf.float64)


@tf.function
def weighted(x: Any, y: Any) -> Any:
    return {"sum": x + y, "weighted": x * WEIGHT}


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
def signed(x: Any) -> Any:
    return x


def looping(x: Any) -> Any:
    for _ in tf.range(tf.size(x)):
        x = x * 2.0
    return x


def test_functions_are_traced_with_the_columns_shapes() -> None:
    program = frozen(plus_one, x=block(2))
    assert [(port.name, port.shape) for port in program.outputs] == [("plus_one", (UNKNOWN, 2))]
    assert program.run([np.zeros((1, 2))])[0].tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("function", "cell", "expected"),
    [
        (lambda x: {"z": x + 1.0}, (), True),
        (lambda x: {"z": tf.where(x < 0.0, -x, tf.sqrt(x)) / 2.0}, (), True),
        (lambda x: {"z": x * tf.constant([1.0, 2.0], tf.float64)}, (2,), True),
        (lambda x: {"z": x, "y": tf.constant([1.0], tf.float64)}, (), False),
        (lambda x: {"z": x + tf.constant([1.0, 2.0], tf.float64)}, (), False),
        (lambda x: {"z": x + tf.constant([[1.0, 2.0]], tf.float64)}, (2,), False),
        (lambda x: {"z": x + tf.reduce_sum(x)}, (), False),
        (lambda x: {"z": tf.reverse(x, [0])}, (), False),
        (lambda x: {"z": tf.exp(x)}, (), False),
        (lambda x: {"z": x + 1.0}, (UNKNOWN,), False),
        (looping, (), False),
    ],
)
def test_which_graphs_go_by_rows(function: Any, cell: tuple[int, ...], expected: bool) -> None:
    assert loops.goes_by_rows(frozen(function, x=block(*cell))) is expected


@pytest.mark.parametrize(
    ("function", "cell", "expected"),
    [
        (lambda x_input: {"x": tf.reduce_sum(x_input, 0)}, (), True),
        (lambda x_input: {"x": tf.identity(tf.reduce_max(x_input))}, (), True),
        (lambda x_input: {"x": tf.reduce_prod(x_input, [0])}, (2,), True),
        (lambda x_input: {"x": tf.reduce_min(x_input, -2)}, (2,), False),
        (lambda x_input: {"x": tf.reduce_mean(x_input, 0)}, (), False),
        (lambda x_input: {"x": tf.reduce_sum(2.0 * x_input, 0)}, (), False),
        (lambda x_input: {"x": tf.reduce_sum(x_input, 0) + 1.0}, (), False),
        (lambda x_input: {"x": x_input[-1]}, (), False),
        (lambda x_input: {"x": tf.reduce_sum(x_input, tf.cast(x_input[0, 0], tf.int32))}, (2,), False),
    ],
)
def test_which_graphs_reduce_any_blocks(function: Any, cell: tuple[int, ...], expected: bool) -> None:
    assert loops.reduces_any_blocks(frozen(function, x_input=block(*cell))) is expected


def test_which_input_a_graph_reduces_matters() -> None:
    """Sums of each other's inputs are not what partial results are reduced with."""

    def crossed(x_input: Any, y_input: Any) -> Any:
        return {"x": tf.reduce_sum(y_input, 0), "y": tf.reduce_sum(x_input, 0)}

    assert not loops.reduces_any_blocks(frozen(crossed, x_input=block(), y_input=block()))


def test_functions_keep_the_variables_that_they_see() -> None:
    program = frozen(weighted, x=block(), y=block())
    WEIGHT.assign(6.0)
    try:
        found = dict(zip([port.name for port in program.outputs], program.run([np.ones(1), np.ones(1)]), strict=True))
    finally:
        WEIGHT.assign(5.0)
    assert {name: values.tolist() for name, values in found.items()} == {"sum": [2.0], "weighted": [5.0]}


def test_functions_do_not_mind_the_current_graph(graph: Any) -> None:
    assert frozen(weighted, x=block(), y=block()).run([np.ones(1), np.ones(1)])[1].tolist() == [5.0]
    assert not graph.get_operations()


def test_functions_need_eager_execution() -> None:
    code = """
import tensorflow as tf
from pyflare.tensorframes.fetches import read
tf.compat.v1.disable_eager_execution()
read(lambda: {"z": tf.constant(1)}, True).program({})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert "TensorFramesError: <lambda> needs TensorFlow's eager execution" in done.stderr


def test_unused_and_returned_arguments() -> None:
    program = frozen(lambda x, y: {"z": x}, x=block(), y=block())
    assert [port.name for port in program.inputs] == ["x", "y"]
    assert program.run([np.array([1.0]), np.array([2.0])])[0].tolist() == [1.0]


def test_a_signature_says_what_is_taken() -> None:
    assert [(port.name, port.dtype, port.shape) for port in read(signed, True).inputs] == [("x", "float32", (UNKNOWN,))]


def test_arguments_with_a_default_keep_it() -> None:
    def scaled(x: Any, factor: float = 3.0) -> Any:
        return x * factor

    assert [port.name for port in read(scaled, True).inputs] == ["x"]
    assert frozen(scaled, x=block()).run([np.ones(1)])[0].tolist() == [3.0]


def test_a_keras_model_inside_a_function() -> None:
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)])

    def scores(x: Any) -> Any:
        return model(x)

    program = frozen(scores, x=Spec(NUMBERS["float32"], (UNKNOWN, 2)))
    given = np.ones((4, 2), np.float32)
    np.testing.assert_allclose(program.run([given])[0], model(given).numpy(), rtol=1e-6)
    assert program.outputs[0].shape == (UNKNOWN, 3)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda x: x, TypeError, "has no name that a column could have: return a dict of names and tensors"),
        (lambda x: None, TypeError, "returned nothing: return a tensor, or a dict"),
        (lambda x: (x, x), TypeError, "returned a tuple: return a tensor, or a dict"),
        (lambda x: {}, TypeError, "returned an empty dict"),
        (
            lambda x: {"z": tf.ensure_shape(x, [None, 3])},
            tfs.InvalidDimensionException,
            "does not work for these columns",
        ),
    ],
)
def test_what_functions_may_not_return(function: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        frozen(function, x=block(2))


def test_arguments_must_have_names() -> None:
    for function, shown in (
        (lambda *xs: xs, r"\*xs"),
        (lambda **xs: xs, r"\*\*xs"),
        (tf.keras.Sequential(), r"\*args"),
    ):
        with pytest.raises(TypeError, match=f"takes '{shown}', but each of its arguments must be named like a column"):
            read(function, True)


def test_tables_cannot_be_frozen() -> None:
    initializer = tf.lookup.KeyValueTensorInitializer([1, 2], [3, 4], tf.int64, tf.int64)
    table = tf.lookup.StaticHashTable(initializer, 0)
    with pytest.raises(tfs.TensorFramesError, match="uses a table or another resource, which cannot be frozen"):
        frozen(lambda x: {"z": table.lookup(x)}, x=Spec(LONG, (UNKNOWN,)))


def test_feed_dict_is_about_names() -> None:
    inputs = read(plus_one, True).inputs
    assert bound(inputs, None) == {"x": "x"}
    assert bound(inputs, {"x": "other"}) == {"x": "other"}
    with pytest.raises(tfs.InputNotFoundException, match="feed_dict has 'y', but the graph's inputs are: x"):
        bound(inputs, {"y": "other"})
    with pytest.raises(TypeError, match="feed_dict maps names of placeholders to names of columns"):
        bound(inputs, {"x": 3})  # type: ignore[dict-item]


# Loops ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [plus_one, looping])
def test_rows_of_one_shape_are_mapped_in_tensorflow(function: Any) -> None:
    program = frozen(function, x=Spec(DOUBLE, (2,)))
    assert loops.can_map(program)
    rows = np.arange(6.0).reshape(3, 2)
    expected = np.stack([program.run([row])[0] for row in rows])
    assert loops.mapped(program).run([rows])[0].tolist() == expected.tolist()


def test_rows_of_other_shapes_are_not() -> None:
    assert not loops.can_map(frozen(plus_one, x=Spec(DOUBLE, (UNKNOWN,))))
    assert not loops.can_map(frozen(lambda x: {"z": tf.where(x > 0.0)}, x=Spec(DOUBLE, (2,))))
    assert not loops.can_map(frozen(lambda: {"z": tf.constant(1)}))


def test_loops_of_the_first_kind_are_not_nested(graph: Any) -> None:
    x = v1.placeholder(tf.float64, [], "x")
    control_flow_v2 = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        z = tf.while_loop(lambda y: y < 10.0, lambda y: y + x, [x], name="z")[0]
    finally:
        if control_flow_v2:
            v1.enable_control_flow_v2()
    assert any(op.type == "Enter" for op in graph.get_operations())
    program = frozen(tf.identity(z, name="out"), x=Spec(DOUBLE, ()))
    assert not loops.can_map(program)
    assert program.run([np.array(3.0)])[0].tolist() == 12.0


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_pairs_are_folded_in_tensorflow(rows: int) -> None:
    def both(b_1: Any, a_2: Any, a_1: Any, b_2: Any) -> Any:
        return {"a": a_1 + a_2, "b": tf.maximum(b_1, b_2)}

    cells = {name: Spec(LONG, (2,)) if name[0] == "a" else Spec(DOUBLE, ()) for name in ("a_1", "a_2", "b_1", "b_2")}
    program = loops.folded(read(both, True).program(cells))
    by_name = {
        "a_input": np.arange(2 * rows).reshape(rows, 2),
        "b_input": np.array([(-1.0) ** i * i for i in range(rows)]),
    }
    sums, largest = program.run([by_name[port.name] for port in program.inputs])
    assert sums.tolist() == by_name["a_input"].sum(axis=0).tolist()
    assert largest == by_name["b_input"].max()


# Programs -------------------------------------------------------------------------------------------------------------


def failing(x: Any) -> Any:
    return {"z": tf.gather(tf.constant([1.0, 2.0]), tf.cast(x, tf.int32), name="look/up")}


@pytest.mark.parametrize("shape", [(UNKNOWN,), ()])
def test_errors_name_the_operation(shape: Shape) -> None:
    program = frozen(failing, x=Spec(DOUBLE, shape))
    if not shape:
        program = loops.mapped(program)
    with pytest.raises(tfs.ComputationException) as caught:
        program.run([np.array([0.0, 5.0])])
    start, _, message = str(caught.value).partition("'look/up': ")
    assert start == "TensorFlow failed in the operation "
    assert message.startswith("InvalidArgumentError: indices")
    assert message.endswith("= 5 is not in [0, 2)")
    assert isinstance(caught.value.__cause__, tf.errors.InvalidArgumentError)


def test_a_process_imports_a_graph_once() -> None:
    program = frozen(lambda x: {"z": x * 123.0}, x=block())
    before = programs._session.cache_info()
    for copy in (program, pickle.loads(pickle.dumps(program)), pickle.loads(pickle.dumps(program))):
        assert copy.run([np.ones(1)])[0].tolist() == [123.0]
    after = programs._session.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)


def test_the_same_graph_has_the_same_digest() -> None:
    assert frozen(plus_one, x=block()) == frozen(plus_one, x=block())
    assert frozen(plus_one, x=block()) != frozen(plus_one, x=block(2))


def test_threads_share_a_session() -> None:
    program = frozen(lambda x: {"z": tf.reduce_sum(x, keepdims=True)}, x=block())
    found: dict[int, float] = {}

    def run(number: int) -> None:
        found[number] = program.run([np.full(1000, float(number))])[0].item()

    threads = [Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: 1000.0 * number for number in range(8)}


def test_tensorflow_does_not_write_into_the_columns() -> None:
    memory = tensors.allocate((1000,), np.dtype(np.float64))
    memory[:] = 1.0
    memory.flags.writeable = False
    assert frozen(plus_one, x=block()).run([memory])[0].sum() == 2000.0
    assert memory.sum() == 1000.0


def test_importing_the_package_does_not_import_tensorflow_or_spark() -> None:
    code = "import sys, pyflare.tensorframes, pyflare.tensorframes.blocks as b; b.MapBlocks"
    check = "assert not {'tensorflow', 'pyspark', 'pandas'} & set(sys.modules), 'heavy'"
    subprocess.run([sys.executable, "-c", f"{code}; {check}"], check=True, timeout=120)


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = tfs.nope


# Cells ----------------------------------------------------------------------------------------------------------------


def batch(*values: Any, type_: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(list(values), type_)], ["v"])


VECTORS = pa.list_(pa.float64())
MATRICES = pa.list_(VECTORS)


def test_a_block_is_all_batches_in_one_array() -> None:
    feed = Feed(0, "v", DOUBLE, (UNKNOWN,))
    whole = batch([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], type_=VECTORS)
    assert feed.block([whole]).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert feed.block([whole.slice(1, 1), whole.slice(2), whole.slice(0, 1)]).tolist() == [[3, 4], [5, 6], [1, 2]]
    matrices = batch([[1.0], [2.0]], [[3.0], [4.0]], type_=MATRICES)
    assert Feed(0, "v", DOUBLE, (2, 1)).block([matrices, matrices.slice(1)]).shape == (3, 2, 1)


def test_vectors_without_nulls_are_not_copied() -> None:
    whole = batch([1.0, 2.0], [3.0, 4.0], type_=VECTORS)
    found = Feed(0, "v", DOUBLE, (2,)).block([whole])
    assert found.__array_interface__["data"][0] == whole.column(0).values.buffers()[1].address


def test_empty_cells() -> None:
    assert Feed(0, "v", DOUBLE, (UNKNOWN,)).block([batch([], [], type_=VECTORS)]).shape == (2, 0)
    assert Feed(0, "v", DOUBLE, (UNKNOWN, 3)).block([batch([], type_=MATRICES)]).shape == (1, 0, 3)


@pytest.mark.parametrize(
    ("scalar", "type_", "values"),
    [
        (LONG, pa.int64(), [2**53 + 1, -(2**63)]),
        (NUMBERS["int32"], pa.int32(), [2**31 - 1, -1]),
        (NUMBERS["float32"], pa.float32(), [0.5, float("inf")]),
        (BINARY, pa.binary(), [b"a\0", b""]),
        (BINARY, pa.large_binary(), [b"a\0", b""]),
    ],
)
def test_numbers_and_bytes_arrive_as_they_are(scalar: Any, type_: Any, values: list[Any]) -> None:
    feed = Feed(0, "v", scalar, ())
    found = feed.block([batch(*values, type_=type_)] * 2)
    assert (found.dtype, found.tolist()) == (scalar.dtype, values * 2)
    assert [cell.item() for cell in feed.rows(batch(*values, type_=type_))] == values


@pytest.mark.parametrize(
    ("cell", "values", "type_", "message"),
    [
        ((), [1.0, None], pa.float64(), "'v' has nulls, which have no place in a tensor"),
        ((2,), [[1.0, 2.0], None], VECTORS, "'v' has nulls"),
        ((2,), [[1.0, None]], VECTORS, "'v' has nulls"),
        ((1, 1), [[None]], MATRICES, "'v' has nulls"),
        ((1, 1), [[[None]]], MATRICES, "'v' has nulls"),
        ((UNKNOWN,), [[1.0], [1.0, 2.0]], VECTORS, "'v' has cells of several shapes: use map_rows"),
        ((2, UNKNOWN), [[[1.0], [1.0, 2.0]]], MATRICES, "'v' has cells of several shapes: use map_rows"),
        ((3,), [[1.0, 2.0]], VECTORS, r"'v' has a cell of shape \[2\], not \[3\]"),
    ],
)
def test_bad_cells(cell: Shape, values: list[Any], type_: Any, message: str) -> None:
    with pytest.raises(tfs.TensorFramesError, match=message):
        Feed(0, "v", DOUBLE, cell).block([batch(*values, type_=type_)])


def test_blocks_of_different_batches_must_agree() -> None:
    parts = [batch([1.0], type_=VECTORS), batch([1.0, 2.0], type_=VECTORS)]
    with pytest.raises(tfs.InvalidDimensionException, match="several shapes: use map_rows"):
        Feed(0, "v", DOUBLE, (UNKNOWN,)).block(parts)
    with pytest.raises(tfs.InvalidDimensionException, match="asks for blocks of 3 rows, this one has 1"):
        Feed(0, "v", DOUBLE, (UNKNOWN,), lead=3).block(parts[:1])


def test_rows_may_differ_in_their_first_dimension_only() -> None:
    feed = Feed(0, "v", DOUBLE, (UNKNOWN,))
    ragged = batch([9.0], [1.0], [2.0, 3.0], [], type_=VECTORS).slice(1)
    assert [cell.tolist() for cell in feed.rows(ragged)] == [[1], [2, 3], []]
    matrices = batch([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], type_=MATRICES)
    assert [cell.shape for cell in Feed(0, "v", DOUBLE, (UNKNOWN, 2)).rows(matrices)] == [(1, 2), (2, 2)]
    with pytest.raises(tfs.InvalidDimensionException, match="several shapes: only their first dimension may differ"):
        list(Feed(0, "v", DOUBLE, (UNKNOWN, UNKNOWN)).rows(batch([[1.0], [2.0, 3.0]], type_=MATRICES)))
    with pytest.raises(tfs.InvalidDimensionException, match=r"has a cell of shape \[1\], not \[2\]"):
        list(Feed(0, "v", DOUBLE, (2,)).rows(ragged))


DOUBLES = Output(0, "z", DOUBLE, 0)


def test_numbers_of_rows_must_agree() -> None:
    def counts(x: Any) -> Any:
        return {"one": x[:1], "two": tf.concat([x, x], 0)}

    program = frozen(counts, x=block())
    feeds = (Feed(0, "x", DOUBLE, ()),)
    outputs = (replace(DOUBLES, name="one"), replace(DOUBLES, name="two", index=1))
    whole = batch(1.0, 2.0, 3.0, type_=pa.float64())
    with pytest.raises(tfs.InvalidDimensionException, match="Multiple number of rows detected: one: 1, two: 6"):
        list(MapBlocks(program, feeds, outputs, trim=True)([whole]))
    with pytest.raises(
        tfs.InvalidDimensionException, match=r"has 3 rows, the graph gave others \(one: 1\): use trim=True"
    ):
        list(MapBlocks(program, feeds, outputs[:1], trim=False)([whole]))
    (found,) = MapBlocks(program, feeds, outputs[1:], trim=True)([whole.slice(0, 1), whole.slice(0, 0), whole.slice(1)])
    assert found.to_pydict() == {"two": [1.0, 2.0, 3.0] * 2}


def test_what_comes_out_is_cut_into_batches() -> None:
    program = frozen(lambda x: {"z": tf.range(150000.0)}, x=block())
    function = MapBlocks(
        program, (Feed(0, "x", DOUBLE, ()),), (replace(DOUBLES, scalar=NUMBERS["float32"]),), trim=True
    )
    found = list(function([batch(1.0, type_=pa.float64())]))
    assert [part.num_rows for part in found] == [65536, 65536, 18928]
    assert pa.Table.from_batches(found)["z"].to_pylist() == list(range(150000))


SHAPES = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(SHAPES)
def test_columns_of_equal_cells_and_back(shape: list[int]) -> None:
    cells = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    column = as_column(cells, LONG)
    assert column.type == LONG.array_type(len(shape) - 1)
    assert column.to_pylist() == cells.tolist()
    if len(shape) <= 3 and all(shape):
        part = pa.RecordBatch.from_arrays([column], ["v"])
        assert Feed(0, "v", LONG, tuple(shape[1:])).block([part]).tolist() == cells.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=5))
def test_columns_of_other_cells(cells: list[tuple[int, int]]) -> None:
    arrays = [np.arange(a * b, dtype=np.float64).reshape(a, b) for a, b in cells]
    column = as_ragged_column(arrays, DOUBLE, 2)
    assert column.type == DOUBLE.array_type(2)
    assert column.to_pylist() == [array.tolist() for array in arrays]


@pytest.mark.parametrize(
    ("values", "rank", "sizes"),
    [
        ([1.0, float("nan")], 0, ()),
        ([1.0, None], 0, None),
        ([[1.0, 2.0], [3.0, 4.0]], 1, (2,)),
        ([[1.0, 2.0], []], 1, (UNKNOWN,)),
        ([[1.0], None], 1, None),
        ([[1.0], [None]], 1, None),
        ([[[1.0], [2.0]], [[3.0], [4.0]]], 2, (2, 1)),
        ([[[1.0], [2.0]], [[3.0]]], 2, (UNKNOWN, 1)),
        ([[[1.0, 2.0]], [[3.0]]], 2, (1, UNKNOWN)),
        ([[], []], 2, (0, None)),
        ([[None]], 2, None),
    ],
)
def test_cells_are_measured(values: list[Any], rank: int, sizes: Any) -> None:
    type_ = (pa.float64(), VECTORS, MATRICES)[rank]
    assert measured(pa.array(values, type_), rank) == sizes


def test_measures_are_merged() -> None:
    assert merged((2, None), (2, 3)) == (2, 3)
    assert merged((2, 3), (1, 3)) == (UNKNOWN, 3)
    assert merged((2,), None) is None
    assert merged([2, UNKNOWN], [2, 4]) == (2, UNKNOWN)


def test_shapes() -> None:
    assert printed((UNKNOWN, 2)) == "[?,2]"
    assert fits((5, 2), (UNKNOWN, 2))
    assert fits((5, 2), None)
    assert not fits((UNKNOWN, 2), (5, 2))
    assert not fits((2,), (UNKNOWN, 2))


# pandas ---------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("mapping", [tfs.map_blocks, tfs.map_rows])
def test_a_pandas_frame_is_changed_in_place(mapping: Any) -> None:
    frame = pd.DataFrame({"x": [1, 2], "v": [[1.0, 2.0], [3.0, 4.0]]})
    x = v1.placeholder(tf.float64, [None], "number")
    v = v1.placeholder(tf.float64, [None, 2], "v")
    fetches = [tf.add(x, 1.0, name="z"), tf.multiply(v, 2.0, name="w")]
    assert mapping(fetches, frame, feed_dict={"number": "x"}) is frame
    assert list(frame.columns) == ["x", "v", "z", "w"]
    assert frame["z"].tolist() == [2.0, 3.0]
    assert [list(cell) for cell in frame["w"]] == [[2.0, 4.0], [6.0, 8.0]]


def test_functions_take_pandas_columns() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    assert tfs.map_blocks(plus_one, frame)["plus_one"].tolist() == [2.0, 3.0]
    with pytest.raises(tfs.InputNotFoundException, match="Graph input y found, but no column to match it"):
        tfs.map_blocks(lambda y: {"z": y}, frame)
    with pytest.raises(tfs.InvalidTypeException, match=r"The column 'x' is of type .*, not of numbers"):
        tfs.map_blocks(plus_one, pd.DataFrame({"x": ["a"]}))


@pytest.mark.usefixtures("graph")
def test_pandas_columns_that_do_not_fit() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    x = v1.placeholder(tf.float64, [], "x")
    with pytest.raises(tfs.InvalidDimensionException, match=r"'x' has shape \[2\] \(not compatible\) with shape \[\]"):
        tfs.map_rows(tf.add(x, 1.0, name="z"), frame)
    with tf.Graph().as_default():
        x = v1.placeholder(tf.string, [None], "x")
        with pytest.raises(tfs.InvalidTypeException, match="The placeholder 'x' is of type string"):
            tfs.map_rows(tf.strings.length(x, name="z"), frame)
