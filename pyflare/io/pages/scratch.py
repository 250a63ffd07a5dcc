"""Memory that a thread decodes in, kept from one chunk to the next: fresh pages cost more than the work on them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pyflare.io.columns import Array

_LEAST: Final = 1 << 16
_MOST_KEPT: Final = 1 << 25  # bytes; what needs more gets memory of its own


class Memory(NamedTuple):
    """Bytes, and where they are."""

    bytes: Array
    address: int


class Scratch(threading.local):
    """Memory by name, one piece of each a thread."""

    def __init__(self) -> None:
        self._kept: dict[str, Memory] = {}

    def take(self, name: str, size: int) -> Memory:
        """At least `size` uninitialised bytes, until the thread takes that name again."""
        found = self._kept.get(name)
        if found is None or len(found.bytes) < size:
            fresh = np.empty(max(size, _LEAST), np.uint8)
            found = Memory(fresh, fresh.ctypes.data)
            if size <= _MOST_KEPT:
                self._kept[name] = found
        return found
