"""Plain Python functions over millions of rows: Spark's workers, by pickle, by Arrow and by pandas, and PyFlare.

    python -m tpch.udf run [--rows 6000000] [--repeat 7] [--warmup 2] [--cold 3] [--out FILE]

The query sums a function of two columns over the rows that another function chooses. Hot runs go in turns in one
session. A cold run is the first query of a new process, once its session is there, and PyFlare has no compiled kernels.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tpch import machine
from tpch.comparison import session
from tpch.generate import DATA
from tpch.run import empty_cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

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


PYFLARE: Final = Way("PyFlare, @udf", True, _plain(False))
WAYS: Final = (
    Way("Spark, @udf", False, _plain(False)),
    Way("Spark, @udf(useArrow=True)", False, _plain(True)),
    Way("Spark, pandas_udf", False, _pandas),
    PYFLARE,
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


@dataclass
class Result:
    """The times of one way; the first `warmup` hot ones do not count."""

    way: str
    rows: int
    warmup: int
    hot: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    coverage: str = ""
    rows_equal: bool = True

    @property
    def hot_median(self) -> float:
        return statistics.median(self.hot[self.warmup :])

    @property
    def cold_median(self) -> float | None:
        return statistics.median(self.cold) if self.cold else None


def once(spark: SparkSession, way: Way, path: Path) -> tuple[float, tuple[float, int]]:
    """The seconds that the query takes, and its answer."""
    spark.read.parquet(str(path)).createOrReplaceTempView("sales")
    way.register(spark)
    with _switched(spark, way.pyflare):
        began = time.perf_counter()
        row = spark.sql(QUERY).collect()[0]
        return time.perf_counter() - began, (row.total, row.n)


def coverage(spark: SparkSession, way: Way) -> str:
    """How much of the query PyFlare takes over."""
    import pyflare

    way.register(spark)
    found = pyflare.explain(QUERY, spark)
    return found.coverage if found.fully_accelerated else f"{found.coverage}: {'; '.join(map(str, found.reasons))}"


@contextmanager
def _switched(spark: SparkSession, on: bool) -> Iterator[None]:
    spark.conf.set("spark.pyflare.enabled", str(on).lower())
    try:
        yield
    finally:
        spark.conf.unset("spark.pyflare.enabled")


def measure_hot(spark: SparkSession, results: Sequence[Result], path: Path, repeat: int) -> None:
    """Run the query every way, in turns, and compare the answers."""
    expected: tuple[float, int] | None = None
    for number in range(repeat):
        shift = number % len(WAYS)
        for way, result in [*zip(WAYS, results, strict=True)][shift:] + [*zip(WAYS, results, strict=True)][:shift]:
            seconds, answer = once(spark, way, path)
            result.hot.append(seconds)
            expected = expected or answer
            result.rows_equal &= answer[1] == expected[1] and math.isclose(answer[0], expected[0], rel_tol=1e-9)
            if way.pyflare and not result.coverage:
                result.coverage = coverage(spark, way)
        times = "   ".join(f"{result.way} {result.hot[-1]:.3f}" for result in results)
        print(f"{number + 1}/{repeat}   {times}", file=sys.stderr, flush=True)


def measure_cold(results: Sequence[Result], rows: int, data: Path) -> None:
    """The first query of a new process for each way; PyFlare's with an empty kernel cache."""
    for number, result in enumerate(results):
        command = [sys.executable, "-m", "tpch.udf", "once", "--way", str(number), "--rows", str(rows)]
        with tempfile.TemporaryDirectory() as cache:
            environment = {**os.environ, **empty_cache(Path(cache))}
            done = subprocess.run(
                [*command, "--data", str(data)], capture_output=True, text=True, check=True, env=environment
            )
        result.cold.append(float(done.stdout.split()[-1]))
        print(f"cold   {result.way} {result.cold[-1]:.3f}", file=sys.stderr, flush=True)


def document(results: Sequence[Result]) -> dict[str, Any]:
    """Everything as JSON."""
    packages = ("pyflare", "pyspark", "numba", "numpy", "pyarrow", "pandas")
    ours = next(result for result in results if result.way == PYFLARE.name)
    return {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "query": QUERY,
        "results": [{**asdict(result), **_summary(result, ours)} for result in results],
    }


def _summary(result: Result, ours: Result) -> dict[str, float | None]:
    medians = {"hot_median": result.hot_median, "cold_median": result.cold_median}
    return {**medians, "ratio": result.hot_median / ours.hot_median, "cold_ratio": _cold_ratio(result, ours)}


def _cold_ratio(result: Result, ours: Result) -> float | None:
    return result.cold_median / ours.cold_median if result.cold_median and ours.cold_median else None


def report(results: Sequence[Result]) -> str:
    """The results as a table."""
    ours = next(result for result in results if result.way == PYFLARE.name)
    lines = [f"{'way':<28} {'hot s':>8} {'/ PyFlare':>10} {'cold s':>8}  rows equal  coverage"]
    for r in results:
        cold = "" if r.cold_median is None else f"{r.cold_median:.3f}"
        ratio, equal = r.hot_median / ours.hot_median, "yes" if r.rows_equal else "NO"
        lines.append(f"{r.way:<28} {r.hot_median:>8.3f} {ratio:>10.1f} {cold:>8}  {equal:<10}  {r.coverage}".rstrip())
    return "\n".join(lines)


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


def _run(arguments: argparse.Namespace) -> int:
    path = generate(arguments.rows, arguments.data)
    results = [Result(way.name, arguments.rows, arguments.warmup) for way in WAYS]
    spark = session(True)
    measure_hot(spark, results, path, arguments.repeat)
    spark.stop()
    _save(results, arguments.out)
    for _ in range(arguments.cold):
        measure_cold(results, arguments.rows, arguments.data)
        _save(results, arguments.out)
    print(report(results))
    print(arguments.out)
    return int(not all(result.rows_equal for result in results))


def _save(results: Sequence[Result], out: Path) -> None:
    """Write what there is so far: cold runs take minutes, and none is to be lost."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document(results), indent=1) + "\n")


def main() -> int:
    """The command line. The exit status is 1 when two ways gave different rows."""
    arguments = _arguments()
    if arguments.command == "run":
        return _run(arguments)
    way = WAYS[arguments.way]
    spark = session(way.pyflare)
    print(once(spark, way, generate(arguments.rows, arguments.data))[0])
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
