"""Wire plan → IR: the choice of the subtrees that PyFlare takes. A function for each Spark operator registers here.

An operator is taken if it is known, its expressions have code, and its children are taken too; a child that is not
becomes an `Input`, whose rows Spark produces. What a node could not be taken for is kept as a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pyflare.config import Config
from pyflare.errors import NotCompiled, PlanError, PyFlareError, Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import operators as ops
from pyflare.plan.arrays import IDLE_ARRAYS, has_idle_arrays
from pyflare.plan.decode import Decoder, Json, attribute
from pyflare.plan.structs import Structs
from pyflare.plan.wire import column_type, wire_type
from pyflare.types import DataType

Translator = Callable[["Translation", Json], ops.Operator]
TRANSLATORS: dict[str, Translator] = {}

EXCHANGES = frozenset({"ShuffleExchangeExec", "BroadcastExchangeExec"})
LIMITS = ("CollectLimitExec", "GlobalLimitExec", "LocalLimitExec")
TRANSPARENT = frozenset(
    {
        "AdaptiveSparkPlanExec",
        "WholeStageCodegenExec",
        "InputAdapter",
        "SubqueryExec",
        "ReusedSubqueryExec",
        "ColumnarToRowExec",
    }
)
LAYOUT_EXPRESSIONS = frozenset(
    {"Rand", "Randn", "RandStr", "Uuid", "Shuffle", "MonotonicallyIncreasingID", "SparkPartitionID", "InputFileName"}
    | {"InputFileBlockStart", "InputFileBlockLength"}
)
_IN_WORKERS = frozenset(
    {"ArrowAggregatePythonExec", "FlatMapGroupsInPandasExec", "FlatMapGroupsInArrowExec", "ArrowWindowPythonExec"}
)
_SHUFFLED = ("ShuffleQueryStageExec", "AQEShuffleReadExec")  # what adaptive execution has run already
_STREAMING_JOINS = ("BroadcastHashJoinExec", "ShuffledHashJoinExec", "BroadcastNestedLoopJoinExec")
_HEAVY = (ops.Aggregate, ops.Sort, ops.Model, ops.Join, ops.Evaluate, ops.Grouped)


def translates(*names: str) -> Callable[[Translator], Translator]:
    """Register the translator of operator classes."""

    def register(function: Translator) -> Translator:
        for name in names:
            TRANSLATORS[name] = function
        return function

    return register


@dataclass(frozen=True)
class Reason:
    """Why a node stays with Spark."""

    node: int
    op: str
    reason: str


@dataclass(frozen=True)
class Subtree:
    """A subtree that PyFlare takes.

    `inputs` are the nodes that Spark computes for it, `outputs` the names and types of what it gives to Spark.
    """

    node: int
    operator: ops.Operator
    inputs: tuple[int, ...]
    ordered: bool
    single: bool
    outputs: tuple[tuple[str, DataType], ...]


@dataclass(frozen=True)
class Surroundings:
    """What Spark's operators above a cut expect of it: `refuse` names the reason why no cut is possible here.

    `layout` is True where an operator above gives other rows when its input is partitioned or ordered in another way.
    """

    root: bool = True
    single: bool = False
    ordered: bool = False
    refuse: str | None = None
    layout: bool = False


@dataclass
class Translation:
    """The translation of one wire document. `check` raises `Unsupported` where an operator has no code."""

    document: Json
    check: Callable[[ops.Operator], None]
    config: Config
    reasons: list[Reason] = field(default_factory=list)
    subtrees: list[Subtree] = field(default_factory=list)
    subqueries: list[ops.Operator] = field(default_factory=list)
    error: str | None = None

    def __post_init__(self) -> None:
        self.structs = Structs()
        self.decoder = Decoder(self._subquery)
        self.conf: Mapping[str, str] = self.document["conf"]

    # Choice -----------------------------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Fill `subtrees` and `reasons`."""
        self._accept(self.document["plan"], Surroundings())

    def _accept(self, node: Json, around: Surroundings) -> None:
        node = inside(node)
        operator = None if node["op"] in EXCHANGES else self.lower(node)
        if operator is not None and not isinstance(operator, ops.Input):
            refusal = self._refusal(operator, around)
            if refusal is None and around.root and not _is_ordered(operator) and _order_is_implied(node):
                refusal = "Spark may rely on the order in which its join puts these rows out"
                around = replace(around, refuse=refusal)
            if refusal is None and not around.single and is_repartitioned(node):
                refusal = "the query says how its rows are to be partitioned"
            if refusal is None:
                inputs = tuple(found.node for found in _inputs(operator))
                outputs = self.structs.outputs(node["out"])
                ordered = _is_ordered(operator)
                self.subtrees.append(Subtree(node["i"], operator, inputs, ordered, around.single, outputs))
                for child in (_find(node, number) for number in inputs):
                    self._accept_below(child, Surroundings(root=False))
                return
            self.refuse(node, refusal)
        self._accept_below(node, around)

    def _accept_below(self, node: Json, around: Surroundings) -> None:
        for index, child in enumerate(node["ch"]):
            self._accept(child, _below(node, index, around))

    def _refusal(self, operator: ops.Operator, around: Surroundings) -> str | None:
        """A reason not to take a subtree that could be taken."""
        if around.refuse is not None:
            return around.refuse
        if around.layout:
            return "an operator above depends on how these rows are partitioned"
        if around.ordered and not _is_ordered(operator):
            return "Spark's operator above relies on the order of these rows"
        nodes = list(_walk(operator))
        light = not any(isinstance(n, _HEAVY) for n in nodes)
        calls = any(isinstance(n, ops.Vectorized) for n in nodes)
        if has_idle_arrays(nodes):
            return IDLE_ARRAYS
        if light and any(isinstance(n, ops.Input) for n in nodes):
            return "handing Spark's rows over would cost more than it saves"
        if light and not calls and not around.root:
            return "handing its rows back to Spark would cost more than it saves"
        if all(isinstance(n, ops.Values | ops.Project | ops.Limit) for n in nodes):
            return "there is nothing to speed up in a local relation"
        return self._too_large(nodes)

    def _too_large(self, nodes: list[ops.Operator]) -> str | None:
        master = str(self.document.get("master", "local"))
        size = sum(f.size for n in nodes if isinstance(n, ops.Scan) for f in n.spec.files)
        if master.startswith("local") or size <= self.config.query_max_bytes:
            return None
        return f"the plan scans {size} bytes, more than spark.pyflare.query.maxBytes on the master {master}"

    def refuse(self, node: Json, reason: str) -> None:
        """Keep the reason why a node stays with Spark, once."""
        entry = Reason(node["i"], node["op"], reason)
        if entry not in self.reasons:
            self.reasons.append(entry)

    # Operators --------------------------------------------------------------------------------------------------------

    def lower(self, node: Json) -> ops.Operator:
        """The IR of a subtree; an `Input` where it stays with Spark."""
        node = inside(node)
        try:
            translator = TRANSLATORS.get(node["op"])
            if translator is None:
                raise Unsupported("this operator is not supported")
            operator = translator(self, node)
            self.check(operator)
            return operator
        except PyFlareError as error:
            if isinstance(error, NotCompiled):
                self.error = error.reason
            self.refuse(node, str(error))
        except KeyError as error:
            self.refuse(node, f"its wire form has no {error}")
        return ops.Input(attrs=self._attributes_or_none(node), node=node["i"])

    def child(self, node: Json, index: int = 0) -> ops.Operator:
        """The IR of a child; raises `Unsupported` if its rows could not even be handed over."""
        operator = self.lower(node["ch"][index])
        if isinstance(operator, ops.Input) and not operator.attrs and node["ch"][index]["out"]:
            raise Unsupported("its input has columns of types that are not supported")
        return operator

    def attributes(self, node: Json) -> tuple[e.AttributeReference, ...]:
        """A node's output, with the fields of structs as columns."""
        return self.structs.all(node["out"])

    def _attributes_or_none(self, node: Json) -> tuple[e.AttributeReference, ...]:
        """What Spark can hand over of a node: no structs."""
        try:
            return tuple(attribute(json) for json in node["out"])
        except Unsupported:
            return ()

    def named(self, json: Json) -> ops.Named:
        """A named expression: an attribute or an alias."""
        if json["e"] == "AttributeReference":
            attr = attribute(json)
            return ops.Named(attr, attr)
        if json["e"] != "Alias":
            raise Unsupported("a column without a name", json["e"])
        fields = json["f"]
        attr = e.AttributeReference(
            type=column_type(json["t"]), nullable=json["n"], label=fields["name"], id=fields["exprId"]
        )
        return ops.Named(attr, self.decoder.expression(fields["child"]))

    def columns(self, json: Any) -> tuple[ops.Named, ...]:
        """Named expressions; a struct as its fields."""
        return tuple(named for item in json for named in self.structs.named(item) or (self.named(item),))

    def _subquery(self, json: Json) -> e.Expr:
        """The value of a scalar subquery, or a field of the struct that a merged one, or a model, gives."""
        column: int = 0
        scalar = json
        if json["e"] == "GetStructField":
            column, scalar = json["f"]["ordinal"], json["f"]["child"]
            fields = self.structs.known(scalar)
            if fields is not None:
                return fields[column]
            if scalar["e"] != "ScalarSubquery":
                raise Unsupported("only a subquery's struct has fields here", "GetStructField")
        operator = self.lower(_with_columns(scalar["f"]["plan"]))
        if any(isinstance(n, ops.Input) for n in _walk(operator)):
            raise Unsupported("a subquery in it stays with Spark", "ScalarSubquery")
        if has_idle_arrays(_walk(operator)):
            raise Unsupported(IDLE_ARRAYS, "ScalarSubquery")
        if operator not in self.subqueries:
            self.subqueries.append(operator)
        index = self.subqueries.index(operator)
        return e.Subquery(type=wire_type(json["t"]), nullable=True, index=index, column=column)


