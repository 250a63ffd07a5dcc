"""IR as text: one line an operator, stable from run to run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference, Expr, Literal, Subquery


def show(operator: ops.Operator, depth: int = 0) -> str:
    """An operator and what is below it."""
    lines = ["  " * depth + operator.name + _details(operator)]
    lines.extend(show(child, depth + 1) for child in operator.children)
    return "\n".join(lines)


def _details(operator: ops.Operator) -> str:
    match operator:
        case ops.Filter():
            return f" {show_expression(operator.condition)}"
        case ops.Project():
            return " " + ", ".join(_named(column) for column in operator.columns)
        case ops.Aggregate():
            keys = ", ".join(_named(key) for key in operator.keys)
            calls = ", ".join(f"{c.function}({', '.join(map(show_expression, c.args))})" for c in operator.calls)
            return f" by [{keys}] compute [{calls}]"
        case ops.Grouped():
            keys = "], [".join(", ".join(map(_named, side.keys)) for side in operator.sides)
            return f" by [{keys}] call {operator.functions} for {', '.join(map(show_expression, operator.results))}"
        case ops.Join():
            pairs = zip(operator.left_keys, operator.right_keys, strict=True)
            keys = ", ".join(f"{show_expression(a)} = {show_expression(b)}" for a, b in pairs)
            rest = "" if operator.condition is None else f" if {show_expression(operator.condition)}"
            return f" {operator.kind} on {keys}{rest}"
        case ops.Sort():
            keys = ", ".join(show_expression(k.expr) + (" desc" if k.descending else "") for k in operator.keys)
            return f" by {keys}" + ("" if operator.limit is None else f" limit {operator.limit}")
        case ops.Limit():
            return f" {operator.limit} offset {operator.offset}"
        case _:
            return " " + ", ".join(show_expression(attr) for attr in operator.attrs)


def _named(column: ops.Named) -> str:
    text = show_expression(column.expr)
    return text if column.is_rename else f"{text} as {show_expression(column.attr)}"


def show_expression(expr: Expr) -> str:
    """An expression as a function call on its parts."""
    if isinstance(expr, AttributeReference):
        return f"{expr.label}#{expr.id}"
    if isinstance(expr, Literal):
        return repr(expr.value) if not isinstance(expr.value, bytes) else repr(expr.value.decode(errors="replace"))
    if isinstance(expr, Subquery):
        return f"subquery#{expr.index}" + (f".{expr.column}" if expr.column else "")
    return f"{expr.name}({', '.join(map(_part, _values(expr)))})"


def _values(expr: Expr) -> list[Any]:
    values = (getattr(expr, f.name) for f in fields(expr) if f.name not in ("type", "nullable"))
    return [value for value in values if isinstance(value, Expr | tuple)]


def _part(value: Any) -> str:
    return show_expression(value) if isinstance(value, Expr) else "[" + ", ".join(map(_part, value)) + "]"
