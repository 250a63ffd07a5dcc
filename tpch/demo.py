"""`make demo`: all of TPC-H and the classifier query, by Spark alone and with PyFlare, and a table of what came out."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tpch import crime, workload
from tpch.run import Measurement, Result, available, empty_cache

ROUNDS: Final = 4
CLASSIFIED_ROWS: Final = 1_000_000
_HEAD: Final = ("query", "rows equal", "Spark s", "PyFlare cold s", "hot s", "ratio", "in PyFlare")


@dataclass(frozen=True)
class Line:
    """One line of the table. `spark` and `hot` are medians, `cold` is the first run with an empty kernel cache."""

    query: str
    equal: str
    spark: float
    cold: float
    hot: float
    coverage: str

    @property
    def ratio(self) -> float:
        return self.spark / self.hot

    @property
    def cells(self) -> tuple[str, ...]:
        """The line as the table shows it."""
        times = (f"{self.spark:.3f}", f"{self.cold:.3f}", f"{self.hot:.3f}", f"{self.ratio:.1f}x")
        return (self.query, self.equal, *times, self.coverage)


def measure(sf: float) -> tuple[list[Line], Measurement]:
    """Run every query on both engines in turns, PyFlare with an empty kernel cache at first."""
    chosen = list(available("spark,pyflare"))
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as cache:
        measurement = Measurement(chosen, workload.tasks("all", sf), sf, Path(scratch))
        measurement.hot(ROUNDS, warmup=1, environment=empty_cache(Path(cache)))
        measurement.verify()
    results = {(result.query, result.engine): result for result in measurement.results}
    names = (task.name for task in measurement.tasks)
    return [line(measurement, results[name, "spark"], results[name, "pyflare"]) for name in names], measurement


def line(measurement: Measurement, spark: Result, pyflare: Result) -> Line:
    """The line of one query. Raises SystemExit when an engine could not run it."""
    for result in (spark, pyflare):
        if result.error:
            raise SystemExit(f"{result.query} failed on {result.engine}: {result.error}")
    wrong = pyflare.difference or measurement.wrong.get(spark.query)
    return Line(
        spark.query,
        f"NO: {wrong}" if wrong else f"yes ({spark.rows})",
        statistics.median(spark.seconds[1:]),
        pyflare.seconds[0],
        statistics.median(pyflare.seconds[1:]),
        measurement.coverage[spark.query]["coverage"],
    )


def classifier() -> Line:
    """The line of the classifier query: the same registered model in Spark's Python workers and in PyFlare."""
    numbers = ",".join(str(n) for n, way in enumerate(crime.WAYS, 1) if way.function == crime.PYFLARE.function)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "crime.json"
        options = {"--rows": CLASSIFIED_ROWS, "--repeat": ROUNDS, "--warmup": 1, "--ways": numbers, "--out": out}
        words = [str(word) for option in options.items() for word in option]
        environment = {**os.environ, **empty_cache(Path(folder))}
        command = [sys.executable, "-m", "tpch.crime", "run", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        document = json.loads(out.read_text())
    results = {result["way"]: result for result in document["results"]}
    ours = results.pop(crime.PYFLARE.name)
    (spark,) = results.values()
    equal = f"yes ({len(document['accuracy'])})" if ours["rows_equal"] and spark["rows_equal"] else "NO"
    return Line("classifier", equal, spark["median"], ours["seconds"][0], ours["median"], ours["coverage"])


def table(lines: Sequence[Line]) -> str:
    """The lines under their heads, in columns."""
    rows = [_HEAD, *(line.cells for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def summary(lines: Sequence[Line], measurement: Measurement) -> str:
    """What the table's columns mean, and what stayed with Spark."""
    mean = statistics.geometric_mean(line.ratio for line in lines if line.query != "classifier")
    text = [
        f"TPC-H: {mean:.1f}x is the geometric mean of Spark's time over PyFlare's (hot: medians of {ROUNDS - 1} runs).",
        "Cold: the query's first run, kernels compiled and models loaded on the way.",
        f"Classifier: a TensorFlow model over {CLASSIFIED_ROWS:,} rows; Spark runs the same function in its workers.",
    ]
    return "\n".join([*text, *_left_to_spark(measurement)])


def _left_to_spark(measurement: Measurement) -> Iterable[str]:
    for name, found in measurement.coverage.items():
        if found["coverage"] != "fully" and found["reasons"]:
            yield f"{name}: {found['reasons'][0]}"


def main() -> int:
    """The command line. The exit status is 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tpch.demo", description=__doc__)
    parser.add_argument("--sf", type=float, default=1.0, help="scale factor")
    lines, measurement = measure(parser.parse_args().sf)
    lines.append(classifier())
    print()
    print(table(lines))
    print(summary(lines, measurement))
    return int(any(line.equal.startswith("NO") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
