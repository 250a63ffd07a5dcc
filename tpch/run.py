"""Measures TPC-H on several engines, interleaved, and compares every answer: `python -m tpch.run --help`.

Hot: one process for each engine, all alive at once; in each round every query runs once on every engine, or, with
`--consecutive`, the runs of a query follow each other and only the engines take turns. Cold: a fresh
process for each engine and query, timed from the ready session to the answer; PyFlare with an empty kernel cache and
then with a filled one. Files lie in the page cache in both cases.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pyflare.config import cache_home
from tpch import answers, engines, generate, machine, workload
from tpch.compare import difference
from tpch.engines import Engine
from tpch.measure import EngineError, Session, session
from tpch.workload import Task

RESULTS: Final = Path(__file__).parent / "results"
HOT: Final = "hot"
COLD: Final = "cold"
FILLED: Final = "cold, filled cache"


@dataclass
class Result:
    """The times of one query on one engine in one mode; the first `warmup` of them do not count."""

    query: str
    engine: str
    mode: str
    warmup: int
    seconds: list[float] = field(default_factory=list)
    startup: list[float] = field(default_factory=list)
    figures: list[dict[str, int]] = field(default_factory=list)
    peak_mib: int = 0
    rows: int = 0
    difference: str = ""
    error: str = ""

    @property
    def median(self) -> float | None:
        """The time that counts, or None when there is none."""
        counted = self.seconds[self.warmup :]
        return statistics.median(counted) if counted and not self.error else None


class Measurement:
    """Everything that one call measures. The tables are those in `folder`, by default TPC-H's at scale factor `sf`."""

    def __init__(
        self, chosen: list[Engine], tasks: list[Task], sf: float, scratch: Path, folder: Path | None = None
    ) -> None:
        self.engines = chosen
        self.tasks = tasks
        self.sf = sf
        self.folder = folder or generate.generate(sf)
        self.results: list[Result] = []
        self.versions: dict[str, dict[str, str]] = {}
        self.coverage: dict[str, dict[str, Any]] = {}
        self._scratch = scratch
        self.wrong: dict[str, str] = {}
        self._answers: dict[str, Any] = {}
        self._folders = [self.folder, *([generate.extras()] if workload.needs_extras(tasks) else [])]

    def hot(
        self, repeat: int, warmup: int, environment: dict[str, str] | None = None, consecutive: bool = False
    ) -> None:
        """Every query `repeat` times on every engine, in turns; `consecutive` has a query's runs follow each other."""
        with ExitStack() as stack:
            running = [(engine, stack.enter_context(self._session(engine, environment))) for engine in self.engines]
            table = {(t.name, e.name): Result(t.name, e.name, HOT, warmup) for t in self.tasks for e in self.engines}
            self.results += table.values()
            rounds = [(number, task) for number in range(1, repeat + 1) for task in self.tasks]
            if consecutive:
                rounds.sort(key=lambda turn: self.tasks.index(turn[1]))
            for number, task in rounds:
                for engine, process in _rotated(running, number):
                    self._once(engine, process, task, table[task.name, engine.name])
                _progress(f"hot {number}/{repeat}", task, [table[task.name, e.name] for e in self.engines])
            self._explain(running)

    def cold(self, repeat: int) -> None:
        """Every query `repeat` times in processes of its own."""
        for task in self.tasks:
            table = {
                (e.name, mode): Result(task.name, e.name, mode, 0) for e in self.engines for mode in _cold_modes(e)
            }
            self.results += table.values()
            for number in range(1, repeat + 1):
                for engine in self.engines:
                    self._cold_once(engine, task, table)
                _progress(f"cold {number}/{repeat}", task, list(table.values()))

    def _cold_once(self, engine: Engine, task: Task, table: dict[tuple[str, str], Result]) -> None:
        with tempfile.TemporaryDirectory() as cache:
            environment = empty_cache(Path(cache))
            for mode in _cold_modes(engine):
                with self._session(engine, environment) as process:
                    table[engine.name, mode].startup.append(process.startup)
                    self._once(engine, process, task, table[engine.name, mode])

    def _session(self, engine: Engine, environment: dict[str, str] | None = None) -> Any:
        return session(engine, self._folders, self.sf, environment)

    def _once(self, engine: Engine, process: Session, task: Task, result: Result) -> None:
        """Run a task once, note what came out and compare it with the first engine's first answer."""
        self.versions[engine.name] = process.versions
        if result.error:
            return
        try:
            answer = process.run(task, self._scratch)
        except EngineError as error:
            result.error = str(error)[:500]
            return
        result.seconds.append(answer["seconds"])
        if answer["figures"]:
            result.figures.append(answer["figures"])
        result.peak_mib = max(result.peak_mib, answer["peak_mib"])
        rows = self._kept(task, answer["rows"])
        result.rows = len(rows) if isinstance(rows, list) else 0
        expected = self._answers.setdefault(task.name, rows)
        exact = engine.exact and self.engines[0].exact
        result.difference = result.difference or difference(expected, rows, exact)

    def _kept(self, task: Task, rows: Any) -> Any:
        """The answer; the first table of a task gets a file of its own, since the next run writes over it."""
        if isinstance(rows, list) or task.name in self._answers:
            return rows
        return str(Path(rows).rename(self._scratch / f"{task.name}.expected.arrow"))

    def _explain(self, running: list[tuple[Engine, Session]]) -> None:
        for engine, process in running:
            if engine.options.get("pyflare"):
                self.coverage = {t.name: process.ask({"do": "explain", "sql": t.sql}) for t in self.tasks}

    def verify(self) -> None:
        """Compare the first engine's answers with DuckDB's and, at scale factor 1, with the specification's."""
        tpch = [(task, self._answers.get(task.name)) for task in self.tasks if task.name in answers.SPECIFICATION]
        known = [(task, rows) for task, rows in tpch if rows is not None]
        self.wrong = answers.duckdb_difference(self.folder, known) if find_spec("duckdb") else {}
        if self.sf == 1:
            differences = ((task.name, answers.specification_difference(task, rows)) for task, rows in known)
            self.wrong.update({name: text for name, text in differences if text})

    def document(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {
            "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "machine": machine.describe(),
            "versions": self.versions,
            "sf": self.sf,
            "settings": {e.name: engines.settings(e, self.sf) for e in self.engines},
            "coverage": self.coverage,
            "wrong": self.wrong,
            "results": [{**asdict(result), "median": result.median} for result in self.results],
        }


def _rotated(running: list[tuple[Engine, Session]], number: int) -> list[tuple[Engine, Session]]:
    """Another engine begins in each round, so that none always follows the same one."""
    first = (number - 1) % len(running)
    return running[first:] + running[:first]


def _cold_modes(engine: Engine) -> tuple[str, ...]:
    return (COLD, FILLED) if engine.options.get("pyflare") else (COLD,)


def empty_cache(folder: Path) -> dict[str, str]:
    """An environment without any compiled kernel, but with the jar: that was built when PyFlare was installed.

    Numba's own directory is moved as well, since it keeps the runtime's kernels beside their sources in a checkout.
    """
    jars = cache_home() / "jars"
    jars.mkdir(parents=True, exist_ok=True)
    (folder / "jars").symlink_to(jars)
    return {"PYFLARE_CACHE_DIR": str(folder), "NUMBA_CACHE_DIR": str(folder / "numba")}


def _progress(stage: str, task: Task, results: list[Result]) -> None:
    cells = (f"{r.engine} {_shown(r)}" for r in results)
    print(f"{stage:12} {task.name:9} {'   '.join(cells)}", file=sys.stderr, flush=True)


def _shown(result: Result) -> str:
    if result.error:
        return f"error: {result.error[:60]}"
    return f"{result.seconds[-1]:.3f}{'' if not result.difference else ' WRONG: ' + result.difference[:60]}"


def available(names: str, comet_jar: str = "") -> Iterator[Engine]:
    """The engines of these names that are installed or can be; the others are named on standard error."""
    known = engines.engines(comet_jar)
    wanted = [name.strip() for name in names.split(",")]
    if "comet" in wanted:
        wanted.append("comet-spark")
    for name in dict.fromkeys(wanted):
        if name not in known:
            raise SystemExit(f"no engine {name!r}; there are {', '.join(known)}")
        try:
            engines.interpreter(known[name])
            yield known[name]
        except LookupError as error:
            print(f"without {name}: {error}", file=sys.stderr)


def add_runs(parser: argparse.ArgumentParser, repeat: int, warmup: int, cold_repeat: int) -> None:
    """The options that say which runs are made, with these defaults; `measure` follows them."""
    parser.add_argument("--hot", action="store_true", help="measure hot (the default)")
    parser.add_argument("--cold", action="store_true", help="measure cold")
    parser.add_argument("--consecutive", action="store_true", help="a query's hot runs follow each other")
    parser.add_argument("--repeat", type=int, default=repeat, help="hot runs of each query (%(default)s)")
    parser.add_argument("--warmup", type=int, default=warmup, help="hot runs that do not count (%(default)s)")
    parser.add_argument("--cold-repeat", type=int, default=cold_repeat, help="cold runs of each query (%(default)s)")


def measure(measurement: Measurement, arguments: argparse.Namespace) -> None:
    """Make the runs that the options of `add_runs` ask for."""
    if arguments.cold:
        measurement.cold(arguments.cold_repeat)
    if arguments.hot or not arguments.cold:
        measurement.hot(arguments.repeat, arguments.warmup, consecutive=arguments.consecutive)


def write(document: dict[str, Any], out: Path) -> None:
    """Write the results and say where they are."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")
    print(out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tpch.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engines", default="spark,pyflare", help=f"of {', '.join(engines.engines())}; the first is the reference"
    )
    parser.add_argument("--queries", default="all", help="all, or such as 1,6,10-12; also tiny and handover")
    parser.add_argument("--sf", type=float, default=1.0, help="scale factor")
    add_runs(parser, repeat=15, warmup=5, cold_repeat=3)
    parser.add_argument("--comet-jar", default="", help="a Comet jar for Spark 3.5; by default Maven's")
    parser.add_argument("--out", type=Path, help="the JSON file; by default tpch/results/sf<SF>.json")
    return parser.parse_args()


def main() -> int:
    """The command line. The exit status is 1 when an answer was wrong or an engine failed."""
    arguments = _arguments()
    tasks = workload.tasks(arguments.queries, arguments.sf)
    chosen = list(available(arguments.engines, arguments.comet_jar))
    with tempfile.TemporaryDirectory() as scratch:
        measurement = Measurement(chosen, tasks, arguments.sf, Path(scratch))
        measure(measurement, arguments)
        measurement.verify()
    write(measurement.document(), arguments.out or RESULTS / f"sf{arguments.sf:g}.json")
    for name, text in measurement.wrong.items():
        print(f"{name} is wrong on {chosen[0].name}: {text}", file=sys.stderr)
    return int(bool(measurement.wrong) or any(result.error or result.difference for result in measurement.results))


if __name__ == "__main__":
    sys.exit(main())
