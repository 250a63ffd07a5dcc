"""The way from the Python driver to the shim in its JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def is_connect(df: DataFrame) -> bool:
    """Whether this frame belongs to a Spark Connect client, which has no JVM."""
    return not hasattr(df, "_jdf")


def shim(df: DataFrame) -> Any:
    """`org.pyflare.PyFlare`. Raises RuntimeError when the application runs without it."""
    from py4j.java_gateway import JavaPackage

    found = df.sparkSession._jvm.org.pyflare.PyFlare
    if isinstance(found, JavaPackage):
        raise RuntimeError(
            "this Spark application runs without PyFlare: start it with pyflare.enable or pyflare submit"
        )
    return found


def arrow_schema(df: DataFrame) -> pa.Schema:
    """The types that `df.toArrow()` has: timestamps in UTC, large strings where Spark is told so."""
    from pyspark.sql.pandas.types import to_arrow_schema

    large = not is_connect(df) and df.sparkSession._jconf.arrowUseLargeVarTypes()
    return to_arrow_schema(df.schema, prefers_large_types=large)
