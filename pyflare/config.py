"""Every setting, once: its key, type, default and meaning. `docs/configuration.md` is printed from this table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

_UNITS: Final = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE: Final = re.compile(r"(\d+)\s*([bkmgt]?)b?", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """Bytes behind Spark's size notation: `512m`, `4g`, `1048576`. Raises ValueError for anything else."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 512m or 4g")
    return int(match[1]) * _UNITS[match[2].lower()]


def parse_bool(text: str) -> bool:
    """`true` or `false`, any case. Raises ValueError for anything else."""
    if text.strip().lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.strip().lower() == "true"


def parse_choice(*choices: str) -> Callable[[str], str]:
    """A parser of one of these words, any case. It raises ValueError for anything else."""

    def parse(text: str) -> str:
        if text.strip().lower() not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text.strip().lower()

    return parse


def cache_home() -> Path:
    """Where kernels and jars are kept: `$PYFLARE_CACHE_DIR`, else `pyflare` in the user's cache directory."""
    explicit = os.environ.get("PYFLARE_CACHE_DIR")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "pyflare"


def _setting(key: str, default: Any, doc: str, *, parse: Any = str, runtime: bool = True) -> Any:
    metadata = {"key": f"spark.pyflare.{key}", "doc": doc, "parse": parse, "runtime": runtime}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Config:
    """The settings of one query, read from the session that planned it."""

    enabled: bool = _setting("enabled", True, "Whether PyFlare takes over what it can.", parse=parse_bool)
    explain: str = _setting(
        "explain",
        "none",
        "What the driver logs of each query: `none`, `fallback` (what stayed in Spark, or went back to it, and why) "
        "or `all`.",
    )
    memory: int = _setting(
        "memory", 4 * 2**30, "Upper bound in bytes for the backend's column cache and query state.", parse=parse_bytes
    )
    column_cache: bool = _setting(
        "columnCache.enabled", True, "Whether decoded columns are kept for the next query.", parse=parse_bool
    )
    threads: int = _setting("threads", 0, "Threads that run kernels; 0 means the cores of `local[…]`.", parse=int)
    query_max_bytes: int = _setting(
        "query.maxBytes",
        512 * 2**20,
        "On a master other than `local[…]`: a plan that scans more bytes than this stays with Spark.",
        parse=parse_bytes,
    )
    rehearsal: bool = _setting(
        "rehearsal",
        True,
        "Whether the application's start is used to warm Spark's planner and the backend in the background, by small "
        "queries that nobody sees, for ten seconds at most and only until the first query comes.",
        parse=parse_bool,
        runtime=False,
    )
    python_collect: bool = _setting(
        "python.collect",
        True,
        "Whether `collect()` (and `take`, `head`, `first`) of a driver that has called `pyflare.enable` makes its rows "
        "from the memory that PyFlare wrote them to, instead of having the JVM pickle each row.",
        parse=parse_bool,
    )
    python_vectorized: str = _setting(
        "python.vectorized",
        "auto",
        "Whether functions of whole columns (`pandas_udf` and its kind) run in the backend: `true`, `false` or `auto`, "
        "which gives functions back to Spark that its workers turn out to be faster at. `mapInPandas` and `mapInArrow` "
        "run there with `true` only: it says that they keep nothing from batch to batch.",
        parse=parse_choice("auto", "true", "false"),
    )
    python: str = _setting(
        "python",
        "",
        "The interpreter of the backend; by default `spark.pyspark.python`, then `PYSPARK_PYTHON`, then `python3`.",
        runtime=False,
    )
    python_path: str = _setting(
        "pythonPath",
        "",
        "Prepended to the backend's `PYTHONPATH`; set by `pyflare.enable` and `pyflare submit`.",
        runtime=False,
    )

    @classmethod
    def from_conf(cls, conf: Mapping[str, str]) -> Config:
        """The settings in a session's configuration. Raises ValueError naming the key of an unreadable value."""
        values: dict[str, Any] = {}
        for setting in fields(cls):
            key = setting.metadata["key"]
            if key not in conf:
                continue
            try:
                values[setting.name] = setting.metadata["parse"](conf[key])
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
        return cls(**values)


def markdown() -> str:
    """The text of `docs/configuration.md`."""
    rows = (f"| `{f.metadata['key']}` | {_shown(f)} | {_when(f)} | {f.metadata['doc']} |" for f in fields(Config))
    return "\n".join([_HEAD, *rows, _TAIL])


def _shown(setting: Field[Any]) -> str:
    default: Any = setting.default
    if default == "":
        return ""
    if setting.metadata["parse"] is parse_bytes:
        unit = next(unit for unit in "tgmkb" if default % _UNITS[unit] == 0)
        return f"`{default // _UNITS[unit]}{unit}`"
    return f"`{str(default).lower()}`"


def _when(setting: Field[Any]) -> str:
    return "any time" if setting.metadata["runtime"] else "at start"


_HEAD: Final = """# Configuration

`make docs` writes this page from `pyflare/config.py`.

Settings of the first kind ("any time") can be changed in a running session with `SET` or `spark.conf.set`, the others
have to be there when the application starts. Sizes are bytes, or numbers with a unit such as `512m` or `4g`.

| key | default | set | meaning |
|---|---|---|---|"""

_TAIL: Final = """
What loads PyFlare (`spark.plugins`, `spark.sql.extensions`, `spark.jars`) is printed by `pyflare conf`. The environment
variable `PYFLARE_CACHE_DIR` moves the compiled kernels and jars, which are kept in `~/.cache/pyflare` otherwise (or in
`pyflare` under `XDG_CACHE_HOME`; `pyflare cache` shows and clears them). What all queries share is in Numba's own
cache, beside PyFlare's modules or where `NUMBA_CACHE_DIR` says.
"""

if __name__ == "__main__":
    print(markdown(), end="")
