"""The IR: relational operators over attributes. One frozen class each; `attrs` is what the operator puts out.

Exchanges are gone, partial and final aggregation are one, names are ids: an operator means the same whatever Spark's
physical plan around it looked like.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pyflare.io.parquet import ScanSpec
from pyflare.plan.expressions import AttributeReference, Expr
from pyflare.vectorized.functions import Functions


@dataclass(frozen=True)
class Named:
    """An expression and the attribute that carries its value upwards."""

    attr: AttributeReference
    expr: Expr

    @property
    def is_rename(self) -> bool:
        return isinstance(self.expr, AttributeReference)


@dataclass(frozen=True)
class AggregateCall:
    """One aggregate of an `Aggregate`: a primitive function (`codegen/aggregates.py`) over its arguments.

    `filter` restricts the rows that count. The result is `attr`.
    """

    function: str
    args: tuple[Expr, ...]
    attr: AttributeReference
    filter: Expr | None = None
    distinct: bool = False
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class SortKey:
    expr: Expr
    descending: bool = False
    nulls_first: bool = True


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What all operators share: their output and the wire node they came from."""

    attrs: tuple[AttributeReference, ...]
    node: int = field(default=-1, compare=False)

    @property
    def children(self) -> tuple[Operator, ...]:
        return ()

    @property
    def name(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, kw_only=True)
class UnaryOperator(Operator):
    child: Operator

    @property
    def children(self) -> tuple[Operator, ...]:
        return (self.child,)


@dataclass(frozen=True, kw_only=True)
class Scan(Operator):
    """Parquet files; `spec.columns` are `attrs`, in order."""

    spec: ScanSpec
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Input(Operator):
    """Rows that Spark produces and hands over as Arrow."""


@dataclass(frozen=True, kw_only=True)
class Values(Operator):
    """A local relation: rows of kernel-form values."""

    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Range(Operator):
    """`start`, `start + step`, … up to but without `end`."""

    start: int
    end: int
    step: int


@dataclass(frozen=True, kw_only=True)
class Filter(UnaryOperator):
    condition: Expr


@dataclass(frozen=True, kw_only=True)
class Project(UnaryOperator):
    columns: tuple[Named, ...]


@dataclass(frozen=True, kw_only=True)
class Evaluate(Project):
    """A projection that computes its columns for each row, whether they are read or not: Python functions may raise."""


@dataclass(frozen=True, kw_only=True)
class Expand(UnaryOperator):
    """Each input row once for each projection."""

    projections: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Aggregate(UnaryOperator):
    """`attrs` are the keys' attributes followed by the calls'."""

    keys: tuple[Named, ...]
    calls: tuple[AggregateCall, ...]


@dataclass(frozen=True, kw_only=True)
class Sort(UnaryOperator):
    """A full sort, or the first `limit` rows after `offset` of it."""

    keys: tuple[SortKey, ...]
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class Limit(UnaryOperator):
    limit: int | None
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class Union(Operator):
    """All rows of all inputs; column k of the output is column k of each input."""

    inputs: tuple[Operator, ...]

    @property
    def children(self) -> tuple[Operator, ...]:
        return self.inputs


@dataclass(frozen=True, kw_only=True)
class Join(Operator):
    """Rows of `left` with the matching rows of `right`: equal keys, and `condition`, if any, true.

    `kind` is inner, left, right, full, semi, anti, null-aware anti or existence. An existence join adds a boolean to
    `left`.
    """

    left: Operator
    right: Operator
    kind: str
    left_keys: tuple[Expr, ...]
    right_keys: tuple[Expr, ...]
    condition: Expr | None = None
    build: str = "right"  # the side of an inner join that becomes a hash table

    @property
    def children(self) -> tuple[Operator, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, kw_only=True)
class Model(UnaryOperator):
    """A TensorFlow model over `args`; `attrs` are the child's followed by the model's results."""

    args: tuple[Expr, ...]
    step: Any


@dataclass(frozen=True, kw_only=True)
class Vectorized(UnaryOperator):
    """Python functions of whole columns over `args`.

    `attrs` are the child's followed by the results; or, of functions that make rows of their own, the results only.
    """

    args: tuple[Expr, ...]
    functions: Functions
    results: tuple[AttributeReference, ...]


@dataclass(frozen=True)
class Grouping:
    """The rows of a child by their keys, and what functions get of them."""

    child: Operator
    keys: tuple[Named, ...]
    args: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Grouped(Operator):
    """Python functions over the rows of each group; of two children, over the rows of both that have the same keys.

    Groups come in the order of their keys, rows in that of the child. `attrs` are the keys' followed by the results;
    or, of functions that make rows of their own, the results only.
    """

    sides: tuple[Grouping, ...]
    functions: Functions
    results: tuple[AttributeReference, ...]

    @property
    def children(self) -> tuple[Operator, ...]:
        return tuple(side.child for side in self.sides)

    @property
    def args(self) -> tuple[Expr, ...]:
        """What the functions get of all sides."""
        return tuple(arg for side in self.sides for arg in side.args)


def with_children(operator: Operator, children: tuple[Operator, ...]) -> Operator:
    """The same operator over other inputs."""
    if isinstance(operator, Join):
        return replace(operator, left=children[0], right=children[1])
    if isinstance(operator, Union):
        return replace(operator, inputs=children)
    if isinstance(operator, Grouped):
        sides = (replace(side, child=child) for side, child in zip(operator.sides, children, strict=True))
        return replace(operator, sides=tuple(sides))
    if isinstance(operator, UnaryOperator):
        return replace(operator, child=children[0])
    return operator
