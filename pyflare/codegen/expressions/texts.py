"""Expressions that give a string or a binary: a part of another one, or new bytes in the arena."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from pyflare.codegen.arena import arena, computed_text, returned_text
from pyflare.codegen.derived import ENTRY, Derived, derived_text
from pyflare.codegen.expressions.strings import called, flat, text_literal
from pyflare.codegen.kernel import DATA_ERROR, UNSUPPORTED_ERROR, Kernel, conjunction, emits, null_value
from pyflare.codegen.values import Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_strings as s
from pyflare.types import BINARY, DataType, Kind

_OWN_LETTERS = ("az", "el", "hy", "lt", "nl", "tr")

# One helper for each --------------------------------------------------------------------------------------------------


def from_helper(
    kernel: Kernel, type_: DataType, function: str, *arguments: e.Expr | bool | int, in_arena: bool = True
) -> Value:
    """The text that a runtime helper finds, or makes in the arena; null if an argument is.

    Of a dictionary-coded argument beside constants, it is made once for each entry of the dictionary.
    """
    values = [kernel.emit(argument) if isinstance(argument, e.Expr) else argument for argument in arguments]
    present = [value for value in values if isinstance(value, Value)]
    ok = kernel.all_ok(*present)
    if ok == "False":
        return null_value(type_)
    coded = [value for value in present if value.codes is not None]
    constants = tuple(argument.value if isinstance(argument, e.Literal) else argument for argument in arguments)
    if len(coded) == 1 and sum(isinstance(constant, e.Expr) for constant in constants) == 1:
        entry = tuple(ENTRY if isinstance(constant, e.Expr) else constant for constant in constants)
        assert coded[0].codes is not None
        return derived_text(kernel, type_, coded[0], Derived(coded[0].codes.column, function, entry, in_arena))
    codes = flat(kernel, [value if isinstance(value, Value) else constant_code(value) for value in values])
    if in_arena:
        return computed_text(kernel, type_, function, codes, ok)
    return returned_text(kernel, type_, f"{kernel.use(function)}({', '.join(codes)})", ok)


def constant_code(value: bool | int) -> str:
    """A constant argument in the kernel's source."""
    return str(value) if isinstance(value, bool) else f"int64({value})"


@emits(e.Substring)
def substring(kernel: Kernel, expr: e.Substring) -> Value:
    function = "strings.binary_substring" if expr.type == BINARY else "strings.substring"
    return from_helper(kernel, expr.type, function, expr.str, expr.pos, expr.len, in_arena=False)


@emits(s.SubstringIndex)
def substring_index(kernel: Kernel, expr: s.SubstringIndex) -> Value:
    count = kernel.emit(expr.countExpr)
    if count.bounds[0] == -(2**31):
        kernel.fail_when(f"{count.code} == {-(2**31)}", count.ok, UNSUPPORTED_ERROR)
    arguments = expr.strExpr, expr.delimExpr, expr.countExpr
    return from_helper(kernel, expr.type, "strings.substring_index", *arguments, in_arena=False)


@emits(s.StringTrim, s.StringTrimLeft, s.StringTrimRight)
def trim(kernel: Kernel, expr: s.Trim) -> Value:
    """Without the characters of a set, or spaces, at one or both ends."""
    ends = not isinstance(expr, s.StringTrimRight), not isinstance(expr, s.StringTrimLeft)
    if expr.trimStr is None:
        return from_helper(kernel, expr.type, "strings.trim_spaces", expr.srcStr, *ends, in_arena=False)
    return from_helper(kernel, expr.type, "strings.trim_chars", expr.srcStr, expr.trimStr, *ends, in_arena=False)


@emits(s.Upper, s.Lower, s.InitCap)
def other_case(kernel: Kernel, expr: e.Unary) -> Value:
    """Java's locale is that of the environment, which this process shares."""
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LANG"))
    if any(name.startswith(_OWN_LETTERS) for name in names):
        raise Unsupported("the locale has rules of its own for upper and lower case", expr.name)
    function = {s.Upper: "upper", s.Lower: "lower", s.InitCap: "title"}[type(expr)]
    return from_helper(kernel, expr.type, f"letters.{function}", expr.child)


def _from_children(function: str, *extra: bool | int) -> Callable[[Kernel, e.Expr], Value]:
    return lambda kernel, expr: from_helper(kernel, expr.type, function, *expr.children, *extra)


for _class, _function in {
    s.Reverse: "texts.reverse",
    s.Chr: "texts.character",
    s.StringSpace: "texts.spaces",
    s.StringRepeat: "texts.repeat",
    s.StringReplace: "texts.replace",
    s.StringTranslate: "texts.translate",
}.items():
    emits(_class)(_from_children(_function))
emits(s.StringLPad)(_from_children("texts.pad", True))
emits(s.StringRPad)(_from_children("texts.pad", False))
emits(s.Bin)(_from_children("texts.in_base", 1))


@emits(s.Overlay)
def overlay(kernel: Kernel, expr: s.Overlay) -> Value:
    """The text with another one in the place of some of its characters."""
    return from_helper(kernel, expr.type, "texts.overlay", *expr.children, expr.type == BINARY)


