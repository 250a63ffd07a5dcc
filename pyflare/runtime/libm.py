"""The C library's functions of floats, which are Python's: called as they are, so that no compiler has its own way.

LLVM knows `pow` and `exp` by their names, and replaces some of their calls by what is as good but not the same.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_library = ctypes.CDLL(ctypes.util.find_library("m"))


def _function(name: str, arguments: int) -> Callable[..., float]:
    symbol = f"pyflare.libm.{name}"
    address = ctypes.cast(getattr(_library, name), ctypes.c_void_p).value
    llvm.add_symbol(symbol, address)

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()] * arguments)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), args)

    def unary(_typing: Any, value: Any) -> Any:
        return types.float64(types.float64), generate

    def binary(_typing: Any, a: Any, b: Any) -> Any:
        return types.float64(types.float64, types.float64), generate

    return intrinsic(unary if arguments == 1 else binary)


libm_acos = _function("acos", 1)
libm_asin = _function("asin", 1)
libm_atan = _function("atan", 1)
libm_cos = _function("cos", 1)
libm_cosh = _function("cosh", 1)
libm_exp = _function("exp", 1)
libm_expm1 = _function("expm1", 1)
libm_log = _function("log", 1)
libm_log10 = _function("log10", 1)
libm_log1p = _function("log1p", 1)
libm_log2 = _function("log2", 1)
libm_sin = _function("sin", 1)
libm_sinh = _function("sinh", 1)
libm_sqrt = _function("sqrt", 1)
libm_tan = _function("tan", 1)
libm_tanh = _function("tanh", 1)
libm_atan2 = _function("atan2", 2)
libm_fmod = _function("fmod", 2)
libm_pow = _function("pow", 2)
