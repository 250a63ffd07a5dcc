"""Drop sorts whose order nobody sees: Spark sorts for its merge joins and sort aggregations, we hash."""

from __future__ import annotations

from pyflare.plan import operators as ops

_ORDERED_CALLS = ("first", "last")


def drop_sorts(operator: ops.Operator) -> ops.Operator:
    """The operator without needless sorts below it."""
    return _without(operator, matters=True)


def _without(operator: ops.Operator, *, matters: bool) -> ops.Operator:
    """`matters` if the order of the operator's rows can be seen above."""
    if isinstance(operator, ops.Sort) and operator.limit is None and operator.offset == 0 and not matters:
        return _without(operator.child, matters=False)
    below = _matters_below(operator, matters)
    return ops.with_children(operator, tuple(_without(child, matters=below) for child in operator.children))


def _matters_below(operator: ops.Operator, matters: bool) -> bool:
    if isinstance(operator, ops.Limit | ops.Vectorized | ops.Grouped):
        return True
    if isinstance(operator, ops.Aggregate):
        return any(call.function in _ORDERED_CALLS for call in operator.calls)
    if isinstance(operator, ops.Join | ops.Sort):
        return False
    return matters  # a union's rows come one child after the other
