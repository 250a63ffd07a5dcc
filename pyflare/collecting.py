"""`DataFrame.collect` that makes its rows from the backend's columns.

Spark pickles a result row by row in the JVM, and Python calls a function for each row that it unpickles. Where PyFlare
has run the whole query, its Arrow memory is here already; the rows made from it are those that Spark's `collect` has.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import Row
    from pyspark.sql.classic.dataframe import DataFrame
    from pyspark.traceback_utils import SCCallSiteSync

_MARK: Final = "_pyflare_original"


def install() -> None:
    """Make the classic DataFrames of this process collect so; again is no harm."""
    from pyspark.sql.classic.dataframe import DataFrame

    original: Callable[[DataFrame], list[Row]] = DataFrame.collect
    if hasattr(original, _MARK):
        return

    @wraps(original)
    def collect(self: DataFrame) -> list[Row]:
        with _call_site(self._sc):
            rows = _collected(self)
            return original(self) if rows is None else rows

    setattr(collect, _MARK, original)
    DataFrame.collect = collect


def _call_site(context: SparkContext) -> SCCallSiteSync:
    """Names the user's line as PySpark would: the caller of the outermost function that is PySpark's or ours."""
    from pyspark import traceback_utils

    inside = (str(Path(traceback_utils.__file__).parent), __file__)
    calls: list[FrameType] = []
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        calls.append(frame)
        frame = frame.f_back
    site = traceback_utils.SCCallSiteSync(context)
    for call in reversed(calls):
        if call.f_code.co_filename.startswith(inside):
            user = call.f_back or call
            site._call_site = f"{call.f_code.co_name} at {user.f_code.co_filename}:{user.f_lineno}"
            break
    return site


@cache
def loading() -> threading.Thread:
    """Import what making rows takes, PyArrow for one, beside the first query instead of before it."""
    thread = threading.Thread(target=import_module, args=("pyflare.rows",), name="pyflare-rows", daemon=True)
    thread.start()
    return thread


def _collected(df: DataFrame) -> list[Row] | None:
    """The rows; None when Spark has to make them, since PyFlare does not run the whole query, or a text is no UTF-8."""
    if loading().is_alive():
        return None
    from pyflare.frame import read
    from pyflare.rows import MalformedTextError, rows_of
    from pyflare.shim import find_shim

    shim = find_shim(df)
    answer = None if shim is None else shim.collectToPython(df._jdf)
    try:
        return None if answer is None else rows_of(read(json.loads(answer)))
    except MalformedTextError:
        return None
