"""The rules that every IR keeps: each attribute that is read is put out below, once, with the same type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pyflare.errors import PlanError
from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference, Expr
from pyflare.types import DataType


def verify(operator: ops.Operator) -> None:
    """Raise `PlanError` where an operator breaks a rule."""
    for child in operator.children:
        verify(child)
    known = {attr.id: attr.type for child in operator.children for attr in child.attrs}
    for expr in expressions(operator):
        _verify_expression(expr, known, operator)


def _verify_expression(expr: Expr, known: Mapping[int, DataType], operator: ops.Operator) -> None:
    if isinstance(expr, AttributeReference):
        if expr.id not in known:
            raise PlanError(f"{operator.name} reads {expr.label}#{expr.id}, which is not put out below it")
        if known[expr.id] != expr.type:
            raise PlanError(f"{operator.name} reads {expr.label}#{expr.id} as {expr.type}, it is {known[expr.id]}")
    for child in expr.children:
        _verify_expression(child, known, operator)


def expressions(operator: ops.Operator) -> Iterator[Expr]:
    """The expressions that an operator evaluates."""
    reader = _EXPRESSIONS.get(type(operator))
    return iter(reader(operator)) if reader is not None else iter(())


def _of_join(join: ops.Join) -> Iterable[Expr]:
    return (*join.left_keys, *join.right_keys, *(() if join.condition is None else (join.condition,)))


def _of_grouped(grouped: ops.Grouped) -> Iterable[Expr]:
    return (*(key.expr for side in grouped.sides for key in side.keys), *grouped.args)


def _of_aggregate(aggregate: ops.Aggregate) -> Iterable[Expr]:
    filters = (call.filter for call in aggregate.calls if call.filter is not None)
    return (*(key.expr for key in aggregate.keys), *(arg for call in aggregate.calls for arg in call.args), *filters)


_EXPRESSIONS: dict[type[ops.Operator], Callable[[Any], Iterable[Expr]]] = {
    ops.Filter: lambda op: (op.condition,),
    ops.Project: lambda op: (column.expr for column in op.columns),
    ops.Evaluate: lambda op: (column.expr for column in op.columns),
    ops.Expand: lambda op: (expr for row in op.projections for expr in row),
    ops.Sort: lambda op: (key.expr for key in op.keys),
    ops.Model: lambda op: op.args,
    ops.Vectorized: lambda op: op.args,
    ops.Grouped: _of_grouped,
    ops.Join: _of_join,
    ops.Aggregate: _of_aggregate,
}
