"""Aggregation in Spark's plan → one `Aggregate`.

Spark plans partial and final aggregation around an exchange, and with a DISTINCT four levels of it. The levels are one
operator here: keys and arguments come from the lowest level, results from the highest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json, attribute
from pyflare.plan.translate import EXCHANGES, TRANSPARENT, Translation, translates
from pyflare.plan.wire import Record
from pyflare.types import DOUBLE, LONG, DataType, sum_type

AGGREGATES = ("HashAggregateExec", "SortAggregateExec", "ObjectHashAggregateExec")
_BETWEEN = EXCHANGES | TRANSPARENT | {"SortExec"}


@translates(*AGGREGATES)
def aggregate(translation: Translation, node: Json) -> ops.Operator:
    """The whole aggregation whose highest level is `node`."""
    levels = _levels(node)
    lowest = levels[-1]
    if _modes(node) & {"Partial", "PartialMerge"}:
        raise Unsupported("a partial aggregation without its final one")
    child = translation.child(_without_local_sort(lowest))
    keys = tuple(translation.named(json) for json in lowest["f"]["groupingExpressions"])
    wanted = [attribute(json).id for json in node["f"]["groupingExpressions"]]
    grouping = tuple(key for key in keys if key.attr.id in wanted)
    if len(grouping) != len(wanted):
        raise Unsupported("grouping keys that do not match between partial and final aggregation")
    arguments = {call["f"]["resultId"]: call for call in lowest["f"]["aggregateExpressions"]}
    results = [attribute(json) for json in node["f"]["aggregateAttributes"]]
    asked = zip(node["f"]["aggregateExpressions"], results, strict=True)
    calls = tuple(_call(translation, json, result, arguments) for json, result in asked)
    if any(call.distinct for call in calls):
        result = _distinct(node, child, grouping, calls, tuple(key for key in keys if key.attr.id not in wanted))
    else:
        result = _aggregate(node, child, grouping, calls)
    columns = translation.columns(node["f"]["resultExpressions"])
    return ops.Project(attrs=tuple(c.attr for c in columns), node=node["i"], child=result, columns=columns)


def _without_local_sort(node: Json) -> Json:
    """A sort aggregation sorts its input by key within each partition: hashing does without."""
    child = node["ch"][0]
    if child["op"] == "SortExec" and not child["f"]["global"]:
        return {**node, "ch": child["ch"]}
    return node


def _aggregate(
    node: Json, child: ops.Operator, keys: tuple[ops.Named, ...], calls: tuple[ops.AggregateCall, ...]
) -> ops.Aggregate:
    attrs = (*(key.attr for key in keys), *(call.attr for call in calls))
    return ops.Aggregate(attrs=attrs, node=node["i"], child=child, keys=keys, calls=calls)


def _levels(node: Json) -> list[Json]:
    """The levels of an aggregation, highest first."""
    levels = [node]
    while not _is_lowest(levels):
        below = levels[-1]["ch"][0]
        while below["op"] in _BETWEEN and below["ch"]:
            below = below["ch"][0]
        if below["op"] not in AGGREGATES:
            break
        levels.append(below)
    if not _is_lowest(levels) and _modes(node):
        raise Unsupported("a final aggregation without its partial one")
    return levels


def _is_lowest(levels: list[Json]) -> bool:
    """Whether the last level updates from rows. Of levels with keys only, the partial one is the lowest."""
    node = levels[-1]
    modes = _modes(node)
    if modes == {"Complete"}:
        return True
    if modes:
        return modes == {"Partial"} and not any(call["f"]["isDistinct"] for call in node["f"]["aggregateExpressions"])
    if len(levels) == 1:
        return False
    return node["f"]["requiredChildDistributionExpressions"] is None


def _modes(node: Json) -> set[str]:
    return {call["f"]["mode"]["o"] for call in node["f"]["aggregateExpressions"]}


# Calls ----------------------------------------------------------------------------------------------------------------


def _call(
    translation: Translation, json: Json, result: e.AttributeReference, arguments: dict[int, Json]
) -> ops.AggregateCall:
    """A call of the highest level; its arguments and filter are those of the lowest, which saw the rows."""
    seen = arguments.get(json["f"]["resultId"], json)
    function = seen["f"]["aggregateFunction"]
    decode = _FUNCTIONS.get(function["e"])
    if decode is None:
        raise Unsupported("this aggregate function is not supported", function["e"])
    name, args, options = decode(translation, function["f"])
    where = seen["f"]["filter"]
    condition = None if where is None else translation.decoder.expression(where)
    return ops.AggregateCall(name, args, result, condition, bool(json["f"]["isDistinct"]), options)


Decoded = tuple[str, tuple[e.Expr, ...], tuple[tuple[str, Any], ...]]


def _mode(translation: Translation, fields: Json) -> tuple[tuple[str, Any], ...]:
    """The evaluation mode: `Sum` carries a context, `Average` the mode itself."""
    mode = translation.decoder.value(fields.get("evalContext", fields.get("evalMode")))
    mode = mode["evalMode"] if isinstance(mode, Record) else mode
    return (("mode", mode),)


def _count(translation: Translation, fields: Json) -> Decoded:
    """Arguments that are never null do not matter to a count."""
    args = tuple(arg for arg in translation.decoder.expressions(fields["children"]) if arg.nullable)
    return "count", args, ()


def _arithmetic(name: str) -> Callable[[Translation, Json], Decoded]:
    def decode(translation: Translation, fields: Json) -> Decoded:
        return name, (translation.decoder.expression(fields["child"]),), _mode(translation, fields)

    return decode


def _plain(name: str, *options: str) -> Callable[[Translation, Json], Decoded]:
    def decode(translation: Translation, fields: Json) -> Decoded:
        values = tuple((option, translation.decoder.value(fields[option])) for option in options)
        return name, (translation.decoder.expression(fields["child"]),), values

    return decode


_FUNCTIONS: dict[str, Callable[[Translation, Json], Decoded]] = {
    "Count": _count,
    "Sum": _arithmetic("sum"),
    "Average": _arithmetic("avg"),
    "Min": _plain("min"),
    "Max": _plain("max"),
    "First": _plain("first", "ignoreNulls"),
    "Last": _plain("last", "ignoreNulls"),
    "VariancePop": _plain("var_pop", "nullOnDivideByZero"),
    "VarianceSamp": _plain("var_samp", "nullOnDivideByZero"),
    "StddevPop": _plain("stddev_pop", "nullOnDivideByZero"),
    "StddevSamp": _plain("stddev_samp", "nullOnDivideByZero"),
}


# DISTINCT -------------------------------------------------------------------------------------------------------------

_WHOLES = {"sum": "sum", "min": "min", "max": "max", "first": "first", "last": "last", "count": "total", "avg": "mean"}


def _distinct(
    node: Json,
    child: ops.Operator,
    keys: tuple[ops.Named, ...],
    calls: tuple[ops.AggregateCall, ...],
    distinct_columns: tuple[ops.Named, ...],
) -> ops.Operator:
    """First one group for each key and distinct value, then the aggregates over those groups."""
    inner_calls: list[ops.AggregateCall] = []
    outer_calls: list[ops.AggregateCall] = []
    for index, call in enumerate(calls):
        if call.distinct:
            outer_calls.append(replace(call, distinct=False))
            continue
        parts = _parts(call, index)
        inner_calls += parts
        args = tuple(part.attr for part in parts)
        outer_calls.append(replace(call, function=_WHOLES[call.function], args=args, filter=None))
    inner = _aggregate(node, child, (*keys, *distinct_columns), tuple(inner_calls))
    outer_keys = tuple(ops.Named(key.attr, key.attr) for key in keys)
    return _aggregate(node, inner, outer_keys, tuple(outer_calls))


def _parts(call: ops.AggregateCall, index: int) -> list[ops.AggregateCall]:
    """What has to be known of each distinct group, so that the whole can be put together from it."""
    if call.function not in _WHOLES:
        raise Unsupported(f"{call.function} beside a DISTINCT aggregate is not supported")
    if call.function in ("first", "last") and call.filter is not None:
        raise Unsupported(f"{call.function} with a FILTER beside a DISTINCT aggregate is not supported")
    if call.function != "avg":
        return [replace(call, attr=_part(call.attr.type, -100 - 2 * index))]
    type_, (arg,) = sum_type(call.args[0].type), call.args
    if not arg.type.is_decimal:
        arg = e.Cast(type=DOUBLE, nullable=arg.nullable, child=arg, dataType=DOUBLE, timeZoneId=None, evalMode="LEGACY")
    total = replace(call, function="sum", args=(arg,), attr=_part(type_, -100 - 2 * index))
    return [total, replace(call, function="count", attr=_part(LONG, -101 - 2 * index), options=())]


def _part(type_: DataType, number: int) -> e.AttributeReference:
    return e.AttributeReference(type=type_, nullable=True, label="part", id=number)
