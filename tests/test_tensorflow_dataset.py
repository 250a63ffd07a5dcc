"""`tf.data` over Arrow batches."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pyflare.tensorflow import dataset

TABLE = pa.table(
    {
        "a": pa.array(range(10), pa.float64()),
        "b": pa.array(range(10, 20), pa.int64()),
        "d": pa.array([Decimal(n) / 4 for n in range(10)], pa.decimal128(6, 2)),
        "v": pa.array([[n, -n] for n in range(10)], pa.list_(pa.float32())),
        "flag": pa.array([n % 2 == 0 for n in range(10)]),
        "text": pa.array([f"row {n}" for n in range(10)]),
        "label": pa.array([n % 3 for n in range(10)], pa.int32()),
    }
)


def rows(found: Any) -> list[Any]:
    """Every row of a dataset without a label."""
    return [row for batch in found.as_numpy_iterator() for row in batch.tolist()]


def test_features_lie_side_by_side() -> None:
    found = dataset(TABLE, 4, columns=["b", "v", "d", "flag"], label="label")
    assert found.element_spec == (tf.TensorSpec([None, 5], tf.float32), tf.TensorSpec([None], tf.int32))
    assert found.cardinality() == 3
    batches = list(found.as_numpy_iterator())
    assert [len(label) for _, label in batches] == [4, 4, 2]
    assert batches[1][0].tolist() == [[10.0 + n, n, -n, n / 4, n % 2 == 0] for n in range(4, 8)]
    assert batches[1][1].tolist() == [1, 2, 0, 1]


def test_columns_keep_their_types() -> None:
    found = dataset(TABLE, 10, layout="columns", label="text")
    features, label = next(found.as_numpy_iterator())
    dtypes = {"a": "float64", "b": "int64", "d": "float64", "v": "float32", "flag": "bool", "label": "int32"}
    assert {name: column.dtype.name for name, column in features.items()} == dtypes
    assert features["v"].shape == (10, 2)
    assert label.tolist() == [f"row {n}".encode() for n in range(10)]


def test_labels_that_are_not_whole_numbers_take_the_dtype() -> None:
    for label in ("a", "d"):
        assert dataset(TABLE, 4, columns=["b"], label=label, dtype="float64").element_spec[1].dtype == tf.float64


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 40), max_size=6),
    batch_size=st.integers(1, 45),
    shuffle=st.sampled_from([0, 1, 7, 100]),
    drop=st.booleans(),
)
def test_every_row_comes_once(cuts: list[int], batch_size: int, shuffle: int, drop: bool) -> None:
    table = pa.table({"a": np.arange(40), "b": np.arange(40) * 2})
    edges = [0, *sorted(cuts), 40]
    batches = [table.slice(lo, hi - lo).combine_chunks() for lo, hi in pairwise(edges)]
    source = [batch for part in batches for batch in part.to_batches()]
    found = list(dataset(source, batch_size, shuffle=shuffle, drop_remainder=drop).as_numpy_iterator())
    assert all(len(batch) == batch_size for batch in found[:-1])
    matrix = np.concatenate(found) if found else np.empty((0, 2))
    expected = 40 // batch_size * batch_size if drop else 40
    assert len(matrix) == expected
    assert (matrix[:, 1] == 2 * matrix[:, 0]).all()
    assert len(set(matrix[:, 0])) == expected
    if not shuffle:
        assert matrix[:, 0].tolist() == list(range(expected))


def test_each_epoch_has_its_own_order_and_the_seed_makes_it_the_same_again() -> None:
    def epochs(seed: int | None) -> list[list[Any]]:
        found = dataset(TABLE, 3, columns=["b"], shuffle=True, seed=seed)
        return [rows(found), rows(found)]

    first, second = epochs(1)
    assert first != second
    assert sorted(first) == sorted(second) == [[float(n)] for n in range(10, 20)]
    assert epochs(1) == [first, second]
    assert epochs(2) != [first, second]


def test_rows_are_shuffled_in_windows() -> None:
    found = rows(dataset(TABLE, 10, columns=["a"], shuffle=5, seed=1))
    assert sorted(found[:5]) == [[float(n)] for n in range(5)]


def test_batches_are_read_again_for_each_epoch_but_not_those_of_an_iterator() -> None:
    batches = TABLE.select(["a"]).to_batches(max_chunksize=3)
    again = dataset(batches, 4)
    assert rows(again) == rows(again)
    once = dataset(iter(batches), 4)
    assert rows(once) == rows(again)
    with pytest.raises(tf.errors.UnknownError, match="came from an iterator and have been read"):
        rows(once)
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches))
    assert rows(dataset(reader, 4)) == rows(again)


def test_an_empty_table_has_no_batches() -> None:
    found = dataset(TABLE.slice(0, 0), 4, columns=["a", "b", "v"])
    assert (rows(found), found.element_spec.shape.as_list()) == ([], [None, 2])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"columns": ["a", "nope"]}, ValueError, "there is no column nope, only a, b, d"),
        ({"label": "nope"}, ValueError, "there is no column nope"),
        ({"columns": []}, ValueError, "there is no feature"),
        ({"columns": ["text"]}, TypeError, "column text of type string has no place in this tensor"),
        ({"shuffle": -1}, ValueError, "shuffle must be a number of rows"),
        ({"batch_size": 0}, ValueError, "batch_size must be positive"),
    ],
)
def test_what_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dataset(TABLE, **{"batch_size": 4, **options})


def test_other_sources_that_are_refused() -> None:
    with pytest.raises(ValueError, match="only a table can be shuffled as a whole"):
        dataset(TABLE.to_batches(), 4, columns=["a"], shuffle=True)
    with pytest.raises(ValueError, match="there are no batches"):
        dataset([], 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, None], "column x has nulls"),
        ([[1.0], [1.0, 2.0]], "takes arrays of 1 numbers, one of 2 was given"),
        ([[1.0], [None]], "an array of column x has a null in it"),
    ],
)
def test_bad_values_are_named_when_they_are_read(values: list[Any], message: str) -> None:
    with pytest.raises(tf.errors.OpError, match=message):
        rows(dataset(pa.table({"x": values}), 4))


def test_a_model_learns_from_it() -> None:
    tf.keras.utils.set_random_seed(1)
    random = np.random.default_rng(1).random((2000, 2))
    table = pa.table({"x": random[:, 0], "y": random[:, 1], "sum": random.sum(axis=1)})
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.Adam(0.1), "mse")
    model.fit(dataset(table, 100, label="sum", shuffle=True, seed=1), epochs=15, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0].ravel(), [1.0, 1.0], atol=0.05)
