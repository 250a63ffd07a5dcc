"""What a Spark application must be told to load PyFlare, and telling it."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyflare import jar

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLUGIN: Final = "org.pyflare.PyFlarePlugin"
EXTENSIONS: Final = "org.pyflare.PyFlareExtensions"
_LISTS: Final = ("spark.jars", "spark.plugins", "spark.sql.extensions")
_INTERPRETERS: Final = ("spark.pyflare.python", "spark.pyspark.python")
_PACKAGES: Final = Path(__file__).resolve().parent.parent


def conf(existing: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings that load PyFlare into a Spark application, added to those of `existing` that they would replace.

    Builds the jar for the installed Spark when there is none yet.
    """
    existing = existing or {}
    ours = {"spark.jars": str(jar.jar_path()), "spark.plugins": PLUGIN, "spark.sql.extensions": EXTENSIONS}
    settings = {key: _joined(existing.get(key, ""), ours[key]) for key in _LISTS}
    if not any(key in existing for key in _INTERPRETERS) and "PYSPARK_PYTHON" not in os.environ:
        settings["spark.pyflare.python"] = sys.executable
    if _PACKAGES.name not in ("site-packages", "dist-packages"):
        path = existing.get("spark.pyflare.pythonPath", "")
        settings["spark.pyflare.pythonPath"] = _joined(path, str(_PACKAGES), ":")
    return settings


def enable(builder: SparkSession.Builder) -> SparkSession.Builder:
    """Make the sessions of this `SparkSession.builder` load PyFlare. Returns the builder.

    Jars, plugins and extensions that the builder or `spark-defaults.conf` names already are kept. A server behind
    `sc://…` and an application that runs already cannot be told any more: that is a warning, and nothing changes.
    """
    options = builder._options
    if str(options.get("spark.remote", "")).startswith("sc://"):
        _warn("PyFlare has to be loaded by the Spark Connect server: see `pyflare conf`")
        return builder
    if _runs_without_us():
        _warn("the Spark application runs already without PyFlare: stop it first, or start it with `pyflare submit`")
        return builder
    if importlib.util.find_spec("py4j") is not None:  # a client of Spark Connect can do without
        importlib.import_module("pyflare.collecting").install()
    return builder.config(map=conf({**defaults(), **options}))


def defaults() -> dict[str, str]:
    """The settings of the `spark-defaults.conf` that Spark will read."""
    home = os.environ.get("SPARK_CONF_DIR") or str(Path(os.environ.get("SPARK_HOME", "")) / "conf")
    file = Path(home) / "spark-defaults.conf"
    return read_properties(file) if file.is_file() else {}


def read_properties(file: Path) -> dict[str, str]:
    """A properties file as Spark reads it: a key, then white space, `=` or `:`, then the value."""
    lines = (line.strip() for line in file.read_text().splitlines())
    pairs = (re.split(r"\s*[=:\s]\s*", line, maxsplit=1) for line in lines if line and line[0] not in "#!")
    return {pair[0]: pair[1] if len(pair) == 2 else "" for pair in pairs}


def _joined(existing: str, ours: str, separator: str = ",") -> str:
    parts = [part.strip() for part in existing.split(separator) if part.strip()]
    return separator.join([*parts, *([] if ours in parts else [ours])])


def _runs_without_us() -> bool:
    """Whether this process has a Spark application that was started without the plugin and without the extension."""
    spark = sys.modules.get("pyspark")
    context = spark.SparkContext._active_spark_context if spark and hasattr(spark, "SparkContext") else None
    if context is None:
        return False
    loaded = context.getConf()
    return PLUGIN not in loaded.get("spark.plugins", "") and EXTENSIONS not in loaded.get("spark.sql.extensions", "")


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=3)
