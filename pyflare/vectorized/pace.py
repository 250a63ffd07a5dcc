"""Whether the functions of a query are better off with Spark, which has a process for each core.

Here, one thread calls them. That is no loss while a function is fast, for its rows need no way to another process, or
where it uses all cores itself, as TensorFlow does. But one that computes for long on one core holds the query up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from pyflare.errors import LeftToSpark
from pyflare.vectorized.functions import Functions

SHIPPING_NS: Final = 800
"""What Spark spends on one row, on one core, to bring it to a worker and its result back (`docs/pandas.md`)."""

_STARTING_NS: Final = 500_000_000
_FIRST_LOOK_NS: Final = 300_000_000
_REMEMBERED: Final = 512

_lock = threading.Lock()
_left: OrderedDict[Functions, str] = OrderedDict()


def leave(functions: Functions, reason: str) -> LeftToSpark:
    """Remember that functions stay with Spark from now on; returns the error to raise."""
    with _lock:
        _left[functions] = reason
        while len(_left) > _REMEMBERED:
            _left.popitem(last=False)
    return LeftToSpark(reason, "PythonUDF")


def why_left(functions: Functions) -> str | None:
    """Why functions have been left to Spark, if they have."""
    with _lock:
        return _left.get(functions)


@dataclass
class Pace:
    """The time that functions have taken so far: the clock's, and that of all cores of the process meanwhile."""

    functions: Functions
    cores: int
    wall_ns: int = 0
    cpu_ns: int = 0
    rows: int = 0

    def add(self, wall_ns: int, cpu_ns: int, rows: int) -> None:
        """Count a batch of results."""
        self.wall_ns += wall_ns
        self.cpu_ns += cpu_ns
        self.rows += rows

    def check(self, done: float) -> None:
        """Raise `LeftToSpark` if Spark would run the whole query in less time than the rest of it takes here.

        `done` is the part of the rows that has been worked on.
        """
        if not self.functions.paced or self.wall_ns < _FIRST_LOOK_NS or done >= 1:
            return
        busy = min(max(self.cpu_ns / self.wall_ns, 1.0), float(self.cores))
        in_spark = (self.wall_ns * busy + self.rows * SHIPPING_NS) / self.cores / done
        if in_spark + _STARTING_NS < self.wall_ns / done * (1 - done):
            took = self.wall_ns / max(self.rows, 1) / 1000
            text = f"{self.functions} took {took:.1f} µs a row on {busy:.1f} of {self.cores} cores"
            raise leave(self.functions, f"{text}, Spark's workers use them all")
