"""The report on an experiment's results: one query, several ways of running it (`tpch.comparison`)."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from tpch.comparison import PYFLARE

_OURS, _OTHERS = "#d9480f", "#8c8c8c"


def groups(document: dict[str, Any]) -> dict[str, list[tuple[str, float]]]:
    """The ways and their seconds, by what was measured: a task, a number of rows, hot or the first run."""

    def title(result: dict[str, Any]) -> str:
        return " ".join(filter(None, (result.get("task"), f"{result['rows']:,} rows")))

    found = {
        f"{name}, hot": [(result["way"], _seconds(result)) for result in chosen]
        for name, chosen in groupby(document["results"], title)
    }
    first = document.get("cold_medians", {})
    return {**found, "first run, nothing compiled": list(first.items())} if first else found


def _seconds(result: dict[str, Any]) -> float:
    return float(result["median"] if "median" in result else result["medians"]["seconds"])


def _ours(ways: list[tuple[str, float]]) -> float | None:
    """PyFlare's seconds; of several ways of PyFlare's, the last one's."""
    return next((seconds for way, seconds in reversed(ways) if way.startswith(PYFLARE)), None)


def markdown(document: dict[str, Any]) -> str:
    """A table of seconds, and how many times PyFlare's they are."""
    lines = ["| | way | seconds | / PyFlare's |", "| --- | --- | --- | --- |"]
    for title, ways in groups(document).items():
        ours = _ours(ways)
        lines += [f"| {title} | {way} | {s:.3f} | {f'{s / ours:.1f}' if ours else '–'} |" for way, s in ways]
    return "\n".join(lines) + "\n"


def draw(document: dict[str, Any], name: Path) -> None:
    """Draw the seconds as bars, one panel for each thing measured, as PNG and SVG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = groups(document)
    height = 0.6 + 0.35 * max(map(len, panels.values()))
    size = (12, 0.4 + height * len(panels))
    figure, axes = pyplot.subplots(len(panels), figsize=size, layout="constrained", squeeze=False)
    for panel, (title, ways) in zip(axes[:, 0], panels.items(), strict=True):
        ours = _ours(ways)
        colours = [_OURS if way.startswith(PYFLARE) else _OTHERS for way, _ in ways]
        bars = panel.barh([way for way, _ in ways], [seconds for _, seconds in ways], color=colours)
        labels = [f"{s:.3f} s" + (f" ({s / ours:.1f}×)" if ours and s != ours else "") for _, s in ways]
        panel.bar_label(bars, labels, padding=4)
        panel.margins(x=0.15)
        panel.invert_yaxis()
        panel.set_title(title, loc="left", fontsize="medium")
        panel.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("seconds")
    for ending in ("png", "svg"):
        figure.savefig(f"{name}.{ending}", dpi=150)
    pyplot.close(figure)
