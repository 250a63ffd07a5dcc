"""Spark's joins → `Join`: whatever algorithm Spark planned, one operator."""

from __future__ import annotations

from typing import Any

from pyflare.errors import Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json, attribute
from pyflare.plan.translate import Translation, translates

_KINDS = {
    "Inner": "inner",
    "Cross": "inner",
    "LeftOuter": "left",
    "RightOuter": "right",
    "FullOuter": "full",
    "LeftSemi": "semi",
    "LeftAnti": "anti",
}


@translates("BroadcastHashJoinExec", "ShuffledHashJoinExec", "SortMergeJoinExec")
def equi_join(translation: Translation, node: Json) -> ops.Operator:
    """A join on equal keys."""
    fields = node["f"]
    left_keys = translation.decoder.expressions(fields["leftKeys"])
    right_keys = translation.decoder.expressions(fields["rightKeys"])
    for a, b in zip(left_keys, right_keys, strict=True):
        if a.type != b.type:
            raise Unsupported(f"join keys of types {a.type} and {b.type}")
    kind = _kind(fields["joinType"])
    if fields.get("isNullAwareAntiJoin"):
        kind = "null-aware anti"
    return _join(translation, node, kind, left_keys, right_keys)


@translates("BroadcastNestedLoopJoinExec", "CartesianProductExec")
def loop_join(translation: Translation, node: Json) -> ops.Operator:
    """A join without keys: every pair is tried."""
    kind = _kind(node["f"]["joinType"]) if "joinType" in node["f"] else "inner"
    return _join(translation, node, kind, (), ())


def _kind(json: Any) -> str:
    if json["o"] == "ExistenceJoin":
        return "existence"
    kind = _KINDS.get(json["o"])
    if kind is None:
        raise Unsupported(f"join type {json['o']} is not supported")
    return kind


def _join(translation: Translation, node: Json, kind: str, left_keys: Any, right_keys: Any) -> ops.Operator:
    left, right = translation.child(node, 0), translation.child(node, 1)
    condition = node["f"].get("condition")
    attrs = translation.attributes(node)
    if kind == "existence":
        attrs = (*left.attrs, attribute(node["f"]["joinType"]["f"]["exists"]))
    return ops.Join(
        attrs=attrs,
        node=node["i"],
        left=left,
        right=right,
        kind=kind,
        left_keys=left_keys,
        right_keys=right_keys,
        condition=None if condition is None else translation.decoder.expression(condition),
    )
