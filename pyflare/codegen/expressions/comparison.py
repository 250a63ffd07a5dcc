"""Comparison of two values of one type, null tests, `IN`, greatest and least."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pyflare.codegen.expressions.decimals import rescaled
from pyflare.codegen.kernel import Branch, Kernel, conjunction, emits
from pyflare.codegen.values import Frame, Source, Value, buffer, fits_long, scalar
from pyflare.plan import expressions as e
from pyflare.types import BOOLEAN, Kind

_MIRRORED = {"<": "<", "<=": "<=", ">": "<", ">=": "<="}
_FEW_NUMBERS, _FEW_TEXTS = 8, 3  # up to so many candidates are compared one by one


def compare(kernel: Kernel, operator: str, a: Value, b: Value) -> str:
    """Code for `a operator b` in Spark's order (`==`, `<`, `<=`, `>`, `>=`), nulls left aside."""
    if operator in (">", ">="):
        return compare(kernel, _MIRRORED[operator], b, a)
    if a.type.is_decimal:
        a, b = _same_scale(kernel, a, b)
    kind = Kind.WIDE if Kind.WIDE in (a.kind, b.kind) else a.kind
    return _COMPARERS[kind](kernel, operator, a, b)


def _same_scale(kernel: Kernel, a: Value, b: Value) -> tuple[Value, Value]:
    scale = max(a.type.scale, b.type.scale)
    return rescaled(kernel, a, a.type.scale, scale), rescaled(kernel, b, b.type.scale, scale)


def _plain(_kernel: Kernel, operator: str, a: Value, b: Value) -> str:
    return f"{a.code} {operator} {b.code}"


def _wide(kernel: Kernel, operator: str, a: Value, b: Value) -> str:
    name = {"==": "wide_eq", "<": "wide_lt", "<=": "wide_le"}[operator]
    return f"{kernel.use('int128.' + name)}({kernel.wide(a)}, {kernel.wide(b)})"


def _floating(kernel: Kernel, operator: str, a: Value, b: Value) -> str:
    """NaN equals NaN and is larger than anything else."""
    if operator == "==":
        return f"{kernel.use('floats.float_equal')}({a.code}, {b.code})"
    less = kernel.use("floats.float_less")
    return f"{less}({a.code}, {b.code})" if operator == "<" else f"not {less}({b.code}, {a.code})"


def _text(kernel: Kernel, operator: str, a: Value, b: Value) -> str:
    arguments = ", ".join((*kernel.text(a), *kernel.text(b)))
    if operator == "==":
        return f"{kernel.use('memory.bytes_equal')}({arguments})"
    return f"{kernel.use('memory.bytes_compare')}({arguments}) {operator} 0"


def _nothing(_kernel: Kernel, _operator: str, _a: Value, _b: Value) -> str:
    return "False"


_COMPARERS: dict[Kind, Callable[[Kernel, str, Value, Value], str]] = {
    Kind.BOOL: _plain,
    Kind.INT: _plain,
    Kind.F32: _floating,
    Kind.F64: _floating,
    Kind.WIDE: _wide,
    Kind.STR: _text,
    Kind.NULL: _nothing,
}


def _comparison(operator: str) -> Callable[[Kernel, e.Binary], Value]:
    def generate(kernel: Kernel, expr: e.Binary) -> Value:
        if operator == "==" and _is_code_lookup(kernel, expr.left, expr.right):
            return in_dictionary(kernel, expr.left, (expr.right,))
        a, b = kernel.emit(expr.left), kernel.emit(expr.right)
        ok = kernel.all_ok(a, b)
        return kernel.boolean(compare(kernel, operator, a, b), ok, "holds")

    return generate


for _class, _operator in {
    e.EqualTo: "==",
    e.LessThan: "<",
    e.LessThanOrEqual: "<=",
    e.GreaterThan: ">",
    e.GreaterThanOrEqual: ">=",
}.items():
    emits(_class)(_comparison(_operator))


