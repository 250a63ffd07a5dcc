# %% [markdown]
# # Two examples of TensorFrames: geometric means and k-means
#
# The programs that TensorFrames came with, with functions of tensors instead of graphs. `docs/tensorframes.md` explains
# the functions.

# %%
import logging
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["PYSPARK_PYTHON"] = sys.executable

import numpy as np
import tensorflow as tf
from pyspark.sql import SparkSession
from pyspark.sql.functions import col
from pyspark.sql.functions import round as rounded

import pyflare.tensorframes as tfs

logging.getLogger("py4j").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")

builder = SparkSession.builder.master("local[2]").appName("tensorframes").config("spark.ui.enabled", "false")
spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()

# %% [markdown]
# ## Geometric means
#
# The geometric mean of $n$ numbers is $e^{\frac{1}{n} \sum \log x}$: a map makes logarithms, an aggregation adds them
# up for each key, and another map makes the means.

# %%
numbers = spark.range(1, 10, 1, 2).select((col("id") % 3).alias("key"), col("id").cast("double").alias("x"))


def parts(x):
    return {"log": tf.math.log(x), "count": tf.ones_like(x)}


def added(log_input, count_input):
    return {"log": tf.reduce_sum(log_input, 0), "count": tf.reduce_sum(count_input, 0)}


def mean(log, count):
    return tf.exp(log / count)


sums = tfs.aggregate(added, tfs.map_blocks(parts, numbers).groupBy("key"))
means = tfs.map_blocks(mean, sums).select("key", rounded("mean", 4).alias("mean")).orderBy("key")
means.show()

# %%
expected = {key: np.prod([n for n in range(1, 10) if n % 3 == key]) ** (1 / 3) for key in range(3)}
assert all(abs(row["mean"] - expected[row["key"]]) < 1e-4 for row in means.collect())

# %% [markdown]
# ## k-means
#
# Points around four centers. `analyze` finds that all of them have two elements.

# %%
random = np.random.default_rng(1)
centers = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [6.0, 6.0]])
data = centers[np.arange(2000) % 4] + random.normal(size=(2000, 2))
points = tfs.analyze(spark.createDataFrame([(row,) for row in data.tolist()], "point array<double>").repartition(2))
tfs.print_schema(points)

# %% [markdown]
# A step finds the nearest center of each point, and adds up the points of each center before they leave their block:
# two blocks give two small rows to add up, however many points there are.


# %%
def step(found):
    def sums_of_block(point):
        squares = tf.reduce_sum((point[:, None, :] - found[None, :, :]) ** 2, 2)
        nearest = tf.argmin(squares, 1)
        sums = tf.math.unsorted_segment_sum(point, nearest, len(found))
        counts = tf.math.unsorted_segment_sum(tf.ones_like(nearest, tf.float64), nearest, len(found))
        cost = tf.reduce_sum(tf.reduce_min(squares, 1))
        return {"sums": sums[None], "counts": counts[None], "cost": cost[None]}

    def all_blocks(sums_input, counts_input, cost_input):
        return {
            "sums": tf.reduce_sum(sums_input, 0),
            "counts": tf.reduce_sum(counts_input, 0),
            "cost": tf.reduce_sum(cost_input, 0),
        }

    blocks = tfs.map_blocks(sums_of_block, points, trim=True)
    sums, counts, cost = tfs.reduce_blocks(all_blocks, blocks)
    return sums / counts[:, None], cost


# %%
found = data[:4].copy()
for number in range(3):
    found, cost = step(found)
    print(f"step {number + 1}: mean squared distance {cost / len(data):.3f}")

print(found.round(1))
assert np.abs(found - centers).max() < 0.2

# %%
spark.stop()
