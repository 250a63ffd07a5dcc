"""Charts (PNG and SVG) and a markdown table from results: `python -m tpch.report --help`."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tpch import ways
from tpch.run import HOT, RESULTS
from tpch.workload import EXTRAS

_COLOURS: Final = {
    "spark": "#8c8c8c",
    "pyflare": "#d9480f",
    "pyflare-nocache": "#f2a65a",
    "duckdb": "#2f6f9f",
    "duckdb-memory": "#8fb8d6",
    "sail": "#7a9e3f",
    "comet": "#6b4c9a",
    "comet-spark": "#bbbbbb",
}
_SLOW: Final = "spark"
_OURS: Final = "pyflare"


class Report:
    """The medians of one file of results in one mode."""

    def __init__(self, document: dict[str, Any], mode: str = HOT) -> None:
        self.document = document
        self.title = document.get("title", f"TPC-H, scale factor {document['sf']:g}")
        chosen = [result for result in document["results"] if result["mode"] == mode and result["median"]]
        self.times = {(result["query"], result["engine"]): result["median"] for result in chosen}
        names = list(dict.fromkeys(result["query"] for result in chosen))
        self.extras = [name for name in names if name in EXTRAS]
        self.queries = [name for name in names if name not in EXTRAS]
        self.engines = list(dict.fromkeys(result["engine"] for result in chosen))
        self._results = chosen

    def mean(self, engine: str) -> float | None:
        """The geometric mean of an engine's times, over the queries that every engine ran; None without any."""
        common = [q for q in self.queries if all((q, e) in self.times for e in self.engines)]
        return statistics.geometric_mean(self.times[q, engine] for q in common) if common else None

    def ratio(self, query: str, engine: str) -> float | None:
        """How many times as long Spark takes."""
        slow, fast = self.times.get((query, _SLOW)), self.times.get((query, engine))
        return slow / fast if slow and fast else None

    def markdown(self) -> str:
        """Seconds per query and engine, Spark's over each engine's in parentheses, and the geometric means."""
        head = ["query", *self.engines]
        rows, extras = (
            [[query, *(self._cell(query, engine) for engine in self.engines)] for query in queries]
            for queries in (self.queries, self.extras)
        )
        means = ["**geometric mean**", *(self._mean_cell(engine) for engine in self.engines)]
        lines = [head, ["---"] * len(head), *rows, means, *extras]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def summary(self) -> str:
        """A row for each engine: what its times are to PyFlare's, and its memory; then what PyFlare itself costs."""
        head = ["engine", "geometric mean, s", "PyFlare's / its", "PyFlare ahead in", "peak memory, MiB"]
        rows = [self._summary_row(engine) for engine in self.engines]
        table = "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
        return f"{table}\n{self._own_cost()}"

    def _summary_row(self, engine: str) -> list[str]:
        mean = self.mean(engine)
        pairs = [(self.times.get((q, _OURS)), self.times.get((q, engine))) for q in self.queries]
        both = [(ours, its) for ours, its in pairs if ours and its]
        peak = max(result["peak_mib"] for result in self._results if result["engine"] == engine)
        ratio = f"{statistics.geometric_mean(ours / its for ours, its in both):.2f}" if both else "–"
        ahead = f"{sum(ours < its for ours, its in both)} of {len(both)}" if both and engine != _OURS else "–"
        return [engine, "–" if mean is None else f"{mean:.3f}", ratio, ahead, str(peak)]

    def _own_cost(self) -> str:
        """The medians over the queries of what is neither kernels nor reading, and of compiling where there is any."""
        ours = [r for r in self._results if r["engine"] == _OURS]
        figures = [r.get("figures", [])[r["warmup"] :] for r in ours]
        own = [statistics.median(map(_own_ns, runs)) / 1e6 for runs in figures if runs]
        compiling = [statistics.median(run["compileNs"] for run in runs) / 1e9 for runs in figures if runs]
        lines = []
        if own:
            median = statistics.median(own)
            lines.append(f"PyFlare's deciding, calling and handing over, median over the queries: {median:.1f} ms")
        if compiling and min(compiling) > 0:
            lines.append(f"Compiling a query's kernels, geometric mean: {statistics.geometric_mean(compiling):.2f} s")
        return "\n".join(("", *lines, ""))

    def _cell(self, query: str, engine: str) -> str:
        time, ratio = self.times.get((query, engine)), self.ratio(query, engine)
        if time is None:
            return "–"
        return f"{time:.3f}" if ratio is None or engine == _SLOW else f"{time:.3f} ({ratio:.1f}×)"

    def _mean_cell(self, engine: str) -> str:
        mean, slow = self.mean(engine), self.mean(_SLOW) if _SLOW in self.engines else None
        if mean is None:
            return "–"
        return f"**{mean:.3f}**" if slow is None or engine == _SLOW else f"**{mean:.3f} ({slow / mean:.1f}×)**"