@emits(e.EqualNullSafe)
def equal_null_safe(kernel: Kernel, expr: e.EqualNullSafe) -> Value:
    """`<=>`: null equals null, and the answer is never null."""
    a, b = kernel.emit(expr.left), kernel.emit(expr.right)
    same = kernel.let("same", compare(kernel, "==", a, b))
    if a.ok is None and b.ok is None:
        return Value(BOOLEAN, Kind.BOOL, same)
    left, right = a.ok or "True", b.ok or "True"
    return Value(BOOLEAN, Kind.BOOL, kernel.let("same", f"({left} and {right} and {same}) or not ({left} or {right})"))


# Dictionary lookups ---------------------------------------------------------------------------------------------------


def _is_code_lookup(kernel: Kernel, value: e.Expr, literal: e.Expr) -> bool:
    return isinstance(literal, e.Literal) and literal.value is not None and kernel.emit(value).codes is not None


def in_dictionary(kernel: Kernel, expr: e.Expr, literals: tuple[e.Expr, ...]) -> Value:
    """Whether a dictionary-coded column equals one of some literals: a look-up in a table made once a dictionary."""
    value = kernel.emit(expr)
    wanted = frozenset(literal.value for literal in literals if isinstance(literal, e.Literal))
    return dictionary_predicate(kernel, value, ("in", wanted), lambda text: text in wanted)


def dictionary_predicate(kernel: Kernel, value: Value, key: object, holds: Callable[[bytes], bool]) -> Value:
    """A predicate over a dictionary-coded column, evaluated once for each entry of the dictionary."""
    assert value.codes is not None
    column = value.codes.column
    table = PredicateTable(column, holds)
    name = kernel.param(("table", key, column), f"{value.codes.name}_table", buffer("uint8"), table)
    return kernel.boolean(f"{name}[uint64({value.codes.name})] != 0", value.ok, "holds")


class PredicateTable:
    """One byte per dictionary entry, and one to spare; extended when the dictionary has grown."""

    def __init__(self, column: Source, holds: Callable[[bytes], bool]) -> None:
        self._column = column
        self._holds = holds
        self._known = 0, np.zeros(1, np.uint8)  # of which dictionary, and the table

    def __call__(self, frame: Frame) -> np.ndarray:
        dictionary = frame.column(self._column).dictionary
        assert dictionary is not None
        uid, table = self._known
        known = len(table) - 1 if uid == dictionary.uid != 0 else 0
        if known < len(dictionary) or uid != dictionary.uid:
            more = (self._holds(dictionary[code]) for code in range(known, len(dictionary)))
            table = np.concatenate([table[:known], np.fromiter(more, np.uint8), np.zeros(1, np.uint8)])
            self._known = dictionary.uid, table
        return table


# Null tests -----------------------------------------------------------------------------------------------------------


@emits(e.IsNotNull)
def is_not_null(kernel: Kernel, expr: e.IsNotNull) -> Value:
    return Value(BOOLEAN, Kind.BOOL, kernel.emit(expr.child).ok or "True")


@emits(e.IsNull)
def is_null(kernel: Kernel, expr: e.IsNull) -> Value:
    ok = kernel.emit(expr.child).ok
    return Value(BOOLEAN, Kind.BOOL, "False" if ok is None else kernel.let("is_null", f"not {ok}"))


@emits(e.IsNaN)
def is_nan(kernel: Kernel, expr: e.IsNaN) -> Value:
    """False for null."""
    value = kernel.emit(expr.child)
    return Value(BOOLEAN, Kind.BOOL, kernel.let("is_nan", conjunction(value.ok, f"{value.code} != {value.code}")))


@emits(e.NaNvl)
def nanvl(kernel: Kernel, expr: e.NaNvl) -> Value:
    value = kernel.emit(expr.left)
    nan = kernel.let("is_nan", conjunction(value.ok, f"{value.code} != {value.code}"))
    yes = kernel.branch(lambda: kernel.emit(expr.right))
    return kernel.select(nan, yes, done(value), expr.type)


@emits(e.AtLeastNNonNulls)
def at_least_n_non_nulls(kernel: Kernel, expr: e.AtLeastNNonNulls) -> Value:
    """Counts values that are neither null nor NaN."""
    count = " + ".join(f"int64({_present(kernel.emit(child))})" for child in expr.children_) or "int64(0)"
    return Value(BOOLEAN, Kind.BOOL, kernel.let("enough", f"({count}) >= {expr.n}"))


