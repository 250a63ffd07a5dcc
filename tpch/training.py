"""One epoch of training on a Spark query: `flare(df).dataset()`, against `toPandas()` and then `tf.data`.

    python -m tpch.training run [--rows 5000000] [--batch 8192] [--repeat 5] [--out FILE]

The model has two layers; the query reads four numbers and a label from Parquet. Every run is a process of its own,
which has trained on a few rows before, so that everything is loaded and compiled. A run's memory is the largest sum of
the resident sizes of its processes (Python, JVM, backend) during the epoch, and how much that is above the sum before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tpch import crime
from tpch.comparison import circumstances, save, session
from tpch.crime_udfs import FEATURES
from tpch.generate import DATA
from tpch.measure import Peak

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROWS: Final = 5_000_000
WARM_ROWS: Final = 20_000
RESULTS: Final = Path(__file__).parent / "results" / "training.json"
LABEL: Final = "cluster"
_CLOSE: Final = 1e-4


def by_dataset(frame: DataFrame, batch: int) -> Any:
    """The query's rows as they come."""
    from pyflare import flare

    return flare(frame).dataset(batch, columns=FEATURES, label=LABEL)


def by_pandas(frame: DataFrame, batch: int) -> Any:
    """The query's rows all at once."""
    import tensorflow as tf

    rows = frame.toPandas()
    features = rows[list(FEATURES)].to_numpy("float32")
    return (
        tf.data.Dataset.from_tensor_slices((features, rows[LABEL].to_numpy())).batch(batch).prefetch(tf.data.AUTOTUNE)
    )


@dataclass(frozen=True)
class Way:
    """A way to get the rows to the model."""

    name: str
    rows_of: Callable[[DataFrame, int], Any]
    pyflare: bool = False
    arrow: bool = True


PYFLARE: Final = Way("PyFlare, dataset", by_dataset, pyflare=True)
WAYS: Final = (
    Way("toPandas", by_pandas, arrow=False),
    Way("toPandas, Arrow on", by_pandas),
    PYFLARE,
)


@dataclass
class Result:
    """What the runs of one way took, and the loss that training ended with."""

    way: str
    rows: int
    batch: int
    seconds: list[float] = field(default_factory=list)
    peak_mib: list[int] = field(default_factory=list)
    grown_mib: list[int] = field(default_factory=list)
    loss: float = 0.0

    def add(self, run: dict[str, Any]) -> None:
        self.seconds.append(run["seconds"])
        self.peak_mib.append(run["peak_mib"])
        self.grown_mib.append(run["grown_mib"])
        self.loss = run["loss"]

    def medians(self) -> dict[str, float]:
        return {name: statistics.median(getattr(self, name)) for name in ("seconds", "peak_mib", "grown_mib")}


