"""The decoder's compiled functions, which a query never waits for: until they are there, pyarrow reads."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyflare.io.pages.headers import read_headers
from pyflare.io.pages.numbers import read_numbers
from pyflare.io.pages.runs import read_indices, read_levels
from pyflare.io.pages.snappy import uncompress
from pyflare.io.pages.strings import read_strings

if TYPE_CHECKING:
    from collections.abc import Callable


# Those who are called come before those who call.
FUNCTIONS: Final[tuple[Any, ...]] = (read_headers, uncompress, read_levels, read_indices, read_numbers, read_strings)


@dataclass(frozen=True)
class Kernels:
    """What the decoder calls."""

    read_headers: Callable[..., int]
    uncompress: Callable[..., int]
    read_numbers: Callable[..., int]
    read_strings: Callable[..., int]


_lock = threading.Lock()
_ready: Kernels | None = None


def current() -> Kernels | None:
    """The functions, if all of them are there."""
    return _ready


def prepare(wait: Callable[[], object] = lambda: None) -> Kernels:
    """Load the functions from Numba's cache. If one is not there, `wait` for who compiles them, or compile them here.

    A compilation holds Numba's lock, for which the kernels of queries would wait.
    """
    global _ready
    with _lock:
        if _ready is None:
            if not are_cached():
                wait()
            compile_all()
            _ready = Kernels(*(f.ready() for f in (read_headers, uncompress, read_numbers, read_strings)))
        return _ready


def are_cached() -> bool:
    """Whether no function has to be compiled. Those that need not be are loaded."""
    for function in FUNCTIONS:
        if not function.is_cached():
            return False
        function.ready()
    return True


def compile_all() -> None:
    """Compile what is not in the cache, or load it."""
    for function in FUNCTIONS:
        function.ready()
