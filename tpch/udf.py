"""Plain Python functions over millions of rows: Spark's workers, by pickle, by Arrow and by pandas, and PyFlare.

    python -m tpch.udf run [--rows 6000000] [--repeat 7] [--warmup 2] [--cold 3] [--out FILE]

The query sums a function of two columns over the rows that another function chooses. Hot runs go in turns in one
session. A cold run is the first query of a new process, once its session is there, and PyFlare has no compiled kernels.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tpch.comparison import PYFLARE, Comparison, Result, save, session, timed_query
from tpch.generate import DATA
from tpch.run import empty_cache

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

ROWS: Final = 6_000_000
RESULTS: Final = Path(__file__).parent / "results" / "udf.json"
GROUP: Final = 131_072
RATE: Final = 0.065


def charge(price: float, quantity: int) -> float:
    """What the query sums: a discount by steps, a tax."""
    discount = 0.1 if quantity > 40 else 0.05 if quantity > 20 else 0.0
    return price * (1.0 - discount) * (1.0 + RATE)


def chosen(price: float) -> bool:
    """What the query keeps: most of the rows."""
    return price % 100.0 >= 10.0


def charges(price: pd.Series, quantity: pd.Series) -> pd.Series:
    """`charge` of whole columns."""
    discount = np.where(quantity > 40, 0.1, np.where(quantity > 20, 0.05, 0.0))
    return price * (1.0 - discount) * (1.0 + RATE)


def chosen_ones(price: pd.Series) -> pd.Series:
    """`chosen` of a whole column."""
    return price % 100.0 >= 10.0


@dataclass(frozen=True)
class Way:
    """One way to run the query: whether PyFlare is on, and how the functions are registered."""

    name: str
    pyflare: bool
    register: Callable[[SparkSession], None]


def _plain(use_arrow: bool) -> Callable[[SparkSession], None]:
    def register(spark: SparkSession) -> None:
        from pyspark.sql.functions import udf

        spark.udf.register("charge", udf(charge, "double", useArrow=use_arrow))
        spark.udf.register("chosen", udf(chosen, "boolean", useArrow=use_arrow))

    return register


def _pandas(spark: SparkSession) -> None:
    from pyspark.sql.functions import pandas_udf

    spark.udf.register("charge", pandas_udf(charges, "double"))
    spark.udf.register("chosen", pandas_udf(chosen_ones, "boolean"))


WAYS: Final = (
    Way("Spark, @udf", False, _plain(False)),
    Way("Spark, @udf(useArrow=True)", False, _plain(True)),
    Way("Spark, pandas_udf", False, _pandas),
    Way("PyFlare, pandas_udf", True, _pandas),
    Way(PYFLARE, True, _plain(False)),
)
QUERY: Final = "SELECT sum(charge(price, quantity)) AS total, count(*) AS n FROM sales WHERE chosen(price)"


def generate(rows: int, folder: Path, seed: int = 1) -> Path:
    """A Parquet file of that many rows; written once."""
    path = folder / f"sales_{rows}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(seed)
        price, quantity = random.integers(90_000, 10_500_000, rows) / 100.0, random.integers(1, 51, rows)
        pq.write_table(pa.table({"price": price, "quantity": quantity}), path, row_group_size=GROUP)
    return path


class Experiment(Comparison):
    """A file, and what has been measured on it so far; `cold` has the seconds of first queries, by way."""

    def __init__(self, rows: int, data: Path) -> None:
        super().__init__()
        self.rows, self.data = rows, data
        self.cold: dict[str, list[float]] = {way.name: [] for way in WAYS}

    def once(self, spark: SparkSession, way: Way, result: Result) -> list[Row]:
        """Run the query one way."""
        spark.read.parquet(str(generate(self.rows, self.data))).createOrReplaceTempView("sales")
        way.register(spark)
        return timed_query(spark, QUERY, way.pyflare, result)

    def measure_hot(self, repeat: int, warmup: int) -> None:
        """Run the query every way, in turns, in one session."""
        spark = session(True, name="udf")
        ways = {way.name: partial(self.once, spark, way) for way in WAYS}
        self.measure_in_turns(ways, self.rows, repeat, warmup, same_sum)
        spark.stop()

    def measure_cold(self) -> None:
        """The first query of a new process for each way; PyFlare's with an empty kernel cache."""
        for number, way in enumerate(WAYS):
            options = ["--way", str(number), "--rows", str(self.rows), "--data", str(self.data)]
            command = [sys.executable, "-m", "tpch.udf", "once", *options]
            with tempfile.TemporaryDirectory() as cache:
                environment = {**os.environ, **empty_cache(Path(cache))}
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            self.cold[way.name].append(float(done.stdout.split()[-1]))
            print(f"first query   {way.name} {self.cold[way.name][-1]:.3f}", file=sys.stderr, flush=True)

    def document(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {**super().document(), "query": QUERY, "cold": self.cold, "cold_medians": self._cold_medians()}

    def report(self) -> str:
        """The results as a table, and first queries below it."""
        medians, lines = self._cold_medians(), [super().report()]
        if medians:
            lines += ["", f"{'first query':<24} {'median s':>9} {'/ PyFlare':>10}"]
        for name, seconds in medians.items():
            lines.append(f"{name:<24} {seconds:>9.3f} {seconds / medians[PYFLARE]:>10.1f}")
        return "\n".join(lines)

    def _cold_medians(self) -> dict[str, float]:
        return {name: statistics.median(seconds) for name, seconds in self.cold.items() if seconds}


def same_sum(answer: list[Row], expected: list[Row]) -> bool:
    """Whether two answers are equal but for the order of a floating-point sum."""
    (row,), (other,) = answer, expected
    return row.n == other.n and math.isclose(row.total, other.total, rel_tol=1e-9)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tpch.udf", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="measure every way; ends with a table")
    running.add_argument("--repeat", type=int, default=7, help="hot runs of each way (%(default)s)")
    running.add_argument("--warmup", type=int, default=2, help="hot runs that do not count (%(default)s)")
    running.add_argument("--cold", type=int, default=3, help="cold runs of each way (%(default)s)")
    running.add_argument("--out", type=Path, default=RESULTS, help="the JSON file (%(default)s)")
    single = commands.add_parser("once", help="one run in a new session; prints the seconds")
    single.add_argument("--way", type=int, required=True, help="the number of the way, from 0")
    for command in (running, single):
        command.add_argument("--rows", type=lambda text: int(float(text)), default=ROWS, help="rows (%(default)s)")
        command.add_argument("--data", type=Path, default=DATA / "udf", help="directory of the file (%(default)s)")
    return parser.parse_args()


def main() -> int:
    """The command line. The exit status is 1 when two ways gave different rows."""
    arguments = _arguments()
    experiment = Experiment(arguments.rows, arguments.data)
    if arguments.command == "once":
        way, result = WAYS[arguments.way], Result("", arguments.rows, 0)
        spark = session(way.pyflare, name="udf")
        experiment.once(spark, way, result)
        spark.stop()
        print(result.seconds[0])
        return 0
    experiment.measure_hot(arguments.repeat, arguments.warmup)
    for _ in range(arguments.cold):
        save(experiment.document(), arguments.out)  # first queries take minutes, and nothing is to be lost
        experiment.measure_cold()
    return experiment.finish(arguments.out)


if __name__ == "__main__":
    sys.exit(main())
