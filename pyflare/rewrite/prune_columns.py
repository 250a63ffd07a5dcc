"""Drop columns that nobody above reads, before they are kept in join tables."""

from __future__ import annotations

from dataclasses import replace

from pyflare.plan import operators as ops
from pyflare.plan.expressions import references
from pyflare.plan.verify import expressions


def prune_columns(operator: ops.Operator) -> ops.Operator:
    """The operator with projections below its joins."""
    return _pruned(operator, frozenset(attr.id for attr in operator.attrs))


def _pruned(operator: ops.Operator, wanted: frozenset[int]) -> ops.Operator:
    read = frozenset().union(*(references(expr) for expr in expressions(operator)))
    if isinstance(operator, ops.Filter | ops.Join | ops.Sort | ops.Limit | ops.Model | ops.Vectorized):
        read |= wanted
    elif isinstance(operator, ops.Union):
        read = frozenset(attr.id for child in operator.inputs for attr in child.attrs)
    children = [_pruned(child, read & {attr.id for attr in child.attrs}) for child in operator.children]
    if isinstance(operator, ops.Join):
        return _narrow_join(operator, [_only(child, read) for child in children])
    return ops.with_children(operator, tuple(children))


def _only(child: ops.Operator, wanted: frozenset[int]) -> ops.Operator:
    kept = tuple(attr for attr in child.attrs if attr.id in wanted)
    if kept == child.attrs:
        return child
    columns = tuple(ops.Named(attr, attr) for attr in kept)
    return ops.Project(attrs=kept, node=child.node, child=child, columns=columns)


def _narrow_join(join: ops.Join, children: list[ops.Operator]) -> ops.Operator:
    """A join over fewer columns puts out fewer."""
    known = {attr.id for child in children for attr in child.attrs}
    gone = {attr.id for child in join.children for attr in child.attrs} - known
    attrs = tuple(attr for attr in join.attrs if attr.id not in gone)
    return ops.with_children(replace(join, attrs=attrs), tuple(children))
