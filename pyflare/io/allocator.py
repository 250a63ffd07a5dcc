"""Where memory that a query has given back goes: to the next query while there are any, then to the system.

A fresh page costs a fault, and a huge one stalls while the kernel looks for room: together up to two thirds of a short
query. So NumPy's arrays come from the C library's heap, which keeps what is freed, and Arrow's from a pool that is slow
to let go, until `give_back`.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_KEPT_MILLISECONDS: Final = 600_000
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # glibc's M_TRIM_THRESHOLD and so on, from malloc.h
_NEVER: Final = -1


def keep_pages() -> None:
    """Make this process keep the pages that it frees. For Arrow's pool it has to come before PyArrow is imported.

    NumPy's part does nothing where the C library is not glibc.
    """
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", str(_KEPT_MILLISECONDS))
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_TRIM_THRESHOLD, _NEVER)
        set_option(_MMAP_MAX, 0)
        set_option(_ARENA_MAX, 1)  # the other arenas unmap what is freed, whatever the threshold


def give_back() -> None:
    """Hand the free pages to the system."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
