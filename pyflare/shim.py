"""The way from the Python driver to the shim in its JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHIMS: Final[WeakKeyDictionary[Any, Any]] = WeakKeyDictionary()
"""By the JVM: looking a class up takes three calls."""


def is_connect(df: DataFrame) -> bool:
    """Whether this frame belongs to a Spark Connect client, which has no JVM."""
    return not hasattr(df, "_jdf")


def find_shim(df: DataFrame) -> Any | None:
    """`org.pyflare.PyFlare`; None when the application runs without it."""
    from py4j.java_gateway import JavaPackage

    jvm = df.sparkSession._jvm
    if jvm not in _SHIMS:
        found = jvm.org.pyflare.PyFlare
        if isinstance(found, JavaPackage):
            return None
        _SHIMS[jvm] = found
    return _SHIMS[jvm]


def shim(df: DataFrame) -> Any:
    """`org.pyflare.PyFlare`. Raises RuntimeError when the application runs without it."""
    found = find_shim(df)
    if found is None:
        raise RuntimeError(
            "this Spark application runs without PyFlare: start it with pyflare.enable or pyflare submit"
        )
    return found


def arrow_schema(df: DataFrame) -> pa.Schema:
    """The types that `df.toArrow()` has: timestamps in UTC, large strings where Spark is told so."""
    from pyspark.sql.pandas.types import to_arrow_schema

    large = not is_connect(df) and df.sparkSession._jconf.arrowUseLargeVarTypes()
    return to_arrow_schema(df.schema, prefers_large_types=large)