@emits(s.Hex)
def hexadecimal(kernel: Kernel, expr: s.Hex) -> Value:
    """The digits of a number's 64 bits, or of a string's bytes."""
    if expr.child.type.is_stringlike:
        return from_helper(kernel, expr.type, "texts.hexadecimal", expr.child)
    return from_helper(kernel, expr.type, "texts.in_base", expr.child, 4)


@emits(s.Elt)
def elt(kernel: Kernel, expr: s.Elt) -> Value:
    """The argument whose number comes first; there may be none."""
    number, items = kernel.emit(expr.children_[0]), expr.children_[1:]
    if expr.failOnError:
        kernel.fail_when(f"not 1 <= {number.code} <= {len(items)}", number.ok)
    return _choice(kernel, number, items, 1, expr)


def _choice(kernel: Kernel, number: Value, items: Sequence[e.Expr], first: int, expr: s.Elt) -> Value:
    if not items:
        return null_value(expr.type)
    yes = kernel.branch(lambda: kernel.emit(items[0]))
    no = kernel.branch(lambda: _choice(kernel, number, items[1:], first + 1, expr))
    return kernel.select(conjunction(number.ok, f"{number.code} == {first}"), yes, no, expr.type)


# Several pieces -------------------------------------------------------------------------------------------------------


@emits(s.Unhex)
def unhex(kernel: Kernel, expr: s.Unhex) -> Value:
    """Null, or an error, where a character is no hexadecimal digit."""
    value = kernel.emit(expr.child)
    address, length = kernel.writer.fresh("bytes"), kernel.writer.fresh("bytes_n")
    call = called(kernel, "texts.from_hexadecimal", arena(kernel), value)
    kernel.line(
        f"{address}, {length} = {call if value.ok is None else f'{call} if {value.ok} else (uint64(0), int64(0))'}"
    )
    kernel.fail_when(f"{length} == -1", value.ok, UNSUPPORTED_ERROR)
    if expr.failOnError:
        kernel.fail_when(f"{length} == -2", value.ok, DATA_ERROR)
        return Value(expr.type, Kind.STR, address, value.ok, length=length)
    ok = kernel.let("ok", conjunction(value.ok, f"{length} >= 0"))
    return Value(expr.type, Kind.STR, address, ok, length=kernel.let("bytes_n", f"max({length}, int64(0))"))


@emits(s.Concat)
def concat(kernel: Kernel, expr: s.Concat) -> Value:
    """One text behind the other; null if one of them is."""
    if len(expr.children_) == 2:
        return from_helper(kernel, expr.type, "texts.concat2", *expr.children_)
    values = [kernel.emit(child) for child in expr.children_]
    ok = kernel.all_ok(*values)
    if len(values) == 1:
        return values[0]
    if ok == "False":
        return null_value(expr.type)
    return _joined(kernel, expr.type, [(value, None) for value in values], None, ok)


@emits(s.ConcatWs)
def concat_ws(kernel: Kernel, expr: s.ConcatWs) -> Value:
    """The texts that are not null, with the separator between them; null only if the separator is."""
    separator, *values = [kernel.emit(child) for child in expr.children_]
    present = [(value, value.ok) for value in values if value.ok != "False"]
    if separator.ok == "False":
        return null_value(expr.type)
    return _joined(kernel, expr.type, present, separator, separator.ok)


def _joined(
    kernel: Kernel,
    type_: DataType,
    items: Sequence[tuple[Value, str | None]],
    separator: Value | None,
    ok: str | None,
) -> Value:
    """The items whose condition holds, each followed by the separator, but for the last."""
    texts = [(*kernel.text(value), present) for value, present in items]
    gap = None if separator is None else kernel.text(separator)
    if not texts:
        return text_literal(kernel, b"").with_ok(ok)
    sizes = [_size(length, gap, present) for _, length, present in texts]
    total = kernel.let("size", conditional_number(" + ".join(sizes), ok))
    text = kernel.let("text", f"{kernel.use('texts.room')}({arena(kernel)}, {total})")
    kernel.fail_when(f"{text} == 0", ok, UNSUPPORTED_ERROR)
    append, end = kernel.use("texts.append"), kernel.let("end", text)
    for condition, together in groupby(texts, lambda text: conjunction(ok, text[2])):
        with only_if(kernel, condition):
            for *piece, _ in together:
                for address, length in filter(None, (piece, gap)):
                    kernel.line(f"{end} = {append}({end}, {address}, {length})")
    length = total if gap is None else kernel.let("text_n", f"max({total} - {gap[1]}, int64(0))")
    return Value(type_, Kind.STR, text, ok, length=length)


@contextmanager
def only_if(kernel: Kernel, condition: str) -> Iterator[None]:
    """Statements that run where `condition` holds."""
    if condition == "True":
        yield
    else:
        with kernel.block(f"if {condition}"):
            yield


def _size(length: str, gap: tuple[str, str] | None, present: str | None) -> str:
    size = length if gap is None else f"{length} + {gap[1]}"
    return size if present is None else f"({size} if {present} else int64(0))"


def conditional_number(code: str, ok: str | None) -> str:
    """A number, zero where `ok` does not hold."""
    return code if ok is None else f"({code}) if {ok} else int64(0)"
