"""Strings to numbers, as Spark's casts read them: what counts as space, which forms of a number there are.

Parsers give the number and a status: 1 for a number, 0 for a text that is none, -1 for a row that needs Spark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import float32, int64, njit, uint8, uint64
from numba.core import types
from numba.extending import intrinsic

from pyflare.runtime.arena import arena_take
from pyflare.runtime.int128 import wide, wide_add, wide_le, wide_mul, wide_sub
from pyflare.runtime.memory import OPTIONS, load8, memory_copy, store8
from pyflare.runtime.outlined import ARENA, NUMBER, TEXT, TRUTH, WIDE, outlined

Words = Any
Wide = tuple[int, int]

PARSED: Final = 1
NO_NUMBER: Final = 0
NEEDS_SPARK: Final = -1

_LARGEST_EXPONENT: Final = 10_000
_POINT, _PLUS, _MINUS = 46, 43, 45


def _strtod(name: str, result: Any, kind: ir.Type) -> Callable[..., Any]:
    def define(_typing: Any, address: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            pointer = ir.IntType(8).as_pointer()
            signature = ir.FunctionType(kind, [pointer, pointer.as_pointer()])
            function = builder.module.globals.get(name) or ir.Function(builder.module, signature, name)
            return builder.call(function, [builder.inttoptr(args[0], pointer), ir.Constant(pointer.as_pointer(), None)])

        return result(types.uint64), generate

    return define


# The C library rounds correctly, as Java does, straight to either width.
_to_double = intrinsic(_strtod("strtod", types.float64, ir.DoubleType()))
_to_float = intrinsic(_strtod("strtof", types.float32, ir.FloatType()))


@njit(**OPTIONS)
def _is_space(byte: int) -> bool:
    """White space or a control character, to Java."""
    return byte <= 32 or byte == 127


@njit(**OPTIONS)
def trim_all(text: int, text_n: int) -> tuple[int, int]:
    """Without white space and control characters at either end: `UTF8String.trimAll`."""
    begin, end = int64(0), text_n
    while begin < end and _is_space(load8(text + uint64(begin))):
        begin += 1
    while end > begin and _is_space(load8(text + uint64(end - 1))):
        end -= 1
    return text + uint64(begin), end - begin


@njit(**OPTIONS)
def _trim(text: int, text_n: int) -> tuple[int, int]:
    """Without what is not above a space at either end: Java's `String.trim`."""
    begin, end = int64(0), text_n
    while begin < end and load8(text + uint64(begin)) <= 32:
        begin += 1
    while end > begin and load8(text + uint64(end - 1)) <= 32:
        end -= 1
    return text + uint64(begin), end - begin


@njit(**OPTIONS)
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@outlined(types.UniTuple(NUMBER, 2), TEXT, TRUTH)
def parse_integer(text: int, text_n: int, fraction: bool) -> tuple[int, int]:
    """An integer of 64 bits, and the status; with `fraction`, digits behind a point are cut off."""
    text, text_n = trim_all(text, text_n)
    sign = load8(text) if text_n > 0 else uint8(0)
    at = int64(sign in (_MINUS, _PLUS))
    if at == text_n:
        return int64(0), int64(NO_NUMBER)
    value = int64(0)  # counted downwards: the smallest number has no positive counterpart
    while at < text_n and _is_digit(load8(text + uint64(at))):
        digit = int64(load8(text + uint64(at))) - 48
        if value < -922337203685477580 or (value == -922337203685477580 and digit > 8):
            return int64(0), int64(NO_NUMBER)
        value = value * 10 - digit
        at += 1
    if at < text_n and fraction and load8(text + uint64(at)) == _POINT:
        at += 1
        while at < text_n and _is_digit(load8(text + uint64(at))):
            at += 1
    if at < text_n or (sign != _MINUS and value == -(2**63)):
        return int64(0), int64(NO_NUMBER)
    return value if sign == _MINUS else -value, int64(PARSED)


@outlined(NUMBER, TEXT)
def parse_boolean(text: int, text_n: int) -> int:
    """1 for true, 0 for false, -1 for neither."""
    text, text_n = trim_all(text, text_n)
    if text_n == 0 or text_n > 5:
        return int64(-1)
    word = int64(0)
    for at in range(text_n):
        byte = int64(load8(text + uint64(at)))
        word = word << 8 | (byte | 32 if 65 <= byte <= 90 else byte)
    if word == 0x74 or word == 0x31 or word == 0x79 or word == 0x796573 or word == 0x74727565:  # t 1 y yes true
        return int64(1)
    if word == 0x66 or word == 0x30 or word == 0x6E or word == 0x6E6F or word == 0x66616C7365:  # f 0 n no false
        return int64(0)
    return int64(-1)


@njit(**OPTIONS)
def _scan(text: int, text_n: int) -> tuple[int, int, int, int, int]:
    """A number's form: where its digits begin and end, how many are behind the point, the exponent, the status."""
    at = int64(text_n > 0 and load8(text) in (_MINUS, _PLUS))
    begin, digits, behind = at, int64(0), int64(0)
    point = False
    while at < text_n:
        byte = load8(text + uint64(at))
        if byte == _POINT and not point:
            point = True
        elif _is_digit(byte):
            digits += 1
            behind += int64(point)
        else:
            break
        at += 1
    end, exponent, status = at, int64(0), int64(PARSED if digits > 0 else NO_NUMBER)
    if digits > 0 and at < text_n and load8(text + uint64(at)) | 32 == 101:
        exponent, at = _exponent(text, text_n, at + 1)
    if at != text_n:
        status = int64(NO_NUMBER)
    return begin, end, behind, exponent, status


