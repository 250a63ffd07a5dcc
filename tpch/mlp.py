"""A neural network over a column of arrays: 784-256-10, in Keras, over images of ten kinds in Parquet.

`generate` writes the images: 784 grey values each, four fifths of them 0, as floats in an `array<float>` column. `run`
trains the network on some of them, counts in one query how many images it takes for each kind, and compares PyFlare
with `predict_batch_udf`, with the registered function in plain Spark, and with TensorFlow alone on a matrix in memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tpch import mlp_udfs
from tpch.comparison import PYFLARE, Comparison, Result, session, timed_query
from tpch.generate import DATA
from tpch.mlp_udfs import BATCH, PIXELS, Array

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS: Final = 200_000
TRAINING_ROWS: Final = 10_000
KINDS: Final = 10
HIDDEN: Final = 256
RESULTS: Final = Path(__file__).parent / "results" / "mlp.json"

ALONE: Final = "TensorFlow alone"
BATCHED: Final = "predict_batch_udf"
PLAIN: Final = "registered, PyFlare off"

_ROW_GROUP: Final = 2**15
_DARK: Final = 0.8
_GREYS: Final = 255


def generate(rows: int, directory: Path, seed: int = 1) -> Path:
    """Write `rows` images to a Parquet file, unless it is there. Returns its path."""
    path = directory / f"images-{rows}-{seed}.parquet"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with pq.ParquetWriter(unfinished, table(1, seed).schema) as writer:
            for number, start in enumerate(range(0, rows, _ROW_GROUP)):
                writer.write_table(table(min(_ROW_GROUP, rows - start), seed * 1000 + number))
        unfinished.rename(path)
    return path


def table(rows: int, seed: int) -> pa.Table:
    """Images and their kinds: the same for the same seed. Each kind has its own bright places, most of them lit."""
    bright = np.random.default_rng(0).random((KINDS, PIXELS)) > _DARK
    random = np.random.default_rng(seed)
    kind = random.integers(0, KINDS, rows, dtype=np.int32)
    lit = bright[kind] & (random.random((rows, PIXELS), np.float32) > 0.3)
    greys = np.where(lit, random.integers(64, _GREYS, (rows, PIXELS), dtype=np.uint8), 0) / np.float32(_GREYS)
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(PIXELS)
    return pa.table({"pixels": pa.ListArray.from_arrays(offsets, greys.astype(np.float32).reshape(-1)), "kind": kind})


def matrix(path: Path) -> Array:
    """The images of a file as one matrix, ready for TensorFlow."""
    column = pq.read_table(path, columns=["pixels"]).column(0)
    return np.concatenate([chunk.flatten().to_numpy().reshape(-1, PIXELS) for chunk in column.chunks])


def query(function: str) -> str:
    """How many images the network takes for each kind."""
    return f"SELECT class, count(*) AS n FROM (SELECT {function}(pixels) AS class FROM images) GROUP BY 1 ORDER BY 1"


def train(path: Path) -> Any:
    """The network, trained on the images of a file."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    hidden = tf.keras.layers.Dense(HIDDEN, activation="relu")
    model = tf.keras.Sequential([tf.keras.Input((PIXELS,)), hidden, tf.keras.layers.Dense(KINDS, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    kinds = pq.read_table(path, columns=["kind"]).column(0).to_numpy()
    model.fit(matrix(path), kinds, batch_size=256, epochs=2, verbose=0)
    return model


class Experiment(Comparison):
    """A session with a trained network in all its ways, and the results so far."""

    def __init__(self, spark: SparkSession, data: Path) -> None:
        super().__init__()
        self.spark = spark
        self.data = data

    def measure(self, rows: int, repeat: int, warmup: int, scratch: Path) -> None:
        """Train the network, and run the query every way on a file of that many rows."""
        file = generate(rows, self.data)
        model, saved = train(generate(TRAINING_ROWS, self.data, seed=2)), scratch / "network.keras"
        model.save(saved)
        self._register(model, str(saved))
        self.spark.read.parquet(str(file)).createOrReplaceTempView("images")
        ready = matrix(file)
        compiled = mlp_udfs.load(str(saved))
        ways: dict[str, Callable[[Result], Any]] = {
            BATCHED: partial(timed_query, self.spark, query("by_batch"), False),
            PLAIN: partial(timed_query, self.spark, query("network"), False),
            PYFLARE: partial(timed_query, self.spark, query("network"), True),
            ALONE: partial(_timed_alone, lambda: _in_batches(compiled, ready)),
        }
        self.measure_in_turns(ways, rows, repeat, warmup)

    def _register(self, model: Any, saved: str) -> None:
        from pyspark.ml.functions import predict_batch_udf
        from pyspark.sql.types import IntegerType

        import pyflare.tensorflow

        pyflare.tensorflow.register(self.spark, "network", model, argmax=True)
        batched = predict_batch_udf(
            mlp_udfs.by_batch(saved), return_type=IntegerType(), batch_size=BATCH, input_tensor_shapes=[[PIXELS]]
        )
        self.spark.udf.register("by_batch", batched)


def _in_batches(compiled: Callable[[Array], Array], ready: Array) -> Array:
    return np.concatenate([compiled(ready[start : start + BATCH]) for start in range(0, len(ready), BATCH)])


def _timed_alone(classes: Callable[[], Array], result: Result) -> list[tuple[int, int]]:
    """What the query gives, without a query."""
    began = time.perf_counter()
    counts = np.bincount(classes(), minlength=KINDS)
    result.seconds.append(time.perf_counter() - began)
    return [(number, count) for number, count in enumerate(counts.tolist()) if count]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tpch.mlp", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    generating = commands.add_parser("generate", help="write a Parquet file")
    generating.add_argument("--seed", type=int, default=1, help="another seed, other images")
    running = commands.add_parser("run", help="train, measure, compare; ends with a table")
    running.add_argument("--repeat", type=int, default=7, help="runs of each way (%(default)s)")
    running.add_argument("--warmup", type=int, default=2, help="runs that do not count (%(default)s)")
    running.add_argument("--out", type=Path, default=RESULTS, help="the JSON file (%(default)s)")
    for command in (generating, running):
        command.add_argument("--rows", type=int, default=ROWS, help="images (%(default)s)")
        command.add_argument("--data", type=Path, default=DATA / "mlp", help="directory of the files (%(default)s)")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> int:
    spark = session(with_pyflare=True, name="mlp")
    experiment = Experiment(spark, arguments.data)
    with tempfile.TemporaryDirectory() as scratch:
        experiment.measure(arguments.rows, arguments.repeat, arguments.warmup, Path(scratch))
    spark.stop()
    return experiment.finish(arguments.out)


def main() -> int:
    """The command line. The exit status is 1 when two ways gave different rows."""
    arguments = _arguments()
    if arguments.command == "run":
        return _run(arguments)
    print(generate(arguments.rows, arguments.data, arguments.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