def _with_columns(plan: Json) -> Json:
    """A subquery's plan with a column for each field, where Spark has merged several subqueries into one struct."""
    plan = inside(plan)
    for name in ("projectList", "resultExpressions"):
        named = plan["f"].get(name, ())
        if len(named) == 1 and named[0]["e"] == "Alias" and named[0]["f"]["child"]["e"] == "CreateNamedStruct":
            values = named[0]["f"]["child"]["f"]["children"][1::2]
            columns = [_alias(value, number) for number, value in enumerate(values)]
            return {**plan, "f": {**plan["f"], name: columns}}
    return plan


def _alias(value: Json, number: int) -> Json:
    """A field as a column, with an id that no attribute has."""
    fields = {"child": value, "name": f"field{number}", "exprId": -1000 - number}
    return {"e": "Alias", "t": value["t"], "n": value["n"], "f": fields}


def inside(node: Json) -> Json:
    """The operator in wrappers that mean nothing here."""
    while node["op"] in TRANSPARENT:
        node = node["ch"][0] if node["ch"] else node["f"]["child"]
    return node


def cuts_partitions(node: Json) -> bool:
    """Whether a node is a limit over rows that are sorted in each partition, but not as a whole."""
    if node["op"] not in LIMITS:
        return False
    while node["op"] in ("ProjectExec", "FilterExec", *LIMITS, *EXCHANGES):
        node = inside(node["ch"][0])
    return bool(node["op"] == "SortExec" and not node["f"]["global"])