@njit(**OPTIONS)
def _exponent(text: int, text_n: int, at: int) -> tuple[int, int]:
    """The exponent and the position behind it, which is -1 if there is none; a large one is not exact."""
    negative = at < text_n and load8(text + uint64(at)) == _MINUS
    if at < text_n and (negative or load8(text + uint64(at)) == _PLUS):
        at += 1
    if at == text_n:
        return int64(0), int64(-1)
    exponent = int64(0)
    while at < text_n and _is_digit(load8(text + uint64(at))):
        exponent = min(exponent * 10 + int64(load8(text + uint64(at))) - 48, int64(10**12))
        at += 1
    return -exponent if negative else exponent, at


@outlined(types.Tuple((WIDE, NUMBER)), TEXT, NUMBER, WIDE)
def parse_decimal(text: int, text_n: int, scale: int, top: Wide) -> tuple[Wide, int]:
    """An unscaled decimal, rounded half up to `scale`, and the status: none if it exceeds `top`."""
    text, text_n = _trim(text, text_n)
    zero = wide(int64(0))
    for at in range(text_n):
        if load8(text + uint64(at)) >= 128:  # Java reads the digits of every script
            return zero, int64(NEEDS_SPARK)
    begin, end, behind, exponent, status = _scan(text, text_n)
    if status == PARSED and abs(exponent) > _LARGEST_EXPONENT:
        return zero, int64(NEEDS_SPARK)
    if status != PARSED:
        return zero, status
    shift = exponent - behind + scale  # how many zeros follow the digits; if negative, how many digits go
    digits = end - begin - int64(behind > 0 or load8(text + uint64(end - 1)) == _POINT)
    value, kept = _digits(text + uint64(begin), end - begin, digits + min(shift, int64(0)))
    while shift > 0 and kept > 0 and kept <= 38:
        value = wide_mul(value, wide(int64(10)))
        kept += 1
        shift -= 1
    if kept > 38 or not wide_le(value, top):
        return zero, int64(NO_NUMBER)
    return wide_sub(zero, value) if load8(text) == _MINUS else value, int64(PARSED)


@njit(**OPTIONS)
def _digits(text: int, text_n: int, wanted: int) -> tuple[Wide, int]:
    """The first `wanted` digits as a number, rounded by the one that follows, and how many of them count."""
    value = wide(int64(0))
    seen, kept, up = int64(0), int64(0), False
    for at in range(text_n):
        byte = load8(text + uint64(at))
        if byte == _POINT:
            continue
        digit = int64(byte) - 48
        if seen < wanted:
            kept += int64(kept > 0 or digit > 0)
            if kept > 38:
                break
            value = wide_add(wide_mul(value, wide(int64(10))), wide(digit))
        elif seen == wanted:
            up = digit >= 5
        seen += 1
    if up:
        value = wide_add(value, wide(int64(1)))
        kept = max(kept, int64(1))
    return value, kept


@outlined(types.Tuple((types.float64, NUMBER)), ARENA, TEXT)
def parse_double(arena: Words, text: int, text_n: int) -> tuple[float, int]:
    """A double, and the status."""
    text, status, special = _floating(arena, text, text_n)
    return (special if text == 0 else _to_double(text)), status


@outlined(types.Tuple((types.float32, NUMBER)), ARENA, TEXT)
def parse_float(arena: Words, text: int, text_n: int) -> tuple[float, int]:
    """A float, and the status."""
    text, status, special = _floating(arena, text, text_n)
    return (float32(special) if text == 0 else _to_float(text)), status


@njit(**OPTIONS)
def _floating(arena: Words, text: int, text_n: int) -> tuple[int, int, float]:
    """A decimal number as C's text, or address 0 with the status and the value of what has a name."""
    text, text_n = _trim(text, text_n)
    status = _scan(text, text_n)[4]
    if status != PARSED:
        status, special = _special(text, text_n)
        return uint64(0), status, special
    copy = arena_take(arena, text_n + 1)
    if copy == 0:
        return copy, int64(NEEDS_SPARK), 0.0
    memory_copy(copy, text, text_n)
    store8(copy + uint64(text_n), uint8(0))
    return copy, int64(PARSED), 0.0


@njit(**OPTIONS)
def _special(text: int, text_n: int) -> tuple[int, float]:
    """Infinity and NaN, in any case; other forms that Java knows (hexadecimal, a type's letter behind) need Spark."""
    if text_n == 0:
        return int64(NO_NUMBER), 0.0
    sign = load8(text)
    signed = sign in (_MINUS, _PLUS)
    name, name_n = (text + uint64(1), text_n - 1) if signed else (text, text_n)
    if _is_word(name, name_n, int64(0x666E69)) or _is_word(name, name_n, int64(0x7974696E69666E69)):  # inf, infinity
        return int64(PARSED), -float("inf") if sign == _MINUS else float("inf")
    if _is_word(name, name_n, int64(0x6E616E)):  # nan
        exact = name_n == 3 and load8(name) == 78 and load8(name + uint64(1)) == 97
        known = not signed or (exact and load8(name + uint64(2)) == 78)
        return int64(PARSED if known else NO_NUMBER), float("nan")
    last = load8(text + uint64(text_n - 1)) | 32
    is_java = last == 100 or last == 102 or (name_n > 1 and load8(name + uint64(1)) | 32 == 120)
    return int64(NEEDS_SPARK if is_java else NO_NUMBER), 0.0


@njit(**OPTIONS)
def _is_word(text: int, text_n: int, word: int) -> bool:
    """Whether a text is a word of up to eight small letters (the first in the lowest byte), in any case."""
    for at in range(text_n):
        if at == 8 or int64(load8(text + uint64(at)) | 32) != (word >> (8 * at)) & 0xFF:
            return False
    return text_n == 8 or word >> (8 * text_n) == 0