def _present(value: Value) -> str:
    if value.type.is_floating:
        return conjunction(value.ok, f"{value.code} == {value.code}")
    return value.ok or "True"


def done(value: Value) -> Branch:
    """A branch whose value is there already."""
    return Branch([], value, {}, can_fail=False)


# Sets and extremes ----------------------------------------------------------------------------------------------------


@emits(e.In)
def is_in(kernel: Kernel, expr: e.In) -> Value:
    """Null if nothing matches and a null was among the candidates."""
    literals = tuple(item for item in expr.list if isinstance(item, e.Literal) and item.value is not None)
    nulls = sum(isinstance(item, e.Literal) for item in expr.list) - len(literals)
    value = kernel.emit(expr.value)
    if len(literals) + nulls < len(expr.list):
        return _in_each(kernel, value, expr.list)
    if value.codes is not None:
        found = in_dictionary(kernel, expr.value, literals)
    elif value.kind is Kind.INT and len(literals) > _FEW_NUMBERS:
        found = _in_sorted(kernel, value, literals)
    elif value.kind is Kind.STR and len(literals) > _FEW_TEXTS:
        found = _in_sorted_texts(kernel, value, literals)
    else:
        found = _in_each(kernel, value, literals)
    if nulls == 0:
        return found
    ok = kernel.let("known", conjunction(found.ok, found.code))
    return Value(BOOLEAN, Kind.BOOL, found.code, ok)


def _in_each(kernel: Kernel, value: Value, items: Sequence[e.Expr]) -> Value:
    """One comparison for each candidate; a candidate may be null."""
    candidates = [kernel.emit(item) for item in items]
    tests = [conjunction(c.ok, compare(kernel, "==", value, c)) for c in candidates]
    found = kernel.boolean(" or ".join(f"({test})" for test in tests) or "False", value.ok, "found")
    known = kernel.all_ok(*candidates)
    if known is None:
        return found
    return found.with_ok(kernel.let("known", conjunction(value.ok, f"({found.code} or {known})")))


def _in_sorted(kernel: Kernel, value: Value, literals: Sequence[e.Literal]) -> Value:
    numbers = sorted({item.value for item in literals if fits_long(item.value, item.value)})
    array = np.array(numbers, np.int64)
    name = kernel.constant_array(("set", tuple(numbers)), "candidates", "int64", array)
    return kernel.boolean(f"{kernel.use('search.contains_sorted')}({name}, {value.code})", value.ok, "found")


def _in_sorted_texts(kernel: Kernel, value: Value, literals: Sequence[e.Literal]) -> Value:
    """A binary search among the candidates, which lie one behind the other."""
    texts = tuple(sorted({item.value for item in literals}))
    buffer = np.frombuffer(b"".join(texts) + bytes(8), np.uint8)
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    base = kernel.param(("texts", texts), "candidates", scalar("uint64"), lambda _frame: int(buffer.ctypes.data))
    bounds = kernel.constant_array(("text bounds", texts), "candidates_at", "int64", ends)
    arguments = ", ".join((base, bounds, *kernel.text(value)))
    return kernel.boolean(f"{kernel.use('search.contains_text')}({arguments})", value.ok, "found")


@emits(e.Greatest)
def greatest(kernel: Kernel, expr: e.Greatest) -> Value:
    return _extreme(kernel, expr.children_, "<", expr)


@emits(e.Least)
def least(kernel: Kernel, expr: e.Least) -> Value:
    return _extreme(kernel, expr.children_, ">", expr)


def _extreme(kernel: Kernel, items: tuple[e.Expr, ...], operator: str, expr: e.Expr) -> Value:
    """Nulls are skipped; null only if every argument is."""
    best = kernel.emit(items[0])
    for item in items[1:]:
        value = kernel.emit(item)
        better = compare(kernel, operator, best, value)
        worse = f" or not {best.ok}" if best.ok is not None else ""
        take = kernel.let("better", conjunction(value.ok, f"({better}{worse})"))
        best = kernel.select(take, done(value), done(best), expr.type)
    return replace(best, type=expr.type)