def is_repartitioned(node: Json) -> bool:
    """Whether the user has said how the rows that a node sorts, filters or projects are to be partitioned."""
    sorts_partitions = False
    while node["op"] in ("ProjectExec", "FilterExec", "SortExec"):
        sorts_partitions = sorts_partitions or (node["op"] == "SortExec" and not node["f"]["global"])
        node = inside(node["ch"][0])
    if node["op"] in _SHUFFLED:
        return sorts_partitions
    by_exchange = node["op"] in EXCHANGES and node["f"].get("shuffleOrigin", {}).get("o") != "ENSURE_REQUIREMENTS"
    return by_exchange or bool(node["op"] == "CoalesceExec")


def _find(node: Json, number: int) -> Json:
    found = next((n for n in _wire_walk(node) if n["i"] == number), None)
    if found is None:
        raise PlanError(f"the plan has no node {number}")
    return found


def _wire_walk(node: Json) -> Iterator[Json]:
    yield node
    for child in node["ch"]:
        yield from _wire_walk(child)


def _walk(operator: ops.Operator) -> Iterator[ops.Operator]:
    yield operator
    for child in operator.children:
        yield from _walk(child)


def _inputs(operator: ops.Operator) -> list[ops.Input]:
    return [n for n in _walk(operator) if isinstance(n, ops.Input)]


