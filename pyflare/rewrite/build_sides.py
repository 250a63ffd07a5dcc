"""Choose the side of each inner join that becomes a hash table: the smaller one, by the rows that the files hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pyflare.plan import expressions as e
from pyflare.plan import operators as ops

SELECTIVITY: Final[Mapping[type[e.Expr], float]] = {
    e.EqualTo: 0.05,
    e.In: 0.1,
    e.StartsWith: 0.1,
    e.Contains: 0.1,
    e.IsNotNull: 1.0,
}
OTHER_SELECTIVITY: Final = 0.4
UNKNOWN: Final = 1e9


def choose_build_sides(operator: ops.Operator, rows: Mapping[int, int]) -> ops.Operator:
    """The operator with the build side of its inner joins set; `rows` counts the rows of scans by their wire node."""
    children = tuple(choose_build_sides(child, rows) for child in operator.children)
    operator = ops.with_children(operator, children)
    if isinstance(operator, ops.Join) and operator.kind == "inner":
        smaller = "left" if estimate(operator.left, rows) < estimate(operator.right, rows) else "right"
        return replace(operator, build=smaller)
    return operator


def estimate(operator: ops.Operator, rows: Mapping[int, int]) -> float:
    """A guess at the number of rows that an operator puts out."""
    match operator:
        case ops.Filter():
            return estimate(operator.child, rows) * _selectivity(operator.condition)
        case ops.Aggregate():
            return estimate(operator.child, rows) * 0.3 if operator.keys else 1.0
        case ops.Sort() | ops.Limit() if operator.limit is not None:
            return min(float(operator.limit), estimate(operator.child, rows))
        case ops.Join():
            return _of_join(operator, rows)
        case ops.Values():
            return float(len(operator.rows))
        case ops.Range():
            return float(len(range(operator.start, operator.end, operator.step)))
    if operator.children:
        return sum(estimate(child, rows) for child in operator.children)
    return float(rows.get(operator.node, UNKNOWN))


def _of_join(join: ops.Join, rows: Mapping[int, int]) -> float:
    """A join on a key keeps of the larger side what the smaller side keeps of its own key's table."""
    left, right = estimate(join.left, rows), estimate(join.right, rows)
    if join.kind in ("semi", "anti", "null-aware anti"):
        return left * 0.5
    if not join.left_keys:
        return left * right
    if join.kind != "inner":
        return max(left, right)
    kept = min(_share(join.left, rows), 1.0) * min(_share(join.right, rows), 1.0)
    return max(1.0, max(_unfiltered(join.left, rows), _unfiltered(join.right, rows)) * kept)


def _unfiltered(operator: ops.Operator, rows: Mapping[int, int]) -> float:
    """The rows of an operator's largest leaf."""
    if not operator.children:
        return estimate(operator, rows)
    return max(_unfiltered(child, rows) for child in operator.children)


def _share(operator: ops.Operator, rows: Mapping[int, int]) -> float:
    return estimate(operator, rows) / max(_unfiltered(operator, rows), 1.0)


def _selectivity(condition: e.Expr) -> float:
    if isinstance(condition, e.And):
        return _selectivity(condition.left) * _selectivity(condition.right)
    if isinstance(condition, e.Or):
        return min(1.0, _selectivity(condition.left) + _selectivity(condition.right))
    if isinstance(condition, e.Not):
        return 1.0 - 0.5 * _selectivity(condition.child)
    return SELECTIVITY.get(type(condition), OTHER_SELECTIVITY)
