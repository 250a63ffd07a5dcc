"""What a scan's filters say about single columns, for pruning files and row groups by their statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyflare.errors import Unsupported
from pyflare.io.parquet import Prune
from pyflare.plan import expressions as e
from pyflare.plan.decode import Decoder, Json
from pyflare.types import DOUBLE, Kind

_OPERATORS = {
    "EqualTo": "=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "StartsWith": "startswith",
}
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARISONS = (
    e.EqualTo, e.EqualNullSafe, e.LessThan, e.LessThanOrEqual, e.GreaterThan, e.GreaterThanOrEqual,
)  # fmt: skip
_HARMLESS = (
    *(e.AttributeReference, e.Literal, e.And, e.Or, e.Not, e.IsNull, e.IsNotNull, e.In),
    *(*_COMPARISONS, e.StartsWith, e.EndsWith, e.Contains, e.Like, e.Substring, e.Length),
)
"""What raises no error, whatever the row."""
_RUNTIME_FILTERS = ("DynamicPruningExpression", "BloomFilterMightContain")


def prunes(decoder: Decoder, filters: Sequence[Json], attrs: Sequence[e.AttributeReference]) -> Iterator[Prune]:
    """The usable conjuncts before the first that might fail: that one may have to see each row, also for Spark."""
    positions = {attr.id: index for index, attr in enumerate(attrs)}
    for json in filters:
        if _mentions_subquery(json):
            if not _is_harmless_with_subquery(json):
                return
            continue
        try:
            condition = decoder.expression(json)
        except Unsupported:
            return
        for conjunct in e.conjuncts(condition):
            if not _is_harmless(conjunct):
                return
            yield from _of(conjunct, positions)


def chooses_by_subquery(json: Json) -> bool:
    """Whether a partition filter waits for a subquery's value. Spark has no other filter for that, as joins have."""
    return json["e"] != "DynamicPruningExpression" and _mentions_subquery(json)


def _mentions_subquery(json: Any) -> bool:
    if isinstance(json, dict):
        return json.get("e") in ("ScalarSubquery", "DynamicPruningExpression") or any(
            map(_mentions_subquery, json.values())
        )
    return isinstance(json, list) and any(map(_mentions_subquery, json))


def _is_harmless_with_subquery(json: Json) -> bool:
    """A runtime filter, or the comparison of a column with a subquery's value."""
    if json["e"] in _RUNTIME_FILTERS:
        return True
    operands = [operand["e"] for operand in json["f"].values() if isinstance(operand, dict) and "e" in operand]
    compares = json["e"] in {comparison.__name__ for comparison in _COMPARISONS}
    return compares and set(operands) <= {"AttributeReference", "ScalarSubquery"}


def _is_harmless(expr: e.Expr) -> bool:
    if isinstance(expr, e.Cast):
        return _cannot_fail(expr) and _is_harmless(expr.child)
    return isinstance(expr, _HARMLESS) and all(map(_is_harmless, expr.children))


def _cannot_fail(cast: e.Cast) -> bool:
    """Whether a cast fits every number."""
    source, target = cast.child.type, cast.dataType
    to_double = target == DOUBLE and source.kind in (Kind.INT, Kind.WIDE, Kind.F32, Kind.F64)
    widens = source.is_integral and target.is_integral and source.storage.itemsize <= target.storage.itemsize
    return to_double or widens


def _of(expr: e.Expr, positions: dict[int, int]) -> Iterator[Prune]:
    if isinstance(expr, e.IsNotNull | e.IsNull) and (column := _column(expr.child, positions)) is not None:
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