def _is_ordered(operator: ops.Operator) -> bool:
    while isinstance(operator, ops.Project | ops.Filter | ops.Limit):
        operator = operator.child
    return isinstance(operator, ops.Sort)


def _below(parent: Json, index: int, around: Surroundings) -> Surroundings:
    """What is expected of a child of a node that stays with Spark."""
    layout = around.layout or _depends_on_layout(parent) or cuts_partitions(parent)
    if parent["op"] in EXCHANGES:
        return Surroundings(root=False, layout=layout)
    wanted = parent.get("dist", [])
    distribution = wanted[index] if index < len(wanted) else "UnspecifiedDistribution"
    needs = distribution not in ("UnspecifiedDistribution", "BroadcastDistribution")
    refuse = around.refuse
    if needs and len(parent["ch"]) > 1:
        refuse = "its rows must stay partitioned as Spark's join above expects"
    if distribution == "ClusteredDistribution" and parent["op"] in _IN_WORKERS:
        refuse = "Spark's Python workers each take some partitions of these rows"  # one worker would get what we give
    ordered = around.ordered or bool(parent.get("ord"))
    return Surroundings(False, around.single or needs, ordered, refuse, layout)


def _depends_on_layout(node: Json) -> bool:
    """Whether an operator's rows depend on the partition, or the place in it, that its input's rows are in."""
    return node["op"] == "SampleExec" or any(name in LAYOUT_EXPRESSIONS for name in _expression_names(node["f"]))


def _expression_names(json: Any) -> Iterator[str]:
    """The class names of the expressions in a wire value, plans left aside."""
    if isinstance(json, Mapping) and "op" not in json:
        if "e" in json:
            yield json["e"]
        for value in json.values():
            yield from _expression_names(value)
    elif isinstance(json, list):
        for value in json:
            yield from _expression_names(value)


def _order_is_implied(node: Json) -> bool:
    """Whether Spark may have dropped a sort because an operator below delivers its order already."""
    while node["op"] in ("ProjectExec", "FilterExec", *LIMITS):
        node = node["ch"][0]
    if node["op"] in _STREAMING_JOINS:
        below = [inside(child) for child in node["ch"]]
        return any(map(_sorts_all, _wire_walk(node))) or any(map(_order_is_implied, below))
    by_keys = node["op"] == "SortAggregateExec" and bool(node["f"]["groupingExpressions"])
    return (by_keys or node["op"] == "SortMergeJoinExec") and any(map(_is_single, _wire_walk(node)))


def _sorts_all(node: Json) -> bool:
    return node["op"] == "TakeOrderedAndProjectExec" or (node["op"] == "SortExec" and bool(node["f"]["global"]))


def _is_single(node: Json) -> bool:
    """Whether a node brings all rows into one partition."""
    partitioning = node["f"].get("outputPartitioning", {}) if node["op"] == "ShuffleExchangeExec" else {}
    return partitioning.get("o") == "SinglePartition" or partitioning.get("f", {}).get("numPartitions") == 1
