"""Puts the shim into the wheel: its sources, and a ready jar when Spark and Java are there while the wheel is built."""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShimHook(BuildHookInterface):
    """Runs for wheels only; an editable installation finds the sources beside the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to a standard wheel."""
        if version == "editable":
            return
        included = build_data["force_include"]
        included[f"{self.root}/jvm-shim/src/main/scala"] = "pyflare/jvm-shim/src/main/scala"
        sys.path.insert(0, self.root)
        from pyflare import jar

        try:
            spark = jar.installed_spark()
            included[str(jar.cached(spark))] = f"pyflare/jars/{spark.jar_name}"
        except jar.JarError as error:
            self.app.display_warning(f"the wheel has no ready jar, PyFlare will build one at first use: {error}")
