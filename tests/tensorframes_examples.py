"""Programs in the style of TensorFrames' own examples: means by key, and k-means."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from pyspark.sql import DataFrame

import pyflare.tensorframes as tfs

v1 = tf.compat.v1
Matrix: TypeAlias = npt.NDArray[np.float64]


def geometric_means(frame: DataFrame, key: str, column: str) -> DataFrame:
    """The geometric mean of a column for each key: `key`, `mean`."""
    with tf.Graph().as_default():
        x = tfs.block(frame, column)
        logs = tf.math.log(x, name="logs")
        ones = tf.ones_like(x, name="ones")
        parts = tfs.map_blocks([logs, ones], frame)
    with tf.Graph().as_default():
        logs = tf.reduce_sum(tfs.block(parts, "logs", tf_name="logs_input"), 0, name="logs")
        ones = tf.reduce_sum(tfs.block(parts, "ones", tf_name="ones_input"), 0, name="ones")
        sums = tfs.aggregate([logs, ones], parts.groupBy(key))
    with tf.Graph().as_default():
        mean = tf.exp(tfs.block(sums, "logs") / tfs.block(sums, "ones"), name="mean")
        return tfs.map_blocks(mean, sums).select(key, "mean")


def kmeans(frame: DataFrame, column: str, centers: Matrix, steps: int) -> tuple[Matrix, float]:
    """The centers after some steps, and the sum of squared distances to those of the last step but one."""
    points = tfs.analyze(frame.select(column))
    cost = 0.0
    for _ in range(steps):
        centers, cost = _step(points, column, centers)
    return centers, cost


def _step(points: DataFrame, column: str, centers: Matrix) -> tuple[Matrix, float]:
    with tf.Graph().as_default():
        x = tfs.block(points, column)
        distances = _distances(x, tf.constant(centers))
        nearest = tf.argmin(distances, 1, name="nearest")
        distance = tf.reduce_min(distances, 1, name="distance")
        count = tf.ones_like(nearest, name="count")
        assigned = tfs.map_blocks([nearest, distance, count], points)
    with tf.Graph().as_default():
        inputs = {name: tfs.block(assigned, name, tf_name=f"{name}_input") for name in (column, "distance", "count")}
        sums = [tf.reduce_sum(block, 0, name=name) for name, block in inputs.items()]
        rows = tfs.aggregate(sums, assigned.groupBy("nearest")).collect()
    moved = centers.copy()
    for row in rows:
        moved[row["nearest"]] = np.array(row[column]) / row["count"]
    return moved, sum(row["distance"] for row in rows)


def _distances(points: Any, centers: Any) -> Any:
    """The squared distance of every point to every center."""
    squares = tf.reduce_sum(points**2, 1, keepdims=True) + tf.reduce_sum(centers**2, 1)
    return squares - 2.0 * tf.matmul(points, centers, transpose_b=True)
