"""Functions that many queries call between their kernels: each is compiled once on a machine.

That happens where they are first called, one after the other, unless another process does it meanwhile
(`pyflare.aside`): who calls a function that has been asked for there waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import sigutils

from pyflare.runtime.memory import OPTIONS
from pyflare.runtime.passes import Pipeline


def shared(*signatures: str, usual: int) -> Callable[[Callable[..., Any]], Shared]:
    """Make a function of loops over arrays one that queries share (`pyflare.runtime.library` lists them).

    The first `usual` of its signatures are those that most queries need which join or group rows.
    """
    return lambda function: Shared(function, signatures, usual)


class Shared:
    """A function that is compiled, or loaded from Numba's cache, for the types that it is called with.

    `compiled` is Numba's dispatcher.
    """

    def __init__(self, function: Callable[..., Any], signatures: tuple[str, ...], usual: int) -> None:
        self.compiled = njit(pipeline_class=Pipeline, no_cfunc_wrapper=True, **OPTIONS)(function)
        self.usual = usual
        self._expected: tuple[threading.Event, ...] = ()
        self.signatures = signatures
        self.__name__, self.__doc__ = function.__name__, function.__doc__

    def __call__(self, *arguments: Any) -> Any:
        for done in self._expected:
            done.wait()
        self._expected = ()
        return self.compiled(*arguments)

    @property
    def is_ready(self) -> bool:
        """Whether it has been compiled here for some types."""
        return bool(self.compiled.overloads)

    def compile(self, index: int) -> None:
        """Compile it for one of its signatures, unless that is in the cache."""
        # The types, as a call gives them: Numba's cache tells them from a text, and from a signature with a result.
        self.compiled.compile(sigutils.normalize_signature(self.signatures[index])[0])

    def expect(self, elsewhere: Callable[[str], threading.Event]) -> None:
        """Have it compiled for the usual signatures, which `elsewhere` is told by name, if nobody has begun to."""
        if not self.is_ready and not self._expected:
            self._expected = tuple(elsewhere(f"{self.__name__} {index}") for index in range(self.usual))
