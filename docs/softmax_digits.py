# %% [markdown]
# # Softmax regression on handwritten digits
#
# TensorFlow's first tutorial, with the data in Spark: a DataFrame becomes a `tf.data.Dataset`, a model learns from it,
# the model becomes a SQL function, and a query measures how good it is. The digits are the 1,797 images of 8 × 8 pixels
# that come with scikit-learn, so nothing is downloaded.

# %%
import logging
import os
import tempfile
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import pandas as pd
import tensorflow as tf
from pyspark.sql import SparkSession
from sklearn.datasets import load_digits

import pyflare
from pyflare import flare
from pyflare.tensorflow import register

logging.getLogger("py4j").setLevel(logging.ERROR)
logging.getLogger("tensorflow").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")
tf.keras.utils.set_random_seed(1)

builder = SparkSession.builder.master("local[2]").appName("digits").config("spark.ui.enabled", "false")
spark = pyflare.enable(builder).getOrCreate()

# %% [markdown]
# ## The data
#
# A row is an image: a column for each pixel, from 0 (white) to 16 (black), and the digit that it shows.

# %%
digits = load_digits()
pixels = [f"p{number}" for number in range(64)]
images = pd.DataFrame(digits.data, columns=pixels).assign(id=range(len(digits.data)), digit=digits.target)

directory = tempfile.TemporaryDirectory()
spark.createDataFrame(images).write.parquet(f"{directory.name}/digits")
spark.read.parquet(f"{directory.name}/digits").createOrReplaceTempView("digits")
spark.sql("SELECT digit, count(*) AS images FROM digits GROUP BY digit ORDER BY digit").show()

# %% [markdown]
# Every fifth image is kept for the test. `to_numpy` gives a query's rows as a matrix, for a look at one of them:

# %%
(image,) = flare(f"SELECT {', '.join(pixels)} FROM digits WHERE id = 13", spark).to_numpy()
for row in image.reshape(8, 8):
    print("".join(" .:*#"[int(pixel) // 4] * 2 for pixel in row))

# %% [markdown]
# ## Learning
#
# One layer: ten weighted sums of the pixels, which softmax makes probabilities. The data set streams its rows out of
# the query, which runs again in each epoch. Every epoch has its own order, the same in each run of this notebook.

# %%
scaled = ", ".join(f"{pixel} / 16 AS {pixel}" for pixel in pixels)
train = flare(f"SELECT {scaled}, CAST(digit AS INT) AS digit FROM digits WHERE id % 5 <> 0", spark)
dataset = train.dataset(100, label="digit", shuffle=2000, seed=1)

model = tf.keras.Sequential([tf.keras.Input((64,)), tf.keras.layers.Dense(10, activation="softmax")])
model.compile(tf.keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(dataset, epochs=30, shuffle=False, verbose=0)
print(f"accuracy on the training data: {history.history['accuracy'][-1]:.2f}")

# %% [markdown]
# ## The model in SQL

# %%
register(spark, "classify", model, argmax=True)
arguments = ", ".join(f"{pixel} / 16" for pixel in pixels)
spark.sql(f"""
    SELECT digit, classify({arguments}) AS found FROM digits WHERE id % 5 = 0
""").createOrReplaceTempView("test")

spark.sql("""
    SELECT digit, count(*) AS images, round(avg(if(found = digit, 1, 0)), 2) AS accuracy
    FROM test GROUP BY digit ORDER BY digit
""").show()

# %%
(accuracy,) = spark.sql("SELECT avg(if(found = digit, 1, 0)) FROM test").first()
print(f"accuracy on the test data: {accuracy:.2f}")
assert accuracy > 0.93

# %% [markdown]
# What is taken for something else most often:

# %%
spark.sql("""
    SELECT digit, found, count(*) AS images FROM test WHERE digit <> found
    GROUP BY digit, found ORDER BY images DESC, digit, found LIMIT 5
""").show()

# %%
spark.stop()
directory.cleanup()
