"""Python functions of groups in Spark's plan: what they are called with, and which stay with Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyflare.errors import Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json, attribute
from pyflare.plan.expressions import AttributeReference, Expr
from pyflare.plan.translate import Translation, inside, translates
from pyflare.plan.vectorized import chained, check_function, check_type, functions_of, pickled, refused
from pyflare.vectorized.functions import AGGREGATES, COGROUPED_ARROW, COGROUPED_MAPS, GROUPED_MAPS, WRAPPED, Call

_BY_NAME: Final = "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName"


@translates("ArrowAggregatePythonExec")
def aggregate(translation: Translation, node: Json) -> ops.Operator:
    """Functions that make one value of a group's columns; without keys all rows are a group, if there are any."""
    aggregates = [json["f"] for json in node["f"]["aggExpressions"]]
    udfs = [fields["aggregateFunction"] for fields in aggregates]
    for fields, udf in zip(aggregates, udfs, strict=True):
        if fields["filter"] is not None or fields["isDistinct"]:
            raise refused(udf["f"], "it is called with FILTER or DISTINCT")
    args: list[Expr] = []
    calls = tuple(chained(translation, udf, args) for udf in udfs)
    functions = functions_of(translation, udfs, calls, AGGREGATES)
    keys = tuple(translation.named(json) for json in node["f"]["groupingExpressions"])
    results = tuple(
        attribute({"t": udf["t"], "n": True, "name": udf["f"]["name"], "id": fields["resultId"]})
        for fields, udf in zip(aggregates, udfs, strict=True)
    )
    grouped = ops.Grouped(
        attrs=(*(key.attr for key in keys), *results),
        node=node["i"],
        sides=(ops.Grouping(_child(translation, node, 0, keys), keys, tuple(args)),),
        functions=functions,
        results=results,
    )
    columns = translation.columns(node["f"]["resultExpressions"])
    return ops.Project(attrs=tuple(c.attr for c in columns), node=node["i"], child=grouped, columns=columns)


@translates("FlatMapGroupsInPandasExec", "FlatMapGroupsInArrowExec")
def map_groups(translation: Translation, node: Json) -> ops.Operator:
    """A function that makes rows of each group. The child's columns are the keys, then all columns of the rows."""
    return _map(translation, node, [node["f"]["groupingAttributes"]], GROUPED_MAPS)


@translates("FlatMapCoGroupsInPandasExec", "FlatMapCoGroupsInArrowExec")
def map_cogroups(translation: Translation, node: Json) -> ops.Operator:
    """A function that makes rows of those of two children that have the same keys."""
    return _map(translation, node, [node["f"]["leftGroup"], node["f"]["rightGroup"]], COGROUPED_MAPS)


def _map(
    translation: Translation, node: Json, groupings: Sequence[Sequence[Json]], kinds: tuple[int, ...]
) -> ops.Operator:
    udf = node["f"]["func"]
    check_function(translation, udf["f"])
    sides: list[ops.Grouping] = []
    numbers: list[int] = []
    for index, grouping in enumerate(groupings):
        group = [attribute(json) for json in grouping]
        data = [attribute(json) for json in node["ch"][index]["out"][len(group) :]]
        args, offsets = _offsets(group, data)
        _check_columns(udf["f"], args)
        numbers += offsets
        keys = tuple(ops.Named(key, key) for key in group)
        sides.append(ops.Grouping(_child(translation, node, index, keys), keys, args))
    if len({tuple(key.attr.type for key in side.keys) for side in sides}) > 1:
        raise refused(udf["f"], "the keys of its cogroups have different types")
    call = Call(udf["f"]["name"], (pickled(udf["f"]),), tuple((number, None) for number in numbers))
    functions = functions_of(translation, [udf], (call,), kinds)
    made = tuple(attribute(json) for json in node["out"])
    return ops.Grouped(attrs=made, node=node["i"], sides=tuple(sides), functions=functions, results=made)


@translates("ArrowWindowPythonExec")
def window(_translation: Translation, _node: Json) -> ops.Operator:
    """Stays with Spark."""
    raise Unsupported("Python functions of windows run in Spark's workers", "PythonUDAF")


def _child(translation: Translation, node: Json, index: int, keys: Sequence[ops.Named]) -> ops.Operator:
    """The rows below, without Spark's sort by key: groups are made here, and their rows keep their order."""
    for key in keys:
        if key.expr.type.element is not None:
            raise Unsupported("rows are not grouped by arrays here")
    below = inside(node["ch"][index])
    ids = {key.attr.id for key in keys}
    if below["op"] == "SortExec" and all(_is_one_of(ids, order) for order in below["f"]["sortOrder"]):
        return translation.child(below)
    return translation.child(node, index)


def _is_one_of(ids: set[int], order: Json) -> bool:
    column = order["f"]["child"]
    return column["e"] == "AttributeReference" and column["id"] in ids


def _offsets(
    grouping: Sequence[AttributeReference], data: Sequence[AttributeReference]
) -> tuple[tuple[AttributeReference, ...], list[int]]:
    """The columns that a function gets, and what Spark tells its worker of them (see `Call`).

    Keys that are no columns of the rows come first.
    """
    known = {column.id for column in data}
    columns = (*(key for key in grouping if key.id not in known), *data)
    ids = [column.id for column in columns]
    keys = [ids.index(key.id) for key in grouping]
    values = range(len(columns) - len(data), len(columns))
    return columns, [len(keys) + len(values) + 1, len(keys), *keys, *values]


def _check_columns(fields: Json, columns: Sequence[AttributeReference]) -> None:
    for column in columns:
        check_type(fields, column.type)
    by_name = dict(fields["conf"]["m"]).get(_BY_NAME, "true")
    if by_name != "true" and fields["evalType"] in (*WRAPPED, COGROUPED_ARROW):
        raise refused(fields, f"{_BY_NAME} is {by_name}: nobody checks how many columns it makes")
    names = {column.label for column in columns}
    if len(names) < len(columns) and fields["evalType"] in WRAPPED:
        raise refused(fields, "columns have the same name")
