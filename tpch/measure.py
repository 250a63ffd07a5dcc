"""One engine's process as the parent sees it: start it, ask it, watch its memory, stop it."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import IO, Any, Final, Self

import psutil

from tpch import engines
from tpch.engines import Engine
from tpch.workload import Task

ROOT: Final = Path(__file__).resolve().parent.parent
_SAMPLE_SECONDS: Final = 0.05
_LOG_TAIL: Final = 2000


class EngineError(Exception):
    """An engine did not start, or could not run a query."""


class Session:
    """A running engine. `startup` is the time from its process to its session with all tables known."""

    def __init__(self, process: subprocess.Popen[bytes], connection: Connection, log: IO[bytes]) -> None:
        self.startup = 0.0
        self.versions: dict[str, str] = {}
        self._process = process
        self._connection = connection
        self._log = log

    def run(self, task: Task, scratch: Path) -> dict[str, Any]:
        """Run a task once: `seconds`, `rows` and `peak_mib` (JVM, worker and Python together)."""
        request = {
            "do": "run",
            "sql": task.sql,
            "action": task.action,
            "path": str(scratch / f"{self._process.pid}.arrow"),
        }
        with Peak(self._process.pid) as peak:
            answer = self.ask(request)
        return {**answer, "peak_mib": peak.bytes >> 20}

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its answer. Raises EngineError for the engine's own errors and for its death."""
        try:
            self._connection.send(request)
            answer: dict[str, Any] = self._connection.recv()
        except (EOFError, OSError):
            raise _died(self._process, self._log) from None
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer

    def close(self) -> None:
        """Stop the process and what it started."""
        try:
            self._connection.send({"do": "close"})
            self._process.wait(60)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
        self._connection.close()


@contextmanager
def session(
    engine: Engine, folders: list[Path], sf: float, environment: Mapping[str, str] | None = None
) -> Iterator[Session]:
    """A running engine, stopped at the end. Raises LookupError when it is not installed."""
    with tempfile.TemporaryFile() as log:
        started = _start(engine, engines.options(engine, folders, sf), environment or {}, log)
        try:
            yield started
        finally:
            started.close()


def _start(engine: Engine, options: dict[str, Any], environment: Mapping[str, str], log: IO[bytes]) -> Session:
    python = engines.interpreter(engine)
    key = secrets.token_bytes(16)
    with tempfile.TemporaryDirectory() as folder, Listener(f"{folder}/socket", "AF_UNIX", authkey=key) as listener:
        began = time.perf_counter()
        process = _spawn(python, f"{folder}/socket", key, environment, log)
        started = Session(process, _accept(listener, process, log), log)
        started.versions = started.ask(options)["versions"]
        started.startup = time.perf_counter() - began
        return started


def _spawn(
    python: Path, address: str, key: bytes, environment: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": str(python), **environment}
    variables.pop("SPARK_HOME", None)
    command = [str(python), "-m", "tpch.child", address]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=variables)
    assert process.stdin is not None
    process.stdin.write(key.hex().encode() + b"\n")
    process.stdin.close()
    return process


def _accept(listener: Listener, process: subprocess.Popen[bytes], log: IO[bytes]) -> Connection:
    """The child's connection; a child that dies before it connects is told apart by a connection of our own."""
    watch = threading.Thread(target=_wake_when_dead, args=(process, listener.address), daemon=True)
    watch.start()
    try:
        return listener.accept()
    except (EOFError, OSError):
        raise _died(process, log) from None


def _wake_when_dead(process: subprocess.Popen[bytes], address: Any) -> None:
    import socket

    process.wait()
    with socket.socket(socket.AF_UNIX) as knock:
        knock.connect_ex(address)


def _died(process: subprocess.Popen[bytes], log: IO[bytes]) -> EngineError:
    """The error of an engine that is gone, with the end of what it said."""
    status = process.wait()
    log.seek(0)
    return EngineError(f"the engine died with status {status}: {log.read()[-_LOG_TAIL:].decode(errors='replace')}")


class Peak:
    """The largest resident size of a process and its descendants while a block runs; pages they share count in each."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._root = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, self.now())
            if self._done.wait(_SAMPLE_SECONDS):
                return

    def now(self) -> int:
        """The size at this moment."""
        total = 0
        try:
            for process in [self._root, *self._root.children(recursive=True)]:
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            return total
        return total
