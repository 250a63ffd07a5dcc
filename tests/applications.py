"""Spark applications in processes of their own, for what one session cannot show."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 120.0

SESSION: Final = """
import sys
import pyflare
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
spark = pyflare.enable(builder.config("spark.driver.memory", "1g")).getOrCreate()
"""


class Application:
    """A running application, its standard error beside its standard output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.output: list[str] = []

    def wait_for(self, text: str) -> str:
        """Read its output up to the first line that contains `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if text in line:
                return line
        raise AssertionError(f"{text!r} never came:\n{''.join(self.output)}")

    def rest(self) -> str:
        """Everything that it says until it ends."""
        assert self.process.stdout is not None
        self.output += self.process.stdout.readlines()
        self.process.wait(PATIENCE)
        return "".join(self.output)

    def interrupt(self) -> None:
        """What Ctrl-C does in a terminal: every process of the group gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running(
    arguments: Sequence[str | Path], environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Application]:
    """Start a command; whatever is left of it and its children at the end is killed."""
    process = subprocess.Popen(
        list(map(str, arguments)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        cwd=cwd,
        start_new_session=True,
    )
    application = Application(process)
    family = {process.pid: psutil.Process(process.pid)}
    try:
        yield application
    finally:
        for member in [*family.values(), *_descendants(process.pid)]:
            _kill(member)
        process.wait(PATIENCE)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def running_job(tmp_path: Path, text: str) -> Iterator[Application]:
    """A Python program with a PyFlare session named `spark`."""
    job = tmp_path / "job.py"
    job.write_text(SESSION + text)
    with running([sys.executable, job]) as application:
        yield application


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:g} s"
        time.sleep(0.05)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Start `work`; what it gives or raises lands in the list."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome
