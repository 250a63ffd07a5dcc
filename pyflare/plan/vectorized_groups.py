"""Python functions of groups in Spark's plan: what they are called with, and which stay with Spark."""

from __future__ import annotations

from collections.abc import Sequence

from pyflare.errors import Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json, attribute
from pyflare.plan.expressions import AttributeReference, Expr
from pyflare.plan.translate import Translation, inside, translates
from pyflare.plan.vectorized import chained, check_function, check_type, functions_of, pickled, refused
from pyflare.vectorized.functions import AGGREGATES, GROUPED_ARROW, GROUPED_ARROW_ITERATOR, GROUPED_MAPS, Call


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
    child = _child(translation, node, keys)
    results = tuple(
        attribute({"t": udf["t"], "n": True, "name": udf["f"]["name"], "id": fields["resultId"]})
        for fields, udf in zip(aggregates, udfs, strict=True)
    )
    grouped = ops.Grouped(
        attrs=(*(key.attr for key in keys), *results),
        node=node["i"],
        child=child,
        keys=keys,
        args=tuple(args),
        functions=functions,
        results=results,
    )
    columns = translation.columns(node["f"]["resultExpressions"])
    return ops.Project(attrs=tuple(c.attr for c in columns), node=node["i"], child=grouped, columns=columns)


@translates("FlatMapGroupsInPandasExec", "FlatMapGroupsInArrowExec")
def map_groups(translation: Translation, node: Json) -> ops.Operator:
    """A function that makes rows of each group. The child's columns are the keys, then all columns of the rows."""
    udf = node["f"]["func"]
    fields = udf["f"]
    check_function(translation, fields)
    grouping = [attribute(json) for json in node["f"]["groupingAttributes"]]
    data = [attribute(json) for json in node["ch"][0]["out"][len(grouping) :]]
    args, arguments = _offsets(grouping, data)
    _check_columns(fields, args)
    call = Call(fields["name"], (pickled(fields),), arguments)
    functions = functions_of(translation, [udf], (call,), GROUPED_MAPS)
    keys = tuple(ops.Named(key, key) for key in grouping)
    child = _child(translation, node, keys)
    made = tuple(attribute(json) for json in node["out"])
    return ops.Grouped(attrs=made, node=node["i"], child=child, keys=keys, args=args, functions=functions, results=made)


@translates("FlatMapCoGroupsInPandasExec", "FlatMapCoGroupsInArrowExec")
def map_cogroups(_translation: Translation, node: Json) -> ops.Operator:
    """Stays with Spark."""
    raise refused(node["f"]["func"]["f"], "functions of cogroups are not supported")


@translates("ArrowWindowPythonExec")
def window(_translation: Translation, _node: Json) -> ops.Operator:
    """Stays with Spark."""
    raise Unsupported("Python functions of windows run in Spark's workers", "PythonUDAF")


def _child(translation: Translation, node: Json, keys: Sequence[ops.Named]) -> ops.Operator:
    """The rows below, without Spark's sort by key: groups are made here, and their rows keep their order."""
    for key in keys:
        if key.expr.type.element is not None:
            raise Unsupported("rows are not grouped by arrays here")
    below = inside(node["ch"][0])
    ids = {key.attr.id for key in keys}
    if below["op"] == "SortExec" and all(_is_one_of(ids, order) for order in below["f"]["sortOrder"]):
        node = {**node, "ch": below["ch"]}
    return translation.child(node)


def _is_one_of(ids: set[int], order: Json) -> bool:
    column = order["f"]["child"]
    return column["e"] == "AttributeReference" and column["id"] in ids


def _offsets(
    grouping: Sequence[AttributeReference], data: Sequence[AttributeReference]
) -> tuple[tuple[AttributeReference, ...], tuple[tuple[int, str | None], ...]]:
    """The columns that a function gets, and what Spark tells its worker of them (see `Call`).

    Keys that are no columns of the rows come first.
    """
    known = {column.id for column in data}
    columns = (*(key for key in grouping if key.id not in known), *data)
    ids = [column.id for column in columns]
    keys = [ids.index(key.id) for key in grouping]
    values = range(len(columns) - len(data), len(columns))
    numbers = (len(keys) + len(values) + 1, len(keys), *keys, *values)
    return columns, tuple((number, None) for number in numbers)


def _check_columns(fields: Json, columns: Sequence[AttributeReference]) -> None:
    for column in columns:
        check_type(fields, column.type)
    names = {column.label for column in columns}
    if len(names) < len(columns) and fields["evalType"] in (GROUPED_ARROW, GROUPED_ARROW_ITERATOR):
        raise refused(fields, "columns have the same name")
