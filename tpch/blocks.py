"""TensorFrames' own two examples at size: a constant added to numbers, and vectors reduced to their sum and minimum.

    python -m tpch.blocks run [--rows 10000000] [--repeat 7] [--warmup 2] [--out FILE]

`map_blocks` and `reduce_blocks` with PyFlare and in plain Spark, against `mapInPandas` that does the same. The mapped
numbers are added up by Spark, so that every way hands over all of them; the vectors have two elements.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tpch.comparison import PYFLARE, Comparison, Result, session, switched
from tpch.generate import DATA

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS: Final = 10_000_000
RESULTS: Final = Path(__file__).parent / "results" / "blocks.json"
CONSTANT: Final = 3.0
PANDAS: Final = "mapInPandas"
PLAIN: Final = "TensorFrames, PyFlare off"

_ROW_GROUP: Final = 2**17


def generate(rows: int, directory: Path, seed: int = 1) -> Path:
    """Write numbers `x` and vectors `v` of two elements to a Parquet file, unless it is there. Returns its path."""
    path = directory / f"vectors-{rows}-{seed}.parquet"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(seed)
        vectors = pa.FixedSizeListArray.from_arrays(random.random(2 * rows), 2).cast(pa.list_(pa.float64()))
        pq.write_table(pa.table({"x": random.random(rows), "v": vectors}), path, row_group_size=_ROW_GROUP)
    return path


def mapped(frame: DataFrame) -> list[float]:
    """The sum of all numbers, a constant added to each by a block function of TensorFrames."""
    import pyflare.tensorframes as tfs

    def z(x: Any) -> Any:
        return x + CONSTANT

    return _added_up(tfs.map_blocks(z, frame.select("x"), trim=True))


def mapped_by_pandas(frame: DataFrame) -> list[float]:
    """`mapped`, by pandas."""

    def add(blocks: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for block in blocks:
            yield pd.DataFrame({"z": block["x"] + CONSTANT})

    return _added_up(frame.select("x").mapInPandas(add, "z double"))


def reduced(frame: DataFrame) -> list[float]:
    """The sum of all vectors and the minimum of each element, by block functions of TensorFrames."""
    import tensorflow as tf

    import pyflare.tensorframes as tfs

    def both(total_input: Any, least_input: Any) -> Any:
        return {"total": tf.reduce_sum(total_input, 0), "least": tf.reduce_min(least_input, 0)}

    vectors = tfs.append_shape(frame.selectExpr("v AS total", "v AS least"), "total", [None, 2])
    found = tfs.reduce_blocks(both, tfs.append_shape(vectors, "least", [None, 2]))
    return [float(number) for vector in found for number in vector]


def reduced_by_pandas(frame: DataFrame) -> list[float]:
    """`reduced`, by pandas: partial results of each block, put together at the end."""

    def both(blocks: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for block in blocks:
            vectors = np.stack(block["v"].to_numpy())
            yield pd.DataFrame({"total": [vectors.sum(axis=0)], "least": [vectors.min(axis=0)]})

    parts = frame.select("v").mapInPandas(both, "total array<double>, least array<double>").collect()
    total = np.sum([part.total for part in parts], axis=0)
    least = np.min([part.least for part in parts], axis=0)
    return [float(number) for number in (*total, *least)]


TASKS: Final[dict[str, tuple[Callable[[DataFrame], list[float]], Callable[[DataFrame], list[float]]]]] = {
    "map_blocks": (mapped, mapped_by_pandas),
    "reduce_blocks": (reduced, reduced_by_pandas),
}


class Experiment(Comparison):
    """A session with the file, and the results so far."""

    def __init__(self, spark: SparkSession, data: Path) -> None:
        super().__init__()
        self.spark = spark
        self.data = data

    def measure(self, rows: int, repeat: int, warmup: int) -> None:
        """Do both tasks every way on a file of that many rows."""
        file = str(generate(rows, self.data))
        for task, (blocks, pandas) in TASKS.items():
            ways: dict[str, Callable[[Result], Any]] = {
                PANDAS: partial(self._timed, file, pandas, False),
                PLAIN: partial(self._timed, file, blocks, False),
                PYFLARE: partial(self._timed, file, blocks, True),
            }
            self.measure_in_turns(ways, rows, repeat, warmup, close, task)

    def _timed(self, file: str, work: Callable[[DataFrame], list[float]], on: bool, result: Result) -> list[float]:
        with switched(self.spark, on):
            began = time.perf_counter()
            answer = work(self.spark.read.parquet(file))
            result.seconds.append(time.perf_counter() - began)
        return answer


def close(one: list[float], other: list[float]) -> bool:
    """Whether answers are equal, except for the order in which floats were added."""
    return len(one) == len(other) and all(map(partial(math.isclose, rel_tol=1e-9), one, other))


def _added_up(frame: DataFrame) -> list[float]:
    return [float(row[0]) for row in frame.groupBy().sum("z").collect()]


def main() -> int:
    """The command line. The exit status is 1 when two ways gave different answers."""
    parser = argparse.ArgumentParser(
        prog="python -m tpch.blocks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    running = parser.add_subparsers(dest="command", required=True).add_parser("run", help="measure, compare")
    running.add_argument("--rows", type=int, default=ROWS, help="rows of the file (%(default)s)")
    running.add_argument("--repeat", type=int, default=7, help="runs of each way (%(default)s)")
    running.add_argument("--warmup", type=int, default=2, help="runs that do not count (%(default)s)")
    running.add_argument("--data", type=Path, default=DATA / "blocks", help="directory of the file (%(default)s)")
    running.add_argument("--out", type=Path, default=RESULTS, help="the JSON file (%(default)s)")
    arguments = parser.parse_args()
    spark = session(with_pyflare=True, name="blocks")
    experiment = Experiment(spark, arguments.data)
    experiment.measure(arguments.rows, arguments.repeat, arguments.warmup)
    spark.stop()
    return experiment.finish(arguments.out)


if __name__ == "__main__":
    sys.exit(main())
