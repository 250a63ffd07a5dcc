"""Strings that a kernel computes: their bytes lie in the frame's arena (`runtime/arena.py`).

A sink that lets an address outlive the row calls `keep_texts` where it stores it, and whoever holds the addresses after
the kernel has run holds `Frame.arena`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Kernel
from pyflare.codegen.values import Value, array
from pyflare.types import DataType, Kind

_KEY = "arena"


def arena(kernel: Kernel) -> str:
    """The name of the kernel's arena, which runtime helpers take as their first argument."""
    is_new = _KEY not in kernel.params
    name = kernel.param(_KEY, "arena", array("int64"), lambda frame: frame.arena.words)
    if is_new:
        kernel.row_prologue.append(f"{kernel.use('arena.arena_rewind')}({name})")
    return name


def keep_texts(kernel: Kernel) -> None:
    """What the row has computed so far outlives the row."""
    if _KEY in kernel.params:
        kernel.line(f"{kernel.use('arena.arena_keep')}({arena(kernel)})")


def computed_text(kernel: Kernel, type_: DataType, function: str, arguments: Sequence[str], ok: str | None) -> Value:
    """The string that a runtime helper makes: `function(arena, *arguments)` gives its address and length.

    It is called only where `ok` holds, and answers with a negative length for a row that needs Spark.
    """
    call = f"{kernel.use(function)}({', '.join((arena(kernel), *arguments))})"
    return returned_text(kernel, type_, call, ok)


def returned_text(kernel: Kernel, type_: DataType, call: str, ok: str | None) -> Value:
    """The string at the (address, length) pair that `call` returns; a row with a negative length needs Spark."""
    address, length = kernel.writer.fresh("text"), kernel.writer.fresh("text_n")
    kernel.line(f"{address}, {length} = {conditional_text(call, ok)}")
    kernel.fail_when(f"{length} < 0", ok, UNSUPPORTED_ERROR)
    return Value(type_, Kind.STR, address, ok, length=length)


def conditional_text(pair: str, ok: str | None) -> str:
    """An (address, length) pair, evaluated only where `ok` holds."""
    return pair if ok is None else f"{pair} if {ok} else (uint64(0), int64(0))"
