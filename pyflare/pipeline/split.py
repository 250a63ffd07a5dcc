"""IR → program: cut the operator tree where all rows are needed at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from pyflare.errors import PlanError
from pyflare.pipeline.model import (
    BuildNode,
    GroupedNode,
    GroupsNode,
    LimitNode,
    ModelNode,
    Node,
    Order,
    Probe,
    RowsNode,
    SelectNode,
    Side,
    SortNode,
    SourceNode,
    Step,
    UnionNode,
    UnmatchedNode,
    VectorizedNode,
)
from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference, Expr

FILTERING: Final = ("semi", "anti", "null-aware anti", "existence")
_SPLITTERS: dict[type[ops.Operator], Callable[[Any], Node]] = {}


def _splits(*classes: type[ops.Operator]) -> Callable[[Callable[[Any], Node]], Callable[[Any], Node]]:
    def register(function: Callable[[Any], Node]) -> Callable[[Any], Node]:
        for cls in classes:
            _SPLITTERS[cls] = function
        return function

    return register


def split(operator: ops.Operator) -> Node:
    """The program that computes an operator."""
    splitter = _SPLITTERS.get(type(operator))
    if splitter is None:
        raise PlanError(f"operator {operator.name} has no place in a program")
    return splitter(operator)


def _pipeline(operator: ops.Operator) -> tuple[Node, tuple[Step, ...]]:
    """The source below an operator and the steps from there up to and including it."""
    steps: list[Step] = []
    while True:
        if isinstance(operator, ops.Filter | ops.Project | ops.Expand):
            steps.append(operator)
            operator = operator.child
        elif isinstance(operator, ops.Join) and operator.kind != "full":
            steps.append(_probe(operator))
            operator = operator.right if _builds_left(operator) else operator.left
        else:
            return split(operator), _numbered(reversed(steps))


def _numbered(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, with the probes' tables numbered from zero."""
    numbers = itertools.count()
    return tuple(replace(step, table=next(numbers)) if isinstance(step, Probe) else step for step in steps)


@_splits(ops.Scan, ops.Input, ops.Values, ops.Range)
def _source(operator: ops.Operator) -> Node:
    return SourceNode(attrs=operator.attrs, operator=operator)


@_splits(ops.Filter, ops.Project, ops.Evaluate, ops.Expand)
def _rows(operator: ops.Operator) -> Node:
    child, steps = _pipeline(operator)
    return _rows_of(child, steps, operator.attrs, operator.attrs)


def _rows_of(
    child: Node, steps: tuple[Step, ...], columns: tuple[Expr, ...], attrs: tuple[AttributeReference, ...]
) -> Node:
    positions = _positions(child, steps, columns)
    if positions is None:
        return RowsNode(attrs=attrs, child=child, steps=steps, columns=columns)
    if positions == tuple(range(len(child.attrs))) and child.attrs == attrs:
        return child
    return SelectNode(attrs=attrs, child=child, columns=positions)


def _positions(child: Node, steps: tuple[Step, ...], columns: tuple[Expr, ...]) -> tuple[int, ...] | None:
    """Where the columns lie in the child's table, if the steps do nothing but rename."""
    where: dict[int, int] = {attr.id: index for index, attr in enumerate(child.attrs)}
    for step in steps:
        if not isinstance(step, ops.Project):
            return None
        renamed = {
            named.attr.id: where[named.expr.id]
            for named in step.columns
            if isinstance(named.expr, AttributeReference) and named.expr.id in where
        }
        if len(renamed) < len({named.attr.id for named in step.columns}):
            return None
        where = renamed
    if not all(isinstance(column, AttributeReference) for column in columns):
        return None
    return tuple(where[column.id] for column in columns if isinstance(column, AttributeReference))


@_splits(ops.Join)
def _join(operator: ops.Join) -> Node:
    """A full join is a left outer join, and then the rows of the right side that it has not hit."""
    if operator.kind != "full":
        return _rows(operator)
    child, steps = _pipeline(operator.left)
    probe = _probe(operator)
    steps = _numbered((*steps, probe))
    build = steps[-1].build  # type: ignore[union-attr]
    matched = RowsNode(attrs=operator.attrs, child=child, steps=steps, columns=operator.attrs)
    unmatched = UnmatchedNode(attrs=operator.attrs, build=build, width=len(operator.right.attrs))
    return UnionNode(attrs=operator.attrs, tables=(matched, unmatched))


def _builds_left(join: ops.Join) -> bool:
    return join.kind == "right" or (join.kind == "inner" and join.build == "left")


