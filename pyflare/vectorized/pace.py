"""Whether the functions of a query are better off with Spark, which has a process for each core.

Here, one thread calls them. That is no loss while a function is fast, for its rows need no way to another process, or
where it uses all cores itself, as TensorFlow does. But one that computes for long on one core holds the query up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from time import perf_counter_ns, process_time_ns
from typing import Final

from pyflare.errors import LeftToSpark
from pyflare.vectorized.functions import Functions

SHIPPING_NS: Final = 400
"""What Spark spends on one row, on one core, to bring it to a worker and its result back (`docs/pandas.md`)."""

_SHIPPING_GROUP_NS: Final = 200_000
"""The same for a group, which is an Arrow stream of its own."""

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
    """The time that functions have taken for `rows` rows: the clock's, and that of all cores meanwhile.

    `cores` are those that Spark would use. `groups` counts the groups that these rows were, for functions of groups.
    """

    functions: Functions
    cores: int
    rows: int = 0
    groups: int = 0
    _wall_ns: int = 0
    _cpu_ns: int = 0

    def enter(self) -> None:
        """A function goes on."""
        self._wall_ns -= perf_counter_ns()
        self._cpu_ns -= process_time_ns()

    def leave(self) -> None:
        """A function gives a result, or waits for its arguments."""
        self._wall_ns += perf_counter_ns()
        self._cpu_ns += process_time_ns()

    def restart(self) -> None:
        """Count from here on: the first batch is the one for which modules are imported and models loaded."""
        self.rows = self.groups = self._wall_ns = self._cpu_ns = 0

    def check(self, rows_left: float) -> None:
        """Raise `LeftToSpark` if Spark would run all in less time than it takes here to run what is left."""
        if not self.functions.paced or self._wall_ns < _FIRST_LOOK_NS or not self.rows:
            return
        busy = min(max(self._cpu_ns / self._wall_ns, 1.0), float(self.cores))
        here_ns = self._wall_ns / self.rows
        shipping_ns = SHIPPING_NS + _SHIPPING_GROUP_NS * self.groups / self.rows
        spark_ns = (here_ns * busy + shipping_ns) / self.cores
        if spark_ns * (self.rows + rows_left) + _STARTING_NS < here_ns * rows_left:
            took = f"{self.functions} took {here_ns / 1000:.1f} µs a row, on {busy:.1f} of {self.cores} cores"
            raise leave(self.functions, f"{took}: Spark's workers use all of them")
