"""Strings: UTF-8 bytes somewhere in memory, as an address and a length. Here what is true of them, and counts.

`called` writes the call of a runtime helper: texts become two arguments, every other value one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyflare.codegen.expressions.comparison import dictionary_predicate
from pyflare.codegen.kernel import DATA_ERROR, UNSUPPORTED_ERROR, Kernel, emits
from pyflare.codegen.values import Value
from pyflare.plan import expressions as e
from pyflare.plan import expressions_strings as s
from pyflare.types import BINARY, STRING, DataType, Kind

MAX_INT = 2**31 - 1

_TESTS: dict[type[e.Expr], tuple[str, Callable[[bytes, bytes], bool]]] = {
    e.StartsWith: ("starts_with", bytes.startswith),
    e.EndsWith: ("ends_with", bytes.endswith),
    e.Contains: ("contains", lambda text, part: part in text),
}


def called(kernel: Kernel, function: str, *arguments: Value | str) -> str:
    """The call of a runtime helper."""
    return f"{kernel.use(function)}({', '.join(flat(kernel, arguments))})"


def flat(kernel: Kernel, arguments: Sequence[Value | str]) -> list[str]:
    """Arguments as the code of what a helper takes."""
    codes: list[str] = []
    for argument in arguments:
        if isinstance(argument, str):
            codes.append(argument)
        elif argument.kind is Kind.STR:
            codes.extend(kernel.text(argument))
        else:
            codes.append(argument.code)
    return codes


def text_literal(kernel: Kernel, value: bytes) -> Value:
    """A constant text."""
    return kernel.emit(e.Literal(type=STRING, nullable=False, value=value))


@emits(e.StartsWith, e.EndsWith, e.Contains)
def affix(kernel: Kernel, expr: e.Binary) -> Value:
    """Whether one string begins with, ends with or holds another."""
    name, holds = _TESTS[type(expr)]
    a, pattern = kernel.emit(expr.left), expr.right
    if a.codes is not None and isinstance(pattern, e.Literal) and pattern.value is not None:
        wanted: bytes = pattern.value
        return dictionary_predicate(kernel, a, (name, wanted), lambda text: holds(text, wanted))
    b = kernel.emit(pattern)
    return kernel.boolean(called(kernel, f"strings.{name}", a, b), kernel.all_ok(a, b), "holds")


# Counts ---------------------------------------------------------------------------------------------------------------


def counted(kernel: Kernel, type_: DataType, call: str, ok: str | None, high: int, *, checked: bool = False) -> Value:
    """A number between 0 and `high`; with `checked`, one below 0 says that the row needs Spark."""
    number = kernel.let("count", call if ok is None else f"{call} if {ok} else int64(0)")
    if checked:
        kernel.fail_when(f"{number} < 0", ok, UNSUPPORTED_ERROR)
    return Value(type_, Kind.INT, number, ok, 0, high)


@emits(e.Length)
def length(kernel: Kernel, expr: e.Length) -> Value:
    """Characters of a string, bytes of a binary."""
    value = kernel.emit(expr.child)
    if expr.child.type == BINARY:
        return Value(expr.type, Kind.INT, kernel.text(value)[1], value.ok, 0, MAX_INT)
    return counted(kernel, expr.type, called(kernel, "strings.char_length", value), value.ok, MAX_INT)


@emits(s.OctetLength)
def octet_length(kernel: Kernel, expr: s.OctetLength) -> Value:
    value = kernel.emit(expr.child)
    return Value(expr.type, Kind.INT, kernel.text(value)[1], value.ok, 0, MAX_INT)


@emits(s.BitLength)
def bit_length(kernel: Kernel, expr: s.BitLength) -> Value:
    """Eight times the bytes, as a Java int: 2²⁸ bytes and more wrap, so such a row is left to Spark."""
    value = kernel.emit(expr.child)
    size = kernel.text(value)[1]
    kernel.fail_when(f"{size} >= {2**28}", value.ok, UNSUPPORTED_ERROR)
    return Value(expr.type, Kind.INT, kernel.let("bits", f"{size} * 8"), value.ok, 0, MAX_INT)


@emits(s.Ascii)
def ascii_(kernel: Kernel, expr: s.Ascii) -> Value:
    """The first character's code point."""
    value = kernel.emit(expr.child)
    return counted(
        kernel, expr.type, called(kernel, "strings.first_code_point", value), value.ok, 0x10FFFF, checked=True
    )


@emits(s.StringInstr)
def instr(kernel: Kernel, expr: s.StringInstr) -> Value:
    text, part = kernel.emit(expr.str), kernel.emit(expr.substr)
    call = called(kernel, "strings.instr", text, part, "int64(0)")
    return counted(kernel, expr.type, call, kernel.all_ok(text, part), MAX_INT, checked=True)


@emits(s.StringLocate)
def locate(kernel: Kernel, expr: s.StringLocate) -> Value:
    """Where the start is null or not positive the answer is 0; else null if a string is null."""
    part, text, start = kernel.emit(expr.substr), kernel.emit(expr.str), kernel.emit(expr.start)
    known = kernel.all_ok(text, part)
    searches = kernel.all_ok(text, part, start)
    call = called(kernel, "strings.instr", text, part, f"{start.code} - int64(1)")
    sought = f"{call} if {start.code} > 0 else int64(0)"
    place = counted(kernel, expr.type, f"({sought})", searches, MAX_INT, checked=True)
    if known is None or start.ok is None:
        return place.with_ok(known)
    return place.with_ok(kernel.let("ok", f"{known} or not {start.ok}"))


@emits(s.FindInSet)
def find_in_set(kernel: Kernel, expr: s.FindInSet) -> Value:
    """The place of a word in a list separated by commas."""
    part, text = kernel.emit(expr.left), kernel.emit(expr.right)
    call = called(kernel, "strings.find_in_set", part, text)
    return counted(kernel, expr.type, call, kernel.all_ok(part, text), MAX_INT)


def answered(kernel: Kernel, call: str, ok: str | None) -> Value:
    """A truth value from a helper that gives 1, 0, -1 for a row where Spark raises and -2 for one that needs it."""
    answer = kernel.let("answer", call if ok is None else f"{call} if {ok} else int64(0)")
    kernel.fail_when(f"{answer} == -1", ok, DATA_ERROR)
    kernel.fail_when(f"{answer} == -2", ok, UNSUPPORTED_ERROR)
    return kernel.boolean(f"{answer} == 1", ok, "holds")
