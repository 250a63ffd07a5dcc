"""Three-valued logic and conditionals; a branch that is not taken is not evaluated, so it cannot fail."""

from __future__ import annotations

from pyflare.codegen.expressions.comparison import done
from pyflare.codegen.kernel import Kernel, conjunction, emits, null_value
from pyflare.codegen.values import Value
from pyflare.plan import expressions as e
from pyflare.types import BOOLEAN, Kind


@emits(e.And)
def and_(kernel: Kernel, expr: e.And) -> Value:
    """False beats null; the right side runs only if the left is not false."""
    a = kernel.emit(expr.left)
    right = kernel.branch(lambda: kernel.emit(expr.right))
    not_false = conjunction(a.code) if a.ok is None else f"({a.code} or not {a.ok})"
    b = _right(kernel, right, not_false, expr.right.type, "and")
    value = kernel.let("both", f"{a.code} and {b.code}")
    if a.ok is None and b.ok is None:
        return Value(BOOLEAN, Kind.BOOL, value)
    known = f"({conjunction(a.ok, b.ok)}) or {_is_false(a)} or {_is_false(b)}"
    return Value(BOOLEAN, Kind.BOOL, value, kernel.let("known", known))


@emits(e.Or)
def or_(kernel: Kernel, expr: e.Or) -> Value:
    """True beats null; the right side runs only if the left is not true."""
    a = kernel.emit(expr.left)
    right = kernel.branch(lambda: kernel.emit(expr.right))
    b = _right(kernel, right, f"not {a.code}", expr.right.type, "or")
    value = kernel.let("either", f"{a.code} or {b.code}")
    if a.ok is None and b.ok is None:
        return Value(BOOLEAN, Kind.BOOL, value)
    return Value(BOOLEAN, Kind.BOOL, value, kernel.let("known", f"({conjunction(a.ok, b.ok)}) or {value}"))


def _right(kernel: Kernel, right: object, condition: str, type_: object, _name: str) -> Value:
    from pyflare.codegen.kernel import Branch

    assert isinstance(right, Branch)
    if right.is_cheap:
        kernel.splice(right)
        return right.value
    return kernel.select(condition, right, done(Value(BOOLEAN, Kind.BOOL, "False")), BOOLEAN)


def _is_false(value: Value) -> str:
    return f"({conjunction(value.ok, f'not {value.code}')})"


@emits(e.Not)
def not_(kernel: Kernel, expr: e.Not) -> Value:
    value = kernel.emit(expr.child)
    return kernel.boolean(f"not {value.code}", value.ok, "negated")


@emits(e.If)
def if_(kernel: Kernel, expr: e.If) -> Value:
    condition = kernel.emit(expr.predicate).code
    yes = kernel.branch(lambda: kernel.emit(expr.trueValue))
    no = kernel.branch(lambda: kernel.emit(expr.falseValue))
    return kernel.select(condition, yes, no, expr.type)


@emits(e.CaseWhen)
def case_when(kernel: Kernel, expr: e.CaseWhen) -> Value:
    """The first branch whose condition is true."""
    return _case(kernel, expr.branches, expr)


def _case(kernel: Kernel, branches: tuple[tuple[e.Expr, e.Expr], ...], expr: e.CaseWhen) -> Value:
    if not branches:
        return null_value(expr.type) if expr.elseValue is None else kernel.emit(expr.elseValue)
    (condition, result), rest = branches[0], branches[1:]
    holds = kernel.emit(condition).code
    yes = kernel.branch(lambda: kernel.emit(result))
    no = kernel.branch(lambda: _case(kernel, rest, expr))
    return kernel.select(holds, yes, no, expr.type)


@emits(e.Coalesce)
def coalesce(kernel: Kernel, expr: e.Coalesce) -> Value:
    """The first argument that is not null."""
    return _coalesce(kernel, expr.children_, expr)


def _coalesce(kernel: Kernel, items: tuple[e.Expr, ...], expr: e.Coalesce) -> Value:
    if not items:
        return null_value(expr.type)
    value = kernel.emit(items[0])
    if value.ok is None or len(items) == 1:
        return value
    rest = kernel.branch(lambda: _coalesce(kernel, items[1:], expr))
    return kernel.select(value.ok, done(value), rest, expr.type)
