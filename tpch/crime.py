"""The TensorFlare experiment: a softmax classifier inside a SQL query, against the ways to run it that Spark has.

`generate` writes data shaped like statistics of crime: four numbers a row, and the cluster that the row belongs to.
`run` trains a classifier in TensorFlow on some of it, counts which class it finds in each cluster in one query, and
compares the times and the rows of that query for every way to call the model.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tpch import crime_udfs
from tpch.comparison import Comparison, Result, session, timed_query
from tpch.crime_udfs import FEATURES
from tpch.generate import DATA

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

SIZES: Final = (200, 2_000, 5_000_000)
TRAINING_ROWS: Final = 20_000
RESULTS: Final = Path(__file__).parent / "results" / "crime.json"

CLUSTERS: Final = (
    (13.9, 243.6, 53.8, 21.4),
    (3.6, 78.5, 52.1, 12.2),
    (10.8, 257.4, 76.0, 33.2),
    (5.7, 138.9, 73.9, 18.8),
)
SPREAD: Final = (1.0, 15.0, 3.5, 2.0)
"""Centres of the clusters, and how far rows lie from them: normally distributed, cut off so that the clusters do not
touch. So no row lies on a border between two classes, where last digits would decide."""

MISLABELLED: Final = 0.05
"""The share of rows that carry the label of another cluster: what the classifier gets wrong."""

_ROW_GROUP: Final = 2**17


def generate(rows: int, directory: Path, seed: int = 1) -> Path:
    """Write `rows` rows to a Parquet file, unless it is there. Returns its path."""
    path = directory / f"crime-{rows}-{seed}.parquet"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        pq.write_table(table(rows, seed), unfinished, row_group_size=_ROW_GROUP)
        unfinished.rename(path)
    return path


def table(rows: int, seed: int) -> pa.Table:
    """The data: the same for the same seed."""
    random = np.random.default_rng(seed)
    cluster = random.integers(0, len(CLUSTERS), rows, dtype=np.int32)
    noise = np.clip(random.standard_normal((rows, len(FEATURES))), -2.5, 2.5)
    features = np.array(CLUSTERS)[cluster] + noise * SPREAD
    wrong = random.random(rows) < MISLABELLED
    label = np.where(wrong, random.integers(0, len(CLUSTERS), rows, dtype=np.int32), cluster)
    columns = {name: features[:, index] for index, name in enumerate(FEATURES)}
    return pa.table({**columns, "cluster": label})


def query(function: str, view: str) -> str:
    """How often the classifier finds each class in each cluster."""
    classes = range(len(CLUSTERS))
    counts = ", ".join(f"sum(CASE WHEN real.prediction = {n} THEN 1 ELSE 0 END) AS class{n}" for n in classes)
    predictions = f"SELECT cluster, {function}({', '.join(FEATURES)}) AS prediction FROM {view}"
    return f"SELECT real.cluster, {counts} FROM ({predictions}) real GROUP BY real.cluster ORDER BY real.cluster"


def train(dataset: Callable[..., Any]) -> Any:
    """A softmax classifier, learnt from what `dataset(batch_size, …)` gives."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    scale = tf.keras.layers.Normalization()
    scale.adapt(dataset(4096, columns=FEATURES))
    softmax = tf.keras.layers.Dense(len(CLUSTERS), activation="softmax")
    model = tf.keras.Sequential([tf.keras.Input((len(FEATURES),)), scale, softmax])
    model.compile(tf.keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(dataset(512, columns=FEATURES, label="cluster", shuffle=True, seed=1), epochs=5, shuffle=False, verbose=0)
    return model


@dataclass(frozen=True)
class Way:
    """A way to call the model: the name of a SQL function, and whether PyFlare is on."""

    name: str
    function: str
    pyflare: bool = False
    by_row: bool = False


WAYS: Final = (
    Way("udf", "by_row", by_row=True),
    Way("udf, compiled model", "by_row_compiled", by_row=True),
    Way("pandas_udf", "by_series"),
    Way("predict_batch_udf", "by_batch"),
    Way("registered, PyFlare off", "classifier"),
    Way("PyFlare", "classifier", pyflare=True),
)
PYFLARE: Final = WAYS[-1]
BY_ROW_LIMIT: Final = 20_000


class Experiment(Comparison):
    """A session, a trained model in all its ways, and the results so far."""

    def __init__(self, spark: SparkSession, data: Path, ways: Sequence[Way]) -> None:
        super().__init__()
        self.spark = spark
        self.data = data
        self.ways = ways
        self.accuracy: list[dict[str, int]] = []

    def prepare(self, scratch: Path) -> None:
        """Train the model and make it a SQL function in every way."""
        import pyflare.tensorflow

        frame = self.spark.read.parquet(str(generate(TRAINING_ROWS, self.data, seed=2)))
        model = train(_dataset_of(frame, PYFLARE in self.ways))
        path = scratch / "classifier.keras"
        model.save(path)
        _register_others(self.spark, str(path))
        pyflare.tensorflow.register(self.spark, "classifier", model, argmax=True)

    def measure(self, rows: int, repeat: int, warmup: int) -> None:
        """Run the query every way on a file of that many rows, in turns, and compare the answers."""
        view = f"crime_{rows}"
        self.spark.read.parquet(str(generate(rows, self.data))).createOrReplaceTempView(view)
        ways = [way for way in self.ways if not way.by_row or rows <= BY_ROW_LIMIT]
        runs = {way.name: partial(self._once, way, view) for way in ways}
        answer: list[Row] = self.measure_in_turns(runs, rows, repeat, warmup)
        self.accuracy = [row.asDict() for row in answer]

    def _once(self, way: Way, view: str, result: Result) -> list[Row]:
        return timed_query(self.spark, query(way.function, view), way.pyflare, result)

    def document(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {**super().document(), "accuracy": self.accuracy}


def _dataset_of(frame: Any, with_pyflare: bool) -> Callable[..., Any]:
    if with_pyflare:
        import pyflare

        return pyflare.flare(frame).dataset
    from pyflare.tensorflow import dataset

    rows = frame.toArrow()
    return lambda batch_size, **options: dataset(rows, batch_size, **options)


def _register_others(spark: SparkSession, path: str) -> None:
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql.functions import pandas_udf, udf
    from pyspark.sql.types import IntegerType

    spark.udf.register("by_row", udf(crime_udfs.by_row(path), "int", useArrow=False))
    spark.udf.register("by_row_compiled", udf(crime_udfs.by_row_compiled(path), "int", useArrow=False))
    spark.udf.register("by_series", pandas_udf(crime_udfs.by_series(path), "int"))
    batched = predict_batch_udf(crime_udfs.by_batch(path), return_type=IntegerType(), batch_size=10_000)
    spark.udf.register("by_batch", batched)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tpch.crime", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    generating = commands.add_parser("generate", help="write a Parquet file")
    generating.add_argument("--rows", type=int, default=SIZES[-1], help="rows (%(default)s)")
    generating.add_argument("--seed", type=int, default=1, help="another seed, other rows")
    running = commands.add_parser("run", help="train, measure, compare; ends with a table")
    running.add_argument("--rows", default=",".join(map(str, SIZES)), help="sizes to measure (%(default)s)")
    running.add_argument("--repeat", type=int, default=15, help="runs of each way (%(default)s)")
    running.add_argument("--warmup", type=int, default=5, help="runs that do not count (%(default)s)")
    running.add_argument("--ways", default="all", help=f"numbers, such as 1,3: {_listed_ways()}")
    running.add_argument("--out", type=Path, default=RESULTS, help="the JSON file (%(default)s)")
    for command in (generating, running):
        command.add_argument("--data", type=Path, default=DATA / "crime", help="directory of the files (%(default)s)")
    return parser.parse_args()


def _listed_ways() -> str:
    return ", ".join(f"{number} {way.name}" for number, way in enumerate(WAYS, 1))


def _run(arguments: argparse.Namespace) -> int:
    numbers = range(1, len(WAYS) + 1) if arguments.ways == "all" else map(int, arguments.ways.split(","))
    ways = [WAYS[number - 1] for number in numbers]
    spark = session(PYFLARE in ways)
    experiment = Experiment(spark, arguments.data, ways)
    with tempfile.TemporaryDirectory() as scratch:
        experiment.prepare(Path(scratch))
        for rows in map(int, arguments.rows.split(",")):
            experiment.measure(rows, arguments.repeat, arguments.warmup)
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
