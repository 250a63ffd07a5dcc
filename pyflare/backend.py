"""The backend: what the shim calls over Py4J. One object a process; any number of threads call it."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyflare.aside import Compilers, Library
from pyflare.compile import Decision, decide, nothing_of
from pyflare.config import Config
from pyflare.errors import Cancelled, DataError, LeftToSpark, Unsupported
from pyflare.inspection import kernel_sources
from pyflare.io.allocator import give_back
from pyflare.io.arrow import to_bytes, write_file, write_stream
from pyflare.io.cache import ColumnCache
from pyflare.io.columns import Batch
from pyflare.io.pages import kernels
from pyflare.io.warm import warm, write_sample
from pyflare.run.fragment import Attempt, Programs, Schema
from pyflare.run.table import Table
from pyflare.run.threads import Metrics
from pyflare.runtime import library

log = logging.getLogger("pyflare")

_KNOWN_PLANS = 512
_REHEARSING = "spark.pyflare.rehearsing"  # set by the shim for plans most of which will never run
_MOST_COMPILERS = 4
_RESTING_SECONDS = 2.0  # then free memory goes back to the system
_INLINE_ROWS = 1000
_INLINE_BYTES = 6000  # as base64 one buffer of Py4J's: the driver waits 40 ms for the rest of a longer answer (Nagle)


@dataclass
class Running:
    """A run under way."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    metrics: Metrics = field(default_factory=Metrics)


class Activity:
    """Who is planning, compiling or running now, when the last one left off, and whether the user has begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = time.monotonic()
        self._active = 0
        self.has_begun = False
        self._worked = threading.Event()

    def begin(self) -> None:
        """The user's first query is here."""
        self.has_begun = True

    def __enter__(self) -> None:
        with self._lock:
            self._active += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._active -= 1
            self._ended = time.monotonic()
        self._worked.set()

    def await_rest(self, seconds: float) -> None:
        """Return when something has run since the last call, and nothing has for so long."""
        self._worked.wait()
        self._worked.clear()
        while self._active or time.monotonic() - self._ended < seconds:
            time.sleep(seconds / 2)


def start() -> Backend:
    """The backend of a process that keeps what it frees (`keep_pages`): it gives that back at rest."""
    backend = Backend()
    threading.Thread(target=backend.give_back_at_rest, name="pyflare-give-back", daemon=True).start()
    return backend


