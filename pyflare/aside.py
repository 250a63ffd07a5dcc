"""Processes beside the backend that compile what it will load from Numba's cache.

Numba compiles one function at a time, holding its own lock and, mostly, Python's: a query would wait, though there is
another core. Kernels are compiled by several processes, which come when there is much to do and go when there is
nothing. On a new machine what many queries call and the Parquet decoder are compiled by a process of their own at the
lowest priority: the session starts meanwhile. All end with their standard input, so at the latest with the backend.
"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Final

import numba

from pyflare.codegen.load import compile_file
from pyflare.io.pages import kernels
from pyflare.io.warm import warm_expressions
from pyflare.runtime import library

_log = logging.getLogger(__name__)
_LOWEST_PRIORITY: Final = 19
_READY: Final = b"ready\n"
_LIBRARY: Final = "library"
_IDLE_SECONDS: Final = 60.0


class Library:
    """The process that compiles functions which are the same in all queries; the Parquet decoder comes last."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it has been started."""
        if self._process is None:
            self._process = _started(_LIBRARY)
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _LOWEST_PRIORITY)

    def finish(self) -> None:
        """Wait until everything is compiled."""
        self.start()
        assert self._process is not None
        with self._process as process:
            if process.wait():
                _log.warning("the process that compiles what queries share ended with status %s", process.returncode)


class Compilers:
    """At most `count` processes that compile kernels, and end when there has been nothing to compile for a minute."""

    def __init__(self, count: int, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._count, self._idle_seconds = count, idle_seconds
        self._lock = threading.Lock()
        self._threads = self._ready = 0
        self._jobs: SimpleQueue[tuple[str, threading.Event]] = SimpleQueue()

    def start(self) -> None:
        """Start the processes that are not there; they are ready in about a second."""
        with self._lock:
            missing, self._threads = self._count - self._threads, self._count
        for _ in range(missing):
            threading.Thread(target=self._serve, name="pyflare-compiler", daemon=True).start()

    @property
    def are_ready(self) -> bool:
        """Whether somebody would take a kernel now."""
        return self._ready > 0

    def compile(self, name: str) -> threading.Event:
        """Have the kernel in a file compiled, or a function that queries share (`pyflare.runtime.library`).

        The event says that somebody has tried, or that nobody will.
        """
        done = threading.Event()
        with self._lock:
            if self.are_ready:
                self._jobs.put((name, done))
            else:
                done.set()
        return done

    def _serve(self) -> None:
        """A process's work, from its start to its end."""
        with _started() as process:
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
        """Ask for one after the other. Returns when there are no more, or the process does not answer."""
        answer = _READY
        while answer:
            try:
                name, done = self._jobs.get(timeout=self._idle_seconds)
            except Empty:
                return
            try:
                requests.write(os.fsencode(f"{name}\n"))
                answer = answers.readline()
            except OSError:
                answer = b""
            done.set()

    def _release(self) -> None:
        """Let nobody wait for the last process when it has gone."""
        while not self.are_ready and not self._jobs.empty():
            self._jobs.get()[1].set()


def _started(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pyflare.aside", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


# The processes --------------------------------------------------------------------------------------------------------


def main() -> None:
    """Compile the library, or kernels as they are asked for."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what others print is no answer
    gc.freeze()
    if _LIBRARY in sys.argv:
        compile_library()
    else:
        compile_kernels(answers)


def compile_library() -> None:
    """Compile what is not in Numba's cache, or end when standard input does."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    for _ in library.compile_each():
        pass
    warm_expressions()
    kernels.compile_all()


def compile_kernels(answers: IO[bytes]) -> None:
    """Compile what standard input names, and answer when there is one more in the cache, or an error.

    The backend meets the same error when it loads the kernel, and says so.
    """
    numba.njit("int64(int64)")(_identity)  # Numba itself gets ready
    logging.disable()
    with suppress(BrokenPipeError):  # the backend has gone
        answers.write(_READY)
        for line in sys.stdin.buffer:
            with suppress(Exception):
                compile_named(os.fsdecode(line.rstrip(b"\n")))
            answers.write(_READY)


def compile_named(name: str) -> None:
    """Compile the kernel in a file, or a function that queries share."""
    path = Path(name)
    if path.is_absolute():
        compile_file(path)
    else:
        library.compile_named(name)


def _identity(number: int) -> int:
    return number


def _end_with_input() -> None:
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
