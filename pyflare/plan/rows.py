"""Spark's operators that move, filter, order and cut off rows, as IR."""

from __future__ import annotations

from typing import Any

from pyflare.errors import Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json
from pyflare.plan.runtime_filters import without_runtime_filters
from pyflare.plan.translate import LIMITS, Translation, cuts_partitions, translates


@translates("ShuffleExchangeExec", "CoalesceExec", "BroadcastExchangeExec")
def exchange(translation: Translation, node: Json) -> ops.Operator:
    """Within one process there is nothing to exchange."""
    return translation.child(node)


@translates("FilterExec")
def filter_(translation: Translation, node: Json) -> ops.Operator:
    child = translation.child(node)
    json = without_runtime_filters(node["f"]["condition"])
    if json is None:
        return child
    condition = translation.decoder.expression(json)
    return ops.Filter(attrs=child.attrs, node=node["i"], child=child, condition=condition)


@translates("ProjectExec")
def project(translation: Translation, node: Json) -> ops.Operator:
    child = translation.child(node)
    columns = translation.columns(node["f"]["projectList"])
    return ops.Project(attrs=tuple(c.attr for c in columns), node=node["i"], child=child, columns=columns)


@translates("ExpandExec")
def expand(translation: Translation, node: Json) -> ops.Operator:
    child = translation.child(node)
    projections = tuple(translation.decoder.expressions(row) for row in node["f"]["projections"])
    return ops.Expand(attrs=translation.attributes(node), node=node["i"], child=child, projections=projections)


@translates("UnionExec")
def union(translation: Translation, node: Json) -> ops.Operator:
    children = tuple(translation.child(node, index) for index in range(len(node["ch"])))
    return ops.Union(attrs=translation.attributes(node), node=node["i"], inputs=children)


# Order and limits -----------------------------------------------------------------------------------------------------


def _sort_keys(translation: Translation, json: Any) -> tuple[ops.SortKey, ...]:
    return tuple(
        ops.SortKey(
            translation.decoder.expression(order["f"]["child"]),
            order["f"]["direction"]["o"] == "Descending",
            order["f"]["nullOrdering"]["o"] == "NullsFirst",
        )
        for order in json
    )


@translates("SortExec")
def sort(translation: Translation, node: Json) -> ops.Operator:
    """All rows are one partition here, so sorting each partition is sorting all."""
    child = translation.child(node)
    keys = _sort_keys(translation, node["f"]["sortOrder"])
    return ops.Sort(attrs=child.attrs, node=node["i"], child=child, keys=keys)


@translates("TakeOrderedAndProjectExec")
def top_k(translation: Translation, node: Json) -> ops.Operator:
    child = translation.child(node)
    fields = node["f"]
    offset = max(fields["offset"], 0)
    keys = _sort_keys(translation, fields["sortOrder"])
    limit = max(fields["limit"] - offset, 0)
    best = ops.Sort(attrs=child.attrs, node=node["i"], child=child, keys=keys, limit=limit, offset=offset)
    columns = translation.columns(fields["projectList"])
    return ops.Project(attrs=tuple(c.attr for c in columns), node=node["i"], child=best, columns=columns)


@translates(*LIMITS)
def limit(translation: Translation, node: Json) -> ops.Operator:
    """`limit` counts the rows before `offset` is taken off; -1 is no limit."""
    child = translation.child(node)
    offset = max(node["f"].get("offset", 0), 0)
    count = node["f"]["limit"]
    if cuts_partitions(node):
        raise Unsupported("its first rows are those of the first partitions (SORT BY, sortWithinPartitions)")
    if node["op"] == "LocalLimitExec":
        return child
    rows = None if count < 0 else max(count - offset, 0)
    return ops.Limit(attrs=child.attrs, node=node["i"], child=child, limit=rows, offset=offset)