def _probe(join: ops.Join) -> Probe:
    """The probe of a join. The build table has the build side's columns, then the keys that are not among them."""
    if _builds_left(join):
        side, build_keys, keys = join.left, join.left_keys, join.right_keys
    else:
        side, build_keys, keys = join.right, join.right_keys, join.left_keys
    columns: list[Expr] = list(side.attrs)
    columns += [key for key in dict.fromkeys(build_keys) if key not in columns]
    attrs = (*side.attrs, *(_unnamed(key, index) for index, key in enumerate(columns[len(side.attrs) :])))
    child, steps = _pipeline(side)
    table = _rows_of(child, steps, tuple(columns), attrs)
    build = BuildNode(
        attrs=attrs,
        child=table,
        keys=tuple(columns.index(key) for key in build_keys),
        marks=join.kind == "full",
        rows=join.kind not in FILTERING or join.condition is not None,
    )
    kind = {"left": "outer", "right": "outer"}.get(join.kind, join.kind)
    exists = join.attrs[-1] if kind == "existence" else None
    return Probe(kind, keys, build, join.condition, exists)


def _unnamed(expr: Expr, index: int) -> AttributeReference:
    """An attribute for a computed column that only the program knows."""
    return AttributeReference(type=expr.type, nullable=expr.nullable, label="key", id=-2 - index)


@_splits(ops.Aggregate)
def _groups(operator: ops.Aggregate) -> Node:
    child, steps = _pipeline(operator.child)
    return GroupsNode(attrs=operator.attrs, child=child, steps=steps, keys=operator.keys, calls=operator.calls)


@_splits(ops.Sort)
def _sort(operator: ops.Sort) -> Node:
    """Sort keys that are not columns yet are computed beside the columns and dropped after the sort."""
    child, steps = _pipeline(operator.child)
    columns: list[Expr] = list(operator.child.attrs)
    extra: list[AttributeReference] = []
    orders = []
    for key in operator.keys:
        if key.expr not in columns:
            columns.append(key.expr)
            extra.append(_unnamed(key.expr, len(extra)))
        orders.append(Order(columns.index(key.expr), key.descending, key.nulls_first))
    attrs = (*operator.child.attrs, *extra)
    table = _rows_of(child, steps, tuple(columns), attrs)
    node: Node = SortNode(attrs=attrs, child=table, keys=tuple(orders), limit=operator.limit, offset=operator.offset)
    if extra:
        node = SelectNode(attrs=operator.attrs, child=node, columns=tuple(range(len(operator.attrs))))
    return node


@_splits(ops.Limit)
def _limit(operator: ops.Limit) -> Node:
    return LimitNode(attrs=operator.attrs, child=split(operator.child), limit=operator.limit, offset=operator.offset)


@_splits(ops.Union)
def _union(operator: ops.Union) -> Node:
    return UnionNode(attrs=operator.attrs, tables=tuple(split(child) for child in operator.inputs))


@_splits(ops.Model)
def _model(operator: ops.Model) -> Node:
    child, steps = _pipeline(operator.child)
    return ModelNode(attrs=operator.attrs, child=child, steps=steps, columns=operator.child.attrs, model=operator)


@_splits(ops.Grouped)
def _grouped(operator: ops.Grouped) -> Node:
    sides = tuple(map(_side, operator.sides))
    return GroupedNode(attrs=operator.attrs, sides=sides, functions=operator.functions)


def _side(grouping: ops.Grouping) -> Side:
    child, steps = _pipeline(grouping.child)
    keys = [key.expr for key in grouping.keys]
    columns = list(dict.fromkeys((*keys, *grouping.args)))
    attrs = tuple(c if isinstance(c, AttributeReference) else _unnamed(c, n) for n, c in enumerate(columns))
    table = _rows_of(child, steps, tuple(columns), attrs)
    return Side(table, tuple(map(columns.index, keys)), tuple(map(columns.index, grouping.args)))


@_splits(ops.Vectorized)
def _vectorized(operator: ops.Vectorized) -> Node:
    """Arguments that are not columns yet are computed beside the columns that go on."""
    child, steps = _pipeline(operator.child)
    kept = () if operator.functions.makes_rows else operator.child.attrs
    columns: list[Expr] = list(kept)
    extra: list[AttributeReference] = []
    for arg in operator.args:
        if arg not in columns:
            columns.append(arg)
            extra.append(arg if isinstance(arg, AttributeReference) else _unnamed(arg, len(extra)))
    table = _rows_of(child, steps, tuple(columns), (*kept, *extra))
    args = tuple(columns.index(arg) for arg in operator.args)
    attrs = (*kept, *operator.results)
    return VectorizedNode(attrs=attrs, child=table, args=args, kept=len(kept), functions=operator.functions)
