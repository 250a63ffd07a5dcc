"""Processes beside the backend that compile what it will load from Numba's cache.

Numba compiles one function at a time, holding its own lock and, mostly, Python's: a query would wait, though there is
another core. Kernels are compiled by several processes, which come when there is much to do and go when there is
nothing. On a new machine one of them begins with what builds join tables; the Parquet decoder, which takes seconds, has
a process of its own, at the lowest priority. All end with their standard input, so at the latest with the backend.
"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Final

import numba

from pyflare.codegen.load import compile_file
from pyflare.io.pages import kernels
from pyflare.io.warm import warm_expressions, warm_joins

_log = logging.getLogger(__name__)
_LOWEST_PRIORITY: Final = 19
_READY: Final = b"ready\n"
_DECODER: Final = "decoder"
_FIRST: Final = ("joins", "expressions")
_IDLE_SECONDS: Final = 60.0


def compile_decoder() -> None:
    """Have the Parquet decoder compiled, and wait for it."""
    with _started(_DECODER) as process:
        if process.wait():
            _log.warning("the process that compiles the Parquet decoder ended with status %s", process.returncode)


class Compilers:
    """At most `count` processes that compile kernels, and end when there has been nothing to compile for a minute."""

    def __init__(self, count: int, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._count, self._idle_seconds = count, idle_seconds
        self._lock = threading.Lock()
        self._threads = self._ready = 0
        self._jobs: SimpleQueue[tuple[str, threading.Event]] = SimpleQueue()

    def start(self, *, cold: bool = False) -> None:
        """Start the processes that are not there; they are ready in about a second.

        On a `cold` machine they begin with functions that many kernels call, or whoever runs kernels.
        """
        with self._lock:
            missing, self._threads = self._count - self._threads, self._count
        for number in range(missing):
            first = _FIRST[number] if cold and number < len(_FIRST) else ""
            threading.Thread(target=self._serve, args=(first,), name="pyflare-compiler", daemon=True).start()

    @property
    def are_ready(self) -> bool:
        """Whether somebody would take a kernel now."""
        return self._ready > 0

    def compile(self, path: Path) -> threading.Event:
        """Have the kernel in a file compiled. The event says that somebody has tried, or that nobody will."""
        done = threading.Event()
        with self._lock:
            if self.are_ready:
                self._jobs.put((str(path), done))
            else:
                done.set()
        return done

    def _serve(self, first: str) -> None:
        """A process's work, from its start to its end."""
        with _started(first) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            if process.stdout.readline() == _READY:
                with self._lock:
                    self._ready += 1
                self._hand_over(process.stdin, process.stdout)
                with self._lock:
                    self._ready -= 1
                    self._release()
        with self._lock:
            self._threads -= 1

    def _hand_over(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        """Ask for one kernel after the other. Returns when there are no more, or the process does not answer."""
        answer = _READY
        while answer:
            try:
                path, done = self._jobs.get(timeout=self._idle_seconds)
            except Empty:
                return
            try:
                requests.write(f"{path}\n".encode())
                requests.flush()
                answer = answers.readline()
            except OSError:
                answer = b""
            done.set()

    def _release(self) -> None:
        """Let nobody wait for the last process when it has gone."""
        while not self.are_ready and not self._jobs.empty():
            self._jobs.get()[1].set()


def _started(task: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pyflare.aside", *([task] if task else [])]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


# The processes --------------------------------------------------------------------------------------------------------


def main() -> None:
    """Compile the decoder, or kernels as they are asked for."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what others print is no answer
    task = sys.argv[1] if len(sys.argv) > 1 else ""
    gc.freeze()
    if task == _DECODER:
        threading.Thread(target=_end_with_input, daemon=True).start()
        os.nice(_LOWEST_PRIORITY)
        kernels.compile_all()
        return
    if task == "joins":
        for _ in warm_joins():
            pass
    if task == "expressions":
        warm_expressions()
    numba.njit("int64(int64)")(_identity)  # Numba itself gets ready
    answers.write(_READY)
    logging.disable()  # the backend meets the same error, and says so
    for line in sys.stdin.buffer:
        _compile(Path(os.fsdecode(line.rstrip(b"\n"))))
        answers.write(_READY)


def _identity(number: int) -> int:
    return number


def _compile(path: Path) -> None:
    try:
        compile_file(path)
    except Exception:
        _log.debug("a kernel is left to the backend", exc_info=True)


def _end_with_input() -> None:
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
