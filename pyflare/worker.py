"""The backend process beside each JVM.

The JVM starts it, writes one line of JSON to its standard input (`port`, `token` and `dir`), and from then on calls the
methods of `Entry` over Py4J. When standard input ends, the JVM is gone, and so is this process.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from py4j.java_gateway import (
    CallbackServer,
    CallbackServerParameters,
    GatewayParameters,
    JavaGateway,
    server_connection_started,
)

from pyflare import zones
from pyflare.io.allocator import keep_pages

log = logging.getLogger("pyflare.worker")

HEAVY_MODULES = ("numpy", "pyarrow", "pyarrow.parquet", "pyarrow.compute", "numba")
LATER_MODULES = ("pyspark.serializers",)
"""What only Python functions need: imported when the backend is ready, commonly before the application is."""


class BackendCalls(Protocol):
    """The calls of `org.pyflare.Backend`; see docs/wire.md."""

    def plan(self, document: str) -> str: ...
    def run(self, request: str) -> str: ...
    def progress(self, run: str) -> str: ...
    def cancel(self, run: str) -> None: ...
    def command(self, name: str, argument: str) -> str: ...


class Entry:
    """What the JVM calls. The first calls wait until the backend is there."""

    def __init__(self, backend: Future[BackendCalls]) -> None:
        self._backend = backend

    def plan(self, document: str) -> str:
        return self._backend.result().plan(document)

    def run(self, request: str) -> str:
        return self._backend.result().run(request)

    def progress(self, run: str) -> str:
        return self._backend.result().progress(run)

    def cancel(self, run: str) -> None:
        self._backend.result().cancel(run)

    def command(self, name: str, argument: str) -> str:
        return self._backend.result().command(name, argument)

    class Java:
        implements: ClassVar = ["org.pyflare.Backend"]


def in_background(work: Callable[[], BackendCalls]) -> Future[BackendCalls]:
    """Start `work` in a thread."""
    future: Future[BackendCalls] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            log.exception("the backend does not start")
            future.set_exception(error)
        else:
            _import(LATER_MODULES)

    threading.Thread(target=run, name="pyflare-imports", daemon=True).start()
    return future


def make_backend() -> BackendCalls:
    """Import what every query needs, before the first one asks for it."""
    keep_pages()
    _import(HEAVY_MODULES)
    backend = cast(BackendCalls, importlib.import_module("pyflare.backend").start())
    gc.freeze()  # collections would go through all that has been imported, an eighth of the time that Numba takes
    return backend


def _import(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)


def no_delay(*, connection: Any, **_: object) -> None:
    """Turn Nagle's algorithm off: with it a call of 10 kB takes 44 ms instead of 0.2."""
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def connect(port: int, token: str, entry: Entry) -> JavaGateway:
    """Listen for the JVM's calls at a port of our own and tell the JVM which it is."""
    gateway = JavaGateway(
        gateway_parameters=GatewayParameters(port=port, auth_token=token),
        callback_server_parameters=CallbackServerParameters(
            port=0, auth_token=token, daemonize=True, daemonize_connections=True
        ),
        python_server_entry_point=entry,
    )
    server: CallbackServer = gateway.get_callback_server()
    server_connection_started.connect(no_delay, sender=server)
    gateway.entry_point.register(server.get_listening_port())
    return gateway


def configure() -> None:
    """Log in the form that the JVM reads, leave Ctrl-C to the driver, find modules as Spark's own Python workers do."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # the JVM gets the traceback and logs it
    sys.path.append(str(Path.cwd()))


def main() -> None:
    """Serve until standard input ends."""
    configure()
    hello = json.loads(sys.stdin.buffer.readline())
    zones.use(hello.get("zones"))
    backend = in_background(make_backend)
    connect(hello["port"], hello["token"], Entry(backend))
    sys.stdin.buffer.read()
    shutil.rmtree(hello["dir"], ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