def two_layers() -> Any:
    """The model, with the same first weights in every run."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    scale = tf.keras.layers.Rescaling([0.1, 0.005, 0.02, 0.05])
    layers = [scale, tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(len(crime.CLUSTERS), "softmax")]
    model = tf.keras.Sequential([tf.keras.Input((len(FEATURES),)), *layers])
    model.compile(tf.keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


def once(way: Way, rows: int, batch: int, data: Path) -> dict[str, Any]:
    """One epoch in this process."""
    spark = session(way.pyflare)
    spark.conf.set("spark.sql.execution.arrow.pyspark.enabled", str(way.arrow).lower())

    def epoch(size: int) -> float:
        frame = spark.read.parquet(str(crime.generate(size, data)))
        history = two_layers().fit(way.rows_of(frame, batch), epochs=1, shuffle=False, verbose=0)
        return float(history.history["loss"][-1])

    epoch(WARM_ROWS)
    before = Peak(os.getpid()).now()
    with Peak(os.getpid()) as peak:
        began = time.perf_counter()
        loss = epoch(rows)
        seconds = time.perf_counter() - began
    spark.stop()
    return {"seconds": seconds, "peak_mib": peak.bytes >> 20, "grown_mib": (peak.bytes - before) >> 20, "loss": loss}


def measure(rows: int, batch: int, repeat: int, ways: list[Way], data: Path) -> list[Result]:
    """Runs of all ways in turns, each in a process of its own."""
    for size in (rows, WARM_ROWS):
        crime.generate(size, data)
    results = {way.name: Result(way.name, rows, batch) for way in ways}
    for number in range(repeat):
        for way in ways:
            results[way.name].add(_in_process(way, rows, batch, data))
        figures = "   ".join(f"{r.way} {r.seconds[-1]:.2f} s, {r.grown_mib[-1]} MiB" for r in results.values())
        print(f"{number + 1}/{repeat}   {figures}", file=sys.stderr, flush=True)
    return list(results.values())


def _in_process(way: Way, rows: int, batch: int, data: Path) -> dict[str, Any]:
    numbers = [str(WAYS.index(way) + 1), "--rows", str(rows), "--batch", str(batch), "--data", str(data)]
    command = [sys.executable, "-m", "tpch.training", "once", *numbers]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def same_loss(results: list[Result]) -> bool:
    """Whether all ways have trained on the same rows in the same order."""
    losses = [result.loss for result in results]
    return max(losses) - min(losses) <= _CLOSE


def document(results: list[Result]) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        **circumstances(),
        "same_loss": same_loss(results),
        "results": [{**asdict(r), "medians": r.medians(), "ratios": _ratios(r, results)} for r in results],
    }


def _ratios(result: Result, results: list[Result]) -> dict[str, float]:
    """How many times what PyFlare takes."""
    ours = next((r.medians() for r in results if r.way == PYFLARE.name), None)
    return {name: value / max(ours[name], 1e-9) for name, value in result.medians().items()} if ours else {}


def report(results: list[Result]) -> str:
    """The results as a table; in brackets, how many times what PyFlare takes."""
    lines = [f"{'way':<20} {'epoch, s':>16} {'peak, MiB':>16} {'grown, MiB':>16}     loss"]
    for result in results:
        ratios = _ratios(result, results)
        cells = (
            f"{value:,.{2 * (name == 'seconds')}f} ({ratios[name]:.1f})" if ratios else f"{value:,.2f}"
            for name, value in result.medians().items()
        )
        lines.append(f"{result.way:<20} {' '.join(f'{cell:>16}' for cell in cells)}   {result.loss:.4f}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tpch.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="measure all ways; ends with a table")
    running.add_argument("--repeat", type=int, default=5, help="runs of each way (%(default)s)")
    running.add_argument("--ways", default="all", help=f"numbers, such as 2,3: {_listed_ways()}")
    running.add_argument("--out", type=Path, default=RESULTS, help="the JSON file (%(default)s)")
    single = commands.add_parser("once", help="one epoch in this process; prints JSON")
    single.add_argument("way", type=int, help=_listed_ways())
    for command in (running, single):
        command.add_argument("--rows", type=int, default=ROWS, help="rows of the epoch (%(default)s)")
        command.add_argument("--batch", type=int, default=8192, help="rows of a batch (%(default)s)")
        command.add_argument("--data", type=Path, default=DATA / "crime", help="directory of the files (%(default)s)")
    return parser.parse_args()


def _listed_ways() -> str:
    return ", ".join(f"{number} {way.name}" for number, way in enumerate(WAYS, 1))


def main() -> int:
    """The command line. The exit status is 1 when two ways did not learn the same."""
    arguments = _arguments()
    rows, batch, data = arguments.rows, arguments.batch, arguments.data
    if arguments.command == "once":
        print(json.dumps(once(WAYS[arguments.way - 1], rows, batch, data)))
        return 0
    numbers = range(1, len(WAYS) + 1) if arguments.ways == "all" else map(int, arguments.ways.split(","))
    results = measure(rows, batch, arguments.repeat, [WAYS[number - 1] for number in numbers], data)
    save(document(results), arguments.out)
    print(report(results))
    print(arguments.out)
    return int(not same_loss(results))


if __name__ == "__main__":
    sys.exit(main())
