"""What a scan's filters say about single columns, for pruning files and row groups by their statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyflare.errors import Unsupported
from pyflare.io.parquet import Prune
from pyflare.plan import expressions as e
from pyflare.plan.decode import Decoder, Json

_OPERATORS = {
    "EqualTo": "=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "StartsWith": "startswith",
}
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def prunes(decoder: Decoder, filters: Sequence[Json], attrs: Sequence[e.AttributeReference]) -> Iterator[Prune]:
    """The usable conjuncts; one that is not understood prunes nothing."""
    positions = {attr.id: index for index, attr in enumerate(attrs)}
    for json in filters:
        if _mentions_subquery(json):
            continue
        try:
            condition = decoder.expression(json)
        except Unsupported:
            continue
        yield from _of(condition, positions)


def _mentions_subquery(json: Any) -> bool:
    if isinstance(json, dict):
        return json.get("e") in ("ScalarSubquery", "DynamicPruningExpression") or any(
            map(_mentions_subquery, json.values())
        )
    return isinstance(json, list) and any(map(_mentions_subquery, json))


def _of(expr: e.Expr, positions: dict[int, int]) -> Iterator[Prune]:
    if isinstance(expr, e.And):
        yield from _of(expr.left, positions)
        yield from _of(expr.right, positions)
    elif isinstance(expr, e.IsNotNull | e.IsNull) and (column := _column(expr.child, positions)) is not None:
        yield Prune(column, "is null" if isinstance(expr, e.IsNull) else "is not null")
    elif isinstance(expr, e.In) and (column := _column(expr.value, positions)) is not None:
        if all(isinstance(item, e.Literal) for item in expr.list):
            yield Prune(
                column, "in", tuple(i.value for i in expr.list if isinstance(i, e.Literal) and i.value is not None)
            )
    elif isinstance(expr, e.Binary) and expr.name in _OPERATORS:
        yield from _comparison(expr, positions)


def _comparison(expr: e.Binary, positions: dict[int, int]) -> Iterator[Prune]:
    operator, column, literal = _OPERATORS[expr.name], expr.left, expr.right
    if isinstance(column, e.Literal) and operator in _MIRRORED:
        operator, column, literal = _MIRRORED[operator], literal, column
    position = _column(column, positions)
    if position is None or not isinstance(literal, e.Literal) or literal.value is None or literal.type != column.type:
        return
    yield Prune(position, operator, literal.value)


def _column(expr: e.Expr, positions: dict[int, int]) -> int | None:
    return positions.get(expr.id) if isinstance(expr, e.AttributeReference) else None
