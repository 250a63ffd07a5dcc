"""The network as people call it without PyFlare, in a module of its own, so that workers import it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PIXELS = 784
BATCH = 8192
"""Rows per call: what registering the network finds best for it, and no worse for the other ways."""


def load(path: str) -> Callable[[Array], Array]:
    """The network as a compiled function from rows of pixels to classes."""
    import tensorflow as tf

    model = tf.keras.models.load_model(path)
    pixels = tf.TensorSpec([None, PIXELS], tf.float32)
    classes = tf.function(lambda rows: tf.argmax(model(rows), axis=1, output_type=tf.int32), input_signature=[pixels])
    return lambda rows: np.asarray(classes(rows))


def by_batch(path: str) -> Callable[[], Callable[[Array], Array]]:
    """What `predict_batch_udf` wants: a function that makes the function of a batch."""

    def make() -> Callable[[Array], Array]:
        return load(path)

    return make
