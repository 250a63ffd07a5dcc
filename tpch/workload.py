"""What is measured: the 22 queries of TPC-H, and two small tasks beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

QUERIES: Final = Path(__file__).parent / "queries"
_FRACTION: Final = "0.0001000000"


@dataclass(frozen=True)
class Task:
    """A query and how its answer is fetched: `collect` (rows in Python) or `arrow` (a table)."""

    name: str
    sql: str
    action: str = "collect"


TINY: Final = Task("tiny", "select k, sum(v) as s from tiny where v > 1 group by k order by k")
HANDOVER: Final = Task("handover", "select * from handover", "arrow")
EXTRAS: Final = {task.name: task for task in (TINY, HANDOVER)}


def query(number: int, sf: float = 1.0) -> Task:
    """A query of TPC-H. Q11's fraction is 0.0001 divided by the scale factor, as the specification says."""
    text = (QUERIES / f"q{number:02}.sql").read_text()
    return Task(f"q{number:02}", text.replace(_FRACTION, f"{0.0001 / sf:.10f}"))


def tasks(names: str, sf: float = 1.0) -> list[Task]:
    """The tasks behind `all`, or behind names and numbers such as `1,6,10-12,tiny`. Raises ValueError for any other."""
    chosen: list[Task] = []
    for name in names.replace("all", "1-22").split(","):
        if name.strip() in EXTRAS:
            chosen.append(EXTRAS[name.strip()])
        else:
            chosen += [query(number, sf) for number in _numbers(name)]
    return chosen


def needs_extras(chosen: Iterable[Task]) -> bool:
    """Whether a task reads tables that TPC-H does not have."""
    return any(task.name in EXTRAS for task in chosen)


def _numbers(text: str) -> Iterable[int]:
    match = re.fullmatch(r"\s*q?0*(\d+)(?:-(\d+))?\s*", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2] or match[1]) <= 22:
        raise ValueError(f"{text!r} is none of the 22 queries")
    return range(int(match[1]), int(match[2] or match[1]) + 1)
