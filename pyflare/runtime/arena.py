"""Memory for the bytes of computed strings: blocks that a kernel takes from the C library when it needs them.

An arena is five int64 words. A kernel gives back at the start of each row what the row before has taken, unless a sink
has said that it keeps it. The blocks are freed with the `Arena`: whoever holds addresses into it holds the arena too.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import int64, njit, uint64
from numba.core import types
from numba.extending import intrinsic

from pyflare.runtime.memory import OPTIONS, store64

AT: Final = 0  # the next free byte
END: Final = 1  # the end of the block
BLOCK: Final = 2  # the block's address; its first word is the address of the block before
MARK: Final = 3  # where this row's bytes begin
LEFT: Final = 4  # how many bytes further blocks may have

MAX_TEXT: Final = 2**31 - 16  # what fits in a Java array
MAX_ARENA: Final = 2**32
_HEADER: Final = 16
_FIRST_BLOCK: Final = 2**16
_LARGE_BLOCK: Final = 2**22

Words = npt.NDArray[np.int64]


def _malloc(_typing: Any, size: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        kind = ir.FunctionType(ir.IntType(8).as_pointer(), [word])
        function = builder.module.globals.get("malloc") or ir.Function(builder.module, kind, "malloc")
        return builder.ptrtoint(builder.call(function, [args[0]]), word)

    return types.int64(types.int64), generate


_allocate: Callable[[int], int] = intrinsic(_malloc)


@njit(**OPTIONS)
def _new_block(arena: Words, need: int) -> int:
    size = min(max(int64(_FIRST_BLOCK), int64(2) * (arena[END] - arena[BLOCK])), int64(_LARGE_BLOCK))
    size = max(size, need + (need >> 1) + int64(2 * _HEADER))
    if need > MAX_TEXT or size > arena[LEFT]:
        return int64(0)
    block = _allocate(size)
    if block == 0:
        return int64(0)
    store64(uint64(block), uint64(arena[BLOCK]))
    arena[BLOCK] = block
    arena[END] = block + size
    arena[MARK] = block + _HEADER
    arena[LEFT] -= size
    return block + int64(_HEADER)


@njit(**OPTIONS)
def arena_take(arena: Words, need: int) -> int:
    """The address of `need` bytes (not negative) for this row's use; 0 when there is no memory for them."""
    at = arena[AT]
    if arena[END] - at <= need:
        at = _new_block(arena, need)
        if at == 0:
            return uint64(0)
    arena[AT] = at + need
    return uint64(at)


@njit(**OPTIONS)
def arena_trim(arena: Words, end: int) -> None:
    """Give back what lies behind `end`, an address in the bytes taken last."""
    arena[AT] = int64(end)


@njit(**OPTIONS)
def arena_rewind(arena: Words) -> None:
    """A new row begins: what the one before has taken, and nobody keeps, is free again."""
    arena[AT] = arena[MARK]


@njit(**OPTIONS)
def arena_keep(arena: Words) -> None:
    """What this row has taken so far stays."""
    arena[MARK] = arena[AT]


class Arena:
    """Owns the blocks of one arena; `words` is what kernels work on."""

    def __init__(self, limit: int = MAX_ARENA) -> None:
        self.words: Words = np.zeros(5, np.int64)
        self.words[LEFT] = self._limit = limit
        self._held: dict[int, Any] = {}
        weakref.finalize(self, _release, self.words)

    def hold(self, owner: Any) -> None:
        """Keep alive what texts beside those in the arena lie in."""
        self._held[id(owner)] = owner

    @property
    def size(self) -> int:
        """Bytes in all blocks."""
        return self._limit - int(self.words[LEFT])


def _release(words: Words) -> None:
    block = int(words[BLOCK])
    while block:
        before = ctypes.c_uint64.from_address(block).value
        _free(ctypes.c_void_p(block))
        block = before


_free: Final = ctypes.CDLL(None).free