def _own_ns(figures: dict[str, int]) -> int:
    """Nanoseconds of one run that PyFlare spends beside the query itself."""
    return figures["planNs"] + figures["callNs"] - figures["runNs"]


def draw(report: Report, target: Path) -> None:
    """Draw the times and the speed-ups of one file of results."""
    _bars(report, report.times, "seconds, hot median", f"{target}-times", True)
    ratios = {(q, e): report.ratio(q, e) for q in report.queries for e in report.engines if e != _SLOW}
    known = {key: ratio for key, ratio in ratios.items() if ratio}
    if known:
        _bars(report, known, "times as fast as Spark", f"{target}-speedup", False)


def _bars(report: Report, values: dict[tuple[str, str], float], label: str, name: str, logarithmic: bool) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    engines = [engine for engine in report.engines if any(key[1] == engine for key in values)]
    figure, axes = pyplot.subplots(figsize=(12, 4), layout="constrained")
    width = 0.8 / len(engines)
    for place, engine in enumerate(engines):
        heights = [values.get((query, engine), 0.0) for query in report.queries]
        positions = [index + (place - (len(engines) - 1) / 2) * width for index in range(len(report.queries))]
        axes.bar(positions, heights, width, label=engine, color=_COLOURS.get(engine))
    axes.set_xticks(range(len(report.queries)), report.queries)
    axes.set_ylabel(label)
    axes.set_yscale("log" if logarithmic else "linear")
    axes.set_title(f"{report.title}, {report.document['machine']['cores']} cores")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", frameon=False, ncols=len(engines))
    _save(figure, name)


def draw_growth(reports: Sequence[Report], target: Path) -> None:
    """Draw the geometric mean of each engine over the scale factors."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    ordered = sorted(reports, key=lambda report: float(report.document["sf"]))
    names = list(dict.fromkeys(engine for report in ordered for engine in report.engines))
    for engine in names:
        points = [(report.document["sf"], report.mean(engine)) for report in ordered if engine in report.engines]
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=engine, color=_COLOURS.get(engine))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("scale factor")
    axes.set_ylabel("seconds, geometric mean")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    _save(figure, f"{target}-growth")


def _save(figure: Any, name: str) -> None:
    from matplotlib import pyplot

    for ending in ("png", "svg"):
        figure.savefig(f"{name}.{ending}", dpi=150)
    pyplot.close(figure)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tpch.report", description=__doc__)
    parser.add_argument(
        "results",
        nargs="+",
        type=Path,
        help="JSON files of tpch.run or of an experiment; several scale factors draw growth",
    )
    parser.add_argument("--charts", type=Path, default=RESULTS, help="the directory of the charts (%(default)s)")
    parser.add_argument("--mode", default=HOT, help="which times: hot (default), cold, or 'cold, filled cache'")
    arguments = parser.parse_args()
    arguments.charts.mkdir(parents=True, exist_ok=True)
    reports = []
    for file in arguments.results:
        document, name = json.loads(file.read_text()), arguments.charts / file.stem
        if "sf" in document:
            reports.append(Report(document, arguments.mode))
            print(reports[-1].markdown())
            print(reports[-1].summary())
            draw(reports[-1], name)
        else:
            print(ways.markdown(document))
            ways.draw(document, name)
    if len(reports) > 1:
        draw_growth(reports, arguments.charts / "tpch")


if __name__ == "__main__":
    main()
