"""What the experiments share: a query measured in several ways, in turns, the answers compared, the results kept."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import operator
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tpch import machine

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

PYFLARE: Final = "PyFlare"
"""The name of the way that the others are compared with."""

_PACKAGES: Final = ("pyflare", "pyspark", "tensorflow", "keras", "numba", "numpy", "pyarrow", "pandas")


@dataclass
class Result:
    """The times of one way on one file; the first `warmup` of them do not count."""

    way: str
    rows: int
    warmup: int
    seconds: list[float] = field(default_factory=list)
    coverage: str = ""
    rows_equal: bool = True
    task: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds[self.warmup :])


class Comparison:
    """The results so far."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def measure_in_turns(
        self,
        ways: Mapping[str, Callable[[Result], Any]],
        rows: int,
        repeat: int,
        warmup: int,
        same: Callable[[Any, Any], bool] = operator.eq,
        task: str = "",
    ) -> Any:
        """Run each way `repeat` times. It gets its result, to which it adds the seconds, and returns its answer.

        Returns the first answer, with which the others are compared by `same`.
        """
        results = {name: Result(name, rows, warmup, task=task) for name in ways}
        self.results += results.values()
        names, expected = list(ways), None
        for number in range(repeat):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                answer = ways[name](results[name])
                expected = answer if expected is None else expected
                results[name].rows_equal &= bool(same(answer, expected))
            times = "   ".join(f"{result.way} {result.seconds[-1]:.3f}" for result in results.values())
            print(f"{task:<10}{rows:>9} rows, {number + 1}/{repeat}   {times}", file=sys.stderr, flush=True)
        return expected

    def document(self) -> dict[str, Any]:
        """Everything as JSON."""
        results = [{**asdict(r), "median": r.median, "ratio": self._ratio(r)} for r in self.results]
        return {**circumstances(), "results": results}

    def report(self) -> str:
        """The results as a table."""
        lines = [f"{'task':<13} {'rows':>9}  {'way':<26} {'median s':>9} {'/ PyFlare':>10}  rows equal  coverage"]
        for result in self.results:
            ratio = self._ratio(result)
            shown = "" if ratio is None else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"
            equal = "yes" if result.rows_equal else "NO"
            first = f"{result.task:<13} {result.rows:>9}  {result.way:<26}"
            line = f"{first} {result.median:>9.4f} {shown:>10}  {equal:<10}  {result.coverage}"
            lines.append(line.rstrip())
        return "\n".join(lines)

    def finish(self, out: Path) -> int:
        """Write the results and print them. Returns the exit status: 1 when two ways gave different rows."""
        save(self.document(), out)
        print(self.report())
        print(out)
        return int(not all(result.rows_equal for result in self.results))

    def _ratio(self, result: Result) -> float | None:
        same = (result.task, result.rows)
        ours = (r.median for r in self.results if r.way == PYFLARE and (r.task, r.rows) == same)
        return next((result.median / median for median in ours), None)


def circumstances() -> dict[str, Any]:
    """When, where and with which versions something is measured."""
    return {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def save(document: Mapping[str, Any], out: Path) -> None:
    """Write results to a JSON file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")


def timed_query(spark: SparkSession, text: str, pyflare_on: bool, result: Result) -> list[Row]:
    """The rows of a query, with PyFlare switched on or off; the seconds that it took, and its coverage, are noted."""
    with switched(spark, pyflare_on):
        began = time.perf_counter()
        answer: list[Row] = spark.sql(text).collect()
        result.seconds.append(time.perf_counter() - began)
        if pyflare_on and not result.coverage:
            result.coverage = _coverage(spark, text)
    return answer


def session(with_pyflare: bool, name: str = "crime") -> SparkSession:
    """A session on two cores, with PyFlare loaded if it is to be measured."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.driver.memory": "4g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]").appName(name).config(map=settings)
    if with_pyflare:
        import pyflare

        builder = pyflare.enable(builder)
    return builder.getOrCreate()


@contextmanager
def switched(spark: SparkSession, on: bool) -> Iterator[None]:
    """PyFlare switched on or off in a session."""
    spark.conf.set("spark.pyflare.enabled", str(on).lower())
    try:
        yield
    finally:
        spark.conf.unset("spark.pyflare.enabled")


def _coverage(spark: SparkSession, text: str) -> str:
    import pyflare

    found = pyflare.explain(text, spark)
    return found.coverage if found.fully_accelerated else f"{found.coverage}: {'; '.join(map(str, found.reasons))}"
