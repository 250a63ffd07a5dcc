"""Helpers that kernels call instead of containing them: compiled once, so that a kernel which uses them compiles fast.

`@outlined(result, arguments)` makes a function two things. To a kernel it is an intrinsic: the call of an external
function by its name. And its `ready` compiles the function, or loads it from Numba's cache, and tells LLVM where it is;
the loader does that for every helper that a kernel imports, before the kernel itself is compiled or loaded. Ask
`is_cached` of a helper only when those that it calls are ready.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any, Final

import llvmlite.binding as llvm
from numba import njit
from numba.core import cgutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from pyflare.runtime.memory import OPTIONS

ARENA: Final = types.Array(types.int64, 1, "C")
NUMBER: Final = types.int64
TRUTH: Final = types.boolean
TEXT: Final = (types.uint64, types.int64)
PART: Final = types.Tuple(TEXT)
WIDE: Final = types.UniTuple(types.int64, 2)

_lock = threading.Lock()


def outlined(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function of these Numba types a helper that kernels call by name. A tuple stands for its elements."""
    flat = tuple(one for argument in arguments for one in (argument if isinstance(argument, tuple) else (argument,)))
    signature = result(*flat)

    def wrap(function: Callable[..., Any]) -> Any:
        name = f"{function.__module__}.{function.__qualname__}"
        call = intrinsic(_caller(name, signature))
        compiled = _Compiled(name, signature, function)
        call.ready, call.is_cached = compiled.ready, compiled.is_cached
        call.__doc__ = function.__doc__
        return call

    return wrap


def _caller(name: str, signature: Any) -> Callable[..., Any]:
    """An intrinsic's definition: as many parameters as the signature has, and a call in Numba's calling convention."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = context.call_conv.get_function_type(signature.return_type, signature.args)
        target = cgutils.get_or_insert_function(builder.module, kind, name)
        return context.call_conv.call_function(builder, target, signature.return_type, signature.args, args)[1]

    def define(_typing: Any, *_arguments: Any) -> Any:
        return signature, generate

    names = ("typing", *(f"argument{index}" for index in range(len(signature.args))))
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    define.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    return define


class _Compiled:
    """A function's machine code, made when it is first wanted."""

    def __init__(self, name: str, signature: Any, function: Callable[..., Any]) -> None:
        self._name, self._signature, self._function = name, signature, function
        self._compiled: Any = None

    def is_cached(self) -> bool:
        """Whether `ready` has nothing to compile. Numba's public interface does not tell before it compiles."""
        with _lock, global_compiler_lock:
            if self._compiled is not None:
                return True
            dispatcher = njit(**OPTIONS)(self._function)
            return dispatcher._cache.load_overload(self._signature, dispatcher.targetctx) is not None

    def ready(self) -> Callable[..., Any]:
        """Compile the function and make its name known. Thread-safe. Returns what Python can call."""
        with _lock:
            if self._compiled is None:
                compiled = njit(self._signature, **OPTIONS)(self._function)
                overload = compiled.overloads[self._signature.args]
                address = overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
                llvm.add_symbol(self._name, address)
                self._compiled = compiled
            return self._compiled


def make_ready(names: dict[str, Any]) -> None:
    """Compile every helper among a module's names."""
    for value in names.values():
        ready = getattr(value, "ready", None)
        if callable(ready):
            ready()
