"""The process of one engine: answers the questions of `tpch.measure` over a local socket.

It runs in the environment of its engine, so it imports that engine and the standard library, nothing else.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any, Protocol

FIGURES = ("planNs", "callNs", "runNs", "readNs", "compileNs", "kernelNs", "handoverNs")


class Engine(Protocol):
    """What every engine can do; `fetch` is what is timed."""

    versions: dict[str, str]

    def fetch(self, sql: str, action: str) -> Any: ...
    def explain(self, sql: str) -> dict[str, Any]: ...
    def figures(self) -> dict[str, int]: ...
    def close(self) -> None: ...


class SparkEngine:
    """Spark in this process: vanilla, with PyFlare, with Comet, or behind a Connect server such as Sail's."""

    def __init__(self, options: dict[str, Any]) -> None:
        from pyspark.sql import SparkSession

        builder = SparkSession.builder
        if options.get("sail"):
            self.server, address = _start_sail()
            builder = builder.remote(address)
        else:
            builder = builder.master(options["master"]).appName("tpch").config(map=options["conf"])
        if options.get("pyflare"):
            import pyflare

            builder = pyflare.enable(builder)
        self.spark = builder.getOrCreate()
        self.accelerated = bool(options.get("pyflare"))
        self.frame: Any = None
        self.versions = _versions("pyspark", "pysail", "pyflare") | {"spark": self.spark.version}
        for file in _files(options["data"]):
            self.spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)

    def fetch(self, sql: str, action: str) -> Any:
        frame = self.frame = self.spark.sql(sql)
        if action == "collect":
            return frame.collect()
        if self.accelerated:
            import pyflare

            return pyflare.flare(frame).to_arrow()
        return frame.toArrow()

    def figures(self) -> dict[str, int]:
        """What PyFlare's metrics have for the last collected query, in nanoseconds, when it ran there as a whole."""
        root = self.frame._jdf.queryExecution().executedPlan() if self.accelerated and self.frame is not None else None
        if root is None or not root.nodeName().startswith("PyFlare"):
            return {}
        metrics = root.metrics()
        return {name: metrics.apply(name).value() for name in FIGURES}

    def explain(self, sql: str) -> dict[str, Any]:
        if not self.accelerated:
            return {"coverage": "no", "reasons": []}
        import pyflare

        found = pyflare.explain(sql, self.spark)
        return {"coverage": found.coverage, "reasons": [str(reason) for reason in found.reasons]}

    def close(self) -> None:
        self.spark.stop()


class DuckEngine:
    """DuckDB, on the files or on its own tables in memory."""

    def __init__(self, options: dict[str, Any]) -> None:
        import duckdb

        self.connection = duckdb.connect(config={"threads": options["threads"], "memory_limit": options["memory"]})
        self.versions = {"duckdb": duckdb.__version__}
        kind = "table" if options.get("tables") else "view"
        for file in _files(options["data"]):
            self.connection.execute(f"create {kind} {file.stem} as select * from read_parquet('{file}')")

    def fetch(self, sql: str, action: str) -> Any:
        answer = self.connection.execute(sql)
        return answer.fetchall() if action == "collect" else answer.to_arrow_table()

    def explain(self, sql: str) -> dict[str, Any]:
        return {"coverage": "no", "reasons": []}

    def figures(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        self.connection.close()


ENGINES: dict[str, Callable[[dict[str, Any]], Engine]] = {"spark": SparkEngine, "duckdb": DuckEngine}


def _start_sail() -> tuple[Any, str]:
    """Sail's server, which stops when nobody refers to it any more, and its address."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    return server, f"sc://127.0.0.1:{port}"


def _files(folders: list[str]) -> list[Path]:
    return sorted(file for folder in folders for file in Path(folder).glob("*.parquet"))


def _versions(*packages: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _answer(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "explain":
        return engine.explain(request["sql"])
    began = time.perf_counter()
    rows = engine.fetch(request["sql"], request["action"])
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": _portable(rows, request), "figures": engine.figures()}


def _portable(rows: Any, request: dict[str, Any]) -> Any:
    """Rows as plain tuples; a table as the path of an Arrow file."""
    if request["action"] == "collect":
        return [tuple(row) for row in rows]
    import pyarrow as pa

    with pa.OSFile(request["path"], "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return request["path"]


def serve(address: str, key: bytes) -> None:
    """Start the engine that the parent names, then answer until it says goodbye."""
    with Client(address, "AF_UNIX", authkey=key) as connection:
        options = connection.recv()
        if hasattr(os, "sched_setaffinity"):  # Linux; an engine's threads and processes inherit it
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options["cores"]])
        engine = ENGINES[options["kind"]](options)
        connection.send({"versions": engine.versions})
        while (request := connection.recv())["do"] != "close":
            try:
                connection.send(_answer(engine, request))
            except Exception as error:
                connection.send({"error": f"{type(error).__name__}: {error}"})
        engine.close()


if __name__ == "__main__":
    try:
        serve(sys.argv[1], bytes.fromhex(sys.stdin.readline()))
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # an engine's threads would keep the process
