"""The engines that can be compared, how each is started, and the environment that each needs."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tpch.generate import DATA

COMET: Final = "org.apache.datafusion:comet-spark-spark3.5_2.12:0.12.0"
COMET_SPARK: Final = "pyspark==3.5.7"
CORES: Final = 2


@dataclass(frozen=True)
class Engine:
    """One row of a comparison.

    `module` is what must be importable here; `requirements` are packages for an environment of the engine's own
    instead. `exact` says that its values have Spark's types: its answers must be equal, rounding is no excuse.
    """

    name: str
    kind: str
    module: str = ""
    requirements: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    conf: dict[str, str] = field(default_factory=dict)
    exact: bool = False


def engines(comet_jar: str = "") -> dict[str, Engine]:
    """Every engine by name. `comet_jar` is a jar's path, by default Comet comes by its Maven coordinates."""
    comet = _comet(comet_jar)
    known = (
        Engine("spark", "spark", "pyspark", exact=True),
        Engine("pyflare", "spark", "pyflare", options={"pyflare": True}, exact=True),
        Engine(
            "pyflare-nocache",
            "spark",
            "pyflare",
            options={"pyflare": True},
            conf={"spark.pyflare.columnCache.enabled": "false"},
            exact=True,
        ),
        Engine("duckdb", "duckdb", "duckdb"),
        Engine("duckdb-memory", "duckdb", "duckdb", options={"tables": True}),
        Engine("sail", "spark", requirements=("pysail", "pyspark[connect]>=4.0,<4.2"), options={"sail": True}),
        Engine("comet", "spark", requirements=(COMET_SPARK,), conf=comet),
        Engine("comet-spark", "spark", requirements=(COMET_SPARK,)),
    )
    return {engine.name: engine for engine in known}


def _comet(jar: str) -> dict[str, str]:
    return {
        **({"spark.jars": jar, "spark.driver.extraClassPath": jar} if jar else {"spark.jars.packages": COMET}),
        "spark.plugins": "org.apache.spark.CometPlugin",
        "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
        "spark.comet.exec.shuffle.enabled": "true",
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "4g",
    }


def options(engine: Engine, folders: list[Path], sf: float) -> dict[str, Any]:
    """What the engine's process is told: its settings and where the files are."""
    folder_names = [str(folder) for folder in folders]
    return {"kind": engine.kind, "cores": CORES, "data": folder_names, **settings(engine, sf), **engine.options}


def settings(engine: Engine, sf: float) -> dict[str, Any]:
    """How many threads an engine has (Sail as many as cores), its memory, and Spark's settings."""
    if engine.kind == "duckdb":
        return {"threads": CORES, "memory": "8GB"}
    if engine.options.get("sail"):
        return {}
    conf = {
        "spark.driver.memory": "4g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "8" if sf >= 10 else "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        **engine.conf,
    }
    return {"master": f"local[{CORES}]", "conf": conf}


def interpreter(engine: Engine) -> Path:
    """The Python that has the engine, in an environment made for it when it needs one of its own.

    Raises LookupError, with what to do, when the engine cannot be had.
    """
    if not engine.requirements:
        if importlib.util.find_spec(engine.module) is None:
            raise LookupError(f"{engine.name} is not installed: pip install 'pyflare[bench]'")
        return Path(sys.executable)
    name = hashlib.sha256(" ".join(engine.requirements).encode()).hexdigest()[:8]
    python = DATA / "environments" / f"{engine.name.split('-')[0]}-{name}" / "bin" / "python"
    if not (python.parent / "complete").exists():
        _install(engine, python)
    return python


def _install(engine: Engine, python: Path) -> None:
    print(f"installing {', '.join(engine.requirements)} for {engine.name} ...", file=sys.stderr, flush=True)
    venv.create(python.parent.parent, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "setuptools"]
    done = subprocess.run([*command, *engine.requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(f"{engine.name} cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    (python.parent / "complete").touch()
