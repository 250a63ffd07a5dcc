"""The classifier as people write it without PyFlare, in a module of its own, so that workers import it once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]

FEATURES: Final = ("murder", "assault", "population", "rape")


@cache
def _model(path: str) -> Any:
    import tensorflow as tf

    return tf.keras.models.load_model(path)


@cache
def _compiled(path: str) -> Any:
    import tensorflow as tf

    model = _model(path)
    features = tf.TensorSpec([None, len(FEATURES)], tf.float32)
    return tf.function(lambda rows: tf.argmax(model(rows), axis=1, output_type=tf.int32), input_signature=[features])


def by_row(path: str) -> Callable[..., int]:
    """The body of a `@udf`: one call of the model per row."""

    def classify(murder: float, assault: float, population: float, rape: float) -> int:
        row = np.array([[murder, assault, population, rape]], np.float32)
        return int(np.argmax(_model(path)(row)))

    return classify


def by_row_compiled(path: str) -> Callable[..., int]:
    """The same with a compiled model, which is as good as one call per row gets."""

    def classify(murder: float, assault: float, population: float, rape: float) -> int:
        row = np.array([[murder, assault, population, rape]], np.float32)
        return int(_compiled(path)(row)[0])

    return classify


def by_series(path: str) -> Callable[..., pd.Series]:
    """The body of a `pandas_udf`: one call of the compiled model per Arrow batch."""

    def classify(murder: pd.Series, assault: pd.Series, population: pd.Series, rape: pd.Series) -> pd.Series:
        return pd.Series(_classes(path, murder, assault, population, rape))

    return classify


def by_batch(path: str) -> Callable[[], Callable[..., Array]]:
    """What `predict_batch_udf` wants: a function that makes the function of a batch."""

    def make() -> Callable[..., Array]:
        def classify(murder: Array, assault: Array, population: Array, rape: Array) -> Array:
            return _classes(path, murder, assault, population, rape)

        return classify

    return make


def _classes(path: str, *columns: Any) -> Array:
    found: Array = _compiled(path)(np.column_stack(columns).astype(np.float32)).numpy()
    return found
