"""Raw memory in kernels: a string is an address (uint64) and a length in bytes (int64), wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import int64, njit, uint64
from numba.core import types
from numba.extending import intrinsic

OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy", "boundscheck": False}


def _load(result: Any, width: int) -> Callable[..., Any]:
    def define(_typing: Any, address: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            pointer = builder.inttoptr(args[0], ir.IntType(width).as_pointer())
            return builder.load(pointer, align=1)

        return result(types.uint64), generate

    return define


load8 = intrinsic(_load(types.uint8, 8))
load64 = intrinsic(_load(types.uint64, 64))


def _store(element: Any, width: int) -> Callable[..., Any]:
    def define(_typing: Any, address: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            pointer = builder.inttoptr(args[0], ir.IntType(width).as_pointer())
            builder.store(args[1], pointer, align=1)
            return context.get_dummy_value()

        return types.void(types.uint64, element), generate

    return define


store8 = intrinsic(_store(types.uint8, 8))
store64 = intrinsic(_store(types.uint64, 64))


@intrinsic
def match_block(_typing: Any, first: Any, last: Any, first_byte: Any, last_byte: Any) -> Any:
    """Bit k of 32 says whether byte k at `first` is `first_byte` and byte k at `last` is `last_byte`."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        vector, lanes = ir.VectorType(ir.IntType(8), 32), ir.VectorType(ir.IntType(32), 32)

        def equal(address: Any, byte: Any) -> Any:
            block = builder.load(builder.inttoptr(address, vector.as_pointer()), align=1)
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), byte, ir.Constant(ir.IntType(32), 0))
            every = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(lanes, [0] * 32))
            return builder.icmp_unsigned("==", block, every)

        both = builder.and_(equal(args[0], args[2]), equal(args[1], args[3]))
        return builder.zext(builder.bitcast(both, ir.IntType(32)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64, types.uint8, types.uint8), generate


@intrinsic
def lowest_bit(_typing: Any, word: Any) -> Any:
    """The number of zero bits below the lowest one; 64 for zero."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


def _libc(name: str, result: ir.Type) -> Callable[..., Any]:
    def define(_typing: Any, a: Any, b: Any, n: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            byte_pointer = ir.IntType(8).as_pointer()
            kind = ir.FunctionType(result, [byte_pointer, byte_pointer, ir.IntType(64)])
            function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
            pointers = [builder.inttoptr(arg, byte_pointer) for arg in args[:2]]
            answer = builder.call(function, [*pointers, args[2]])
            if isinstance(result, ir.IntType):
                return builder.sext(answer, ir.IntType(64))
            return builder.ptrtoint(answer, ir.IntType(64))

        answer_type = types.int64 if isinstance(result, ir.IntType) else types.uint64
        return answer_type(types.uint64, types.uint64, types.int64), generate

    return define


memory_compare = intrinsic(_libc("memcmp", ir.IntType(32)))
memory_copy = intrinsic(_libc("memcpy", ir.IntType(8).as_pointer()))


@njit(**OPTIONS)
def bytes_equal(a: int, a_length: int, b: int, b_length: int) -> bool:
    """Whether two byte strings are equal."""
    if a_length != b_length:
        return False
    return memory_compare(a, b, a_length) == 0


@njit(**OPTIONS)
def bytes_compare(a: int, a_length: int, b: int, b_length: int) -> int:
    """Negative, zero or positive: two byte strings in unsigned binary order, Spark's order of strings."""
    shorter = min(a_length, b_length)
    order = memory_compare(a, b, shorter)
    return order if order != 0 else a_length - b_length


@njit(**OPTIONS)
def hash_word(value: int) -> int:
    """A 64-bit mix of a 64-bit value (the finalizer of MurmurHash3)."""
    h = uint64(value)
    h ^= h >> uint64(33)
    h *= uint64(0xFF51AFD7ED558CCD)
    h ^= h >> uint64(33)
    h *= uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> uint64(33)
    return h


@njit(**OPTIONS)
def hash_bytes(address: int, length: int) -> int:
    """A 64-bit hash of a byte string."""
    h = uint64(0x9E3779B97F4A7C15) ^ uint64(length)
    at = uint64(address)
    left = int64(length)
    while left >= 8:
        h = hash_word(h ^ load64(at))
        at += uint64(8)
        left -= 8
    tail = uint64(0)
    while left > 0:
        left -= 1
        tail = (tail << uint64(8)) | uint64(load8(at + uint64(left)))
    return hash_word(h ^ tail)