class Backend:
    """Plans, fragments and the caches that they share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cache = ColumnCache(Config().memory)
        self._plans: OrderedDict[str, str] = OrderedDict()
        self._programs: OrderedDict[str, Programs] = OrderedDict()
        self._running: dict[str, Running] = {}
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._compiler = ThreadPoolExecutor(1, "pyflare-compile")
        self._compilers = Compilers(min(os.cpu_count() or 1, _MOST_COMPILERS))
        self._activity = Activity()
        threading.Thread(target=self._warm, name="pyflare-warm", daemon=True).start()

    def _warm(self) -> None:
        """What other processes have compiled is loaded; the rest is compiled, much of it by other processes."""
        process = Library()
        is_cold = not kernels.FUNCTIONS[0].is_cached()
        if is_cold:
            process.start()
            self._compilers.start()
        warm()
        for _ in () if is_cold else library.compile_each():
            if self._activity.has_begun:
                break  # it would wait for what it does not need
        kernels.prepare(process.finish)

    def give_back_at_rest(self) -> None:
        """Hand free memory to the system whenever nothing has run for a while; never returns."""
        while True:
            self._activity.await_rest(_RESTING_SECONDS)
            give_back()

    # Planning ---------------------------------------------------------------------------------------------------------

    def plan(self, document: str) -> str:
        """Which subtrees of a plan PyFlare takes (`docs/wire.md`, section 3)."""
        identity = hashlib.sha256(document.encode()).hexdigest()[:16]
        with self._lock:
            known = self._plans.get(identity)
            if known is not None:
                self._plans.move_to_end(identity)
                return known
        with self._activity:
            answer = self._decide(json.loads(document), identity)
        with self._lock:
            self._plans[identity] = answer
            while len(self._plans) > _KNOWN_PLANS:
                self._plans.popitem(last=False)
        return answer

    def _decide(self, document: dict[str, Any], identity: str) -> str:
        try:
            self._configure(Config.from_conf(document["conf"]))
        except ValueError as error:
            log.warning("PyFlare leaves queries to Spark until this is set right: %s", error)
            return json.dumps(_answer(nothing_of(document, str(error))))
        decision = decide(document, identity, self._cache)
        for fragment in decision.fragments:
            programs = Programs(fragment)
            with self._lock:
                self._programs[fragment.id] = programs
                while len(self._programs) > _KNOWN_PLANS:
                    self._plans.pop(_plan_of(self._programs.popitem(last=False)[0]), None)
            if document["conf"].get(_REHEARSING) != "true":
                self._activity.begin()
                self._compiler.submit(self._compile_ahead, programs)
        return json.dumps(_answer(decision))

    def _forget(self, programs: Programs) -> None:
        """Plan anew when the plan of a fragment comes again."""
        with self._lock:
            self._plans.pop(_plan_of(programs.fragment.id), None)

    def _configure(self, config: Config) -> None:
        self._cache.resize(config.memory if config.column_cache else 0)

    def _compile_ahead(self, programs: Programs) -> None:
        try:
            with self._activity:
                programs.compile(self._cache, self._compilers)
        except Exception as error:  # the run meets it again and answers for it
            log.debug("compiling ahead failed: %s", error)

    # Running ----------------------------------------------------------------------------------------------------------

    def run(self, request: str) -> str:
        """Run one fragment (`docs/wire.md`, section 4)."""
        wanted = json.loads(request)
        with self._lock:
            programs = self._programs.get(wanted["fragment"])
            if programs is None:
                return _failure("unknown-fragment", f"fragment {wanted['fragment']} is not known here")
            self._programs.move_to_end(wanted["fragment"])
            running = self._running.setdefault(wanted["run"], Running())
        try:
            with self._activity:
                return json.dumps(self._run(programs, wanted, running))
        except Cancelled as error:
            return _failure("cancelled", str(error))
        except DataError as error:
            return _failure("data", str(error))
        except Unsupported as error:
            if isinstance(error, LeftToSpark):
                self._forget(programs)
            return _failure("unsupported", str(error))
        except Exception as error:
            log.exception("fragment %s failed", wanted["fragment"])
            return _failure("internal", f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._running.pop(wanted["run"], None)

    def _run(self, programs: Programs, wanted: dict[str, Any], running: Running) -> dict[str, Any]:
        fragment, metrics = programs.fragment, running.metrics
        threads = fragment.config.threads or _cores(fragment.conf)
        inputs = {int(node): path for node, path in wanted.get("inputs", {}).items()}
        zone = fragment.conf.get("spark.sql.session.timeZone", "UTC")
        attempt = Attempt(programs, self._pool(threads), threads, self._cache, inputs, running.cancelled, metrics)
        began = time.perf_counter_ns()
        programs.send(self._cache, self._compilers)
        inline = None
        try:
            if wanted.get("stream"):
                rows, ran = _write_to_pipe(attempt, wanted["out"], zone), time.perf_counter_ns()
            else:
                # Opened now: a driver that cancels takes its memory back, and the name may soon be another file's.
                with Path(wanted["out"]).open("r+b", buffering=0) as out:
                    table = attempt.table()
                    rows, ran = table.rows, time.perf_counter_ns()
                    if running.cancelled.is_set():
                        raise Cancelled("the query was cancelled")
                    pool = self._pool(threads) if threads > 1 else None
                    inline = _hand_over(attempt.schema, table, out.fileno(), zone, pool)
                metrics.add(handover_ns=time.perf_counter_ns() - ran)
        finally:
            programs.release()
        return {"ok": True, "rows": rows, "inline": inline, "metrics": _metrics(metrics, rows, ran - began)}

    def _pool(self, threads: int) -> ThreadPoolExecutor:
        with self._lock:
            if threads not in self._pools:
                self._pools[threads] = ThreadPoolExecutor(threads, "pyflare-run")
            return self._pools[threads]

    def progress(self, run: str) -> str:
        """Morsels done and in all."""
        running = self._running.get(run)
        done, total = (running.metrics.done, running.metrics.total) if running else (0, 0)
        return json.dumps({"done": done, "total": total})

    def cancel(self, run: str) -> None:
        """End a run between two morsels."""
        running = self._running.get(run)
        if running is not None:
            running.cancelled.set()

    # Everything else --------------------------------------------------------------------------------------------------

    def command(self, name: str, argument: str) -> str:
        """Answer a command by name; raises KeyError for one that does not exist."""
        commands: dict[str, Callable[[Any], Any]] = {
            "ping": lambda _: {"pid": os.getpid()},
            "kernels": self._kernels,
            "rehearse": write_sample,
        }
        return json.dumps(commands[name](json.loads(argument) if argument else None))

    def _kernels(self, fragments: list[str]) -> list[dict[str, str]]:
        return [source for number in fragments for source in kernel_sources(self._known(number), self._cache)]

    def _known(self, fragment: str) -> Programs:
        with self._lock:
            return self._programs[fragment]


def _plan_of(fragment: str) -> str:
    """The identity of the plan that a fragment, by its id, is of."""
    return fragment.partition(":")[0]


def _answer(decision: Decision) -> dict[str, Any]:
    reasons = [{"node": r.node, "op": r.op, "reason": r.reason} for r in decision.reasons]
    fragments = [
        {
            "id": f.id,
            "node": f.subtree.node,
            "inputs": list(f.subtree.inputs),
            "ordered": f.subtree.ordered,
            "single": f.subtree.single,
        }
        for f in decision.fragments
    ]
    log_text = "\n".join(f"{r.op} stays in Spark: {r.reason}" for r in decision.reasons)
    return {"fragments": fragments, "reasons": reasons, "log": log_text, "error": decision.error}


def _hand_over(schema: Schema, table: Table, out: int, zone: str, pool: ThreadPoolExecutor | None) -> str | None:
    """Write the rows to the file, or give them back as base64 when they are few."""
    if table.rows <= _INLINE_ROWS:
        data = to_bytes(schema, table.batches, zone)
        if len(data) <= _INLINE_BYTES:
            return base64.b64encode(data).decode()
    write_file(out, schema, table.batches, zone, pool)
    return None


def _write_to_pipe(attempt: Attempt, pipe: str, zone: str) -> int:
    """Write the rows as they come; returns how many. Raises `Cancelled` when the reader has gone."""
    rows = 0

    def counted(batches: Iterator[Batch]) -> Iterator[Batch]:
        nonlocal rows
        for batch in batches:
            rows += batch.length
            yield batch

    batches = counted(attempt.stream())
    try:
        with Path(pipe).open("wb", buffering=0) as out:
            write_stream(out.fileno(), attempt.schema, batches, zone)
    except (BrokenPipeError, FileNotFoundError):
        attempt.cancelled.set()
        raise Cancelled("nobody reads the rows any more") from None
    return rows


def _failure(kind: str, message: str) -> str:
    return json.dumps({"ok": False, "kind": kind, "message": message})


def _metrics(metrics: Metrics, rows: int, run_ns: int) -> dict[str, int]:
    """Figures of a run. `runNs` is the clock's; kernels, reading and compiling are added up over all threads."""
    return {
        "rows": rows,
        "bytesRead": metrics.bytes_read,
        "runNs": run_ns,
        "readNs": metrics.read_ns,
        "compileNs": metrics.compile_ns,
        "kernelNs": metrics.kernel_ns,
        "handoverNs": metrics.handover_ns,
        "rowGroups": metrics.row_groups,
        "rowGroupsPruned": metrics.row_groups_pruned,
    }


def _cores(conf: Any) -> int:
    return int(conf.get("cores", 0)) or os.cpu_count() or 1
