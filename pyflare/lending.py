"""Shared memory that this process lends to the backend for a large result, and lends again when the result is gone.

A fresh page costs the system more time than the backend needs to fill it. So a result's memory is kept for a while
after the last table over it, and the next result is written to the same pages. The memory has no name: it vanishes with
this process.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from pathlib import Path
from typing import Final

import pyarrow as pa

KEEP_BYTES: Final = 2**30
KEEP_SECONDS: Final = 30.0


class Loan:
    """Memory in the backend's hands until `take`, `give_back` or `drop` is called once."""

    def __init__(self, lender: Lender, descriptor: int) -> None:
        self._lender = lender
        self._descriptor = descriptor

    @property
    def path(self) -> str:
        """Where another process of this user can open the memory."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def take(self) -> pa.Buffer:
        """What was written, as one buffer over the memory itself, which goes back when nobody refers to it any more."""
        mapping = mmap.mmap(self._descriptor, os.fstat(self._descriptor).st_size, prot=mmap.PROT_READ)
        weakref.finalize(mapping, self.give_back).atexit = False
        return pa.py_buffer(mapping)

    def give_back(self) -> None:
        """Nobody reads the memory any more, or writes to it."""
        self._lender.receive(self._descriptor)

    def drop(self) -> None:
        """Let the system have the memory when the backend, which may still write to it, is through."""
        os.close(self._descriptor)


class Lender:
    """Lends memory, and keeps what comes back, the last one of at most `KEEP_BYTES` for `KEEP_SECONDS`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a finalizer can run anywhere, in here too
        self._kept: int | None = None
        self._timer: threading.Timer | None = None

    def lend(self) -> Loan | None:
        """Memory for one result; None where the system has no such memory."""
        if not hasattr(os, "memfd_create") or not Path("/proc/self/fd").is_dir():
            return None
        kept = self._swap(None)
        return Loan(self, os.memfd_create("pyflare-result") if kept is None else kept)

    def receive(self, descriptor: int) -> None:
        """Take memory back; called from a finalizer, so on any thread."""
        keep = descriptor if 0 < os.fstat(descriptor).st_size <= KEEP_BYTES else None
        before = self._swap(keep)
        for unwanted in {descriptor, before} - {keep, None}:
            os.close(unwanted)  # type: ignore[arg-type]

    def forget(self) -> None:
        """Give what is kept back to the system."""
        kept = self._swap(None)
        if kept is not None:
            os.close(kept)

    def _swap(self, descriptor: int | None) -> int | None:
        with self._lock:
            kept, self._kept = self._kept, descriptor
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None if descriptor is None else self._started_timer()
        return kept

    def _started_timer(self) -> threading.Timer:
        timer = threading.Timer(KEEP_SECONDS, self.forget)
        timer.daemon = True
        timer.start()
        return timer


LENDER: Final = Lender()
