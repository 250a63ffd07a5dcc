"""What the decoder's compiled functions share: options, and elements at an address and an index.

LLVM can vectorise loops over these; values are int64 whatever their width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from pyflare.runtime.memory import OPTIONS

# Options of functions that only compiled functions call, who contain them then: less to compile, nothing to keep.
INLINED: dict[str, Any] = {
    **OPTIONS,
    "cache": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

_WORD = ir.IntType(64)


def _get(bits: int, extend: str) -> Callable[..., Any]:
    def define(_typing: Any, address: Any, index: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            base = builder.inttoptr(args[0], ir.IntType(bits).as_pointer())
            value = builder.load(builder.gep(base, [args[1]]), align=1)
            return value if bits == _WORD.width else getattr(builder, extend)(value, _WORD)

        return types.int64(types.uint64, types.uint64), generate

    return define


def _put(bits: int) -> Callable[..., Any]:
    def define(_typing: Any, address: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            base = builder.inttoptr(args[0], ir.IntType(bits).as_pointer())
            narrow = args[2] if bits == _WORD.width else builder.trunc(args[2], ir.IntType(bits))
            builder.store(narrow, builder.gep(base, [args[1]]), align=1)
            return context.get_dummy_value()

        return types.void(types.uint64, types.uint64, types.int64), generate

    return define


get_byte = intrinsic(_get(8, "zext"))
get32 = intrinsic(_get(32, "sext"))
get_u32 = intrinsic(_get(32, "zext"))
get64 = intrinsic(_get(64, "sext"))
put8 = intrinsic(_put(8))
put32 = intrinsic(_put(32))
put64 = intrinsic(_put(64))


def _copy(blocks: int) -> Callable[..., Any]:
    def define(_typing: Any, target: Any, source: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            vector = ir.VectorType(ir.IntType(8), 16).as_pointer()
            to, origin = (builder.inttoptr(address, vector) for address in args)
            for block in range(blocks):
                step = [ir.Constant(_WORD, block)]
                builder.store(builder.load(builder.gep(origin, step), align=1), builder.gep(to, step), align=1)
            return context.get_dummy_value()

        return types.void(types.uint64, types.uint64), generate

    return define


# Copies of as many bytes, the first ones first and 16 at a time: right for a source that lies 16 or more bytes behind.
copy16 = intrinsic(_copy(1))
copy64 = intrinsic(_copy(4))
