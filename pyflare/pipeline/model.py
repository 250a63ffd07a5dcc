"""The program of a fragment: sources, kernels, and the few operations that need all rows at once.

A node hands a table (batches of columns) to the node above it. Everything between two tables is one kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyflare.plan.expressions import AttributeReference, Expr
from pyflare.plan.operators import AggregateCall, Expand, Filter, Model, Named, Operator, Project
from pyflare.vectorized.functions import Functions


@dataclass(frozen=True, kw_only=True)
class Node:
    """`attrs` names the columns of the node's table, in order."""

    attrs: tuple[AttributeReference, ...]

    @property
    def inputs(self) -> tuple[Node, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class UnaryNode(Node):
    child: Node

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.child,)


@dataclass(frozen=True, kw_only=True)
class BuildNode(UnaryNode):
    """The child's rows grouped by the columns `keys`, for a probe.

    `marks` if it must be known which rows were hit; `rows` unless it only matters whether there are any.
    """

    keys: tuple[int, ...]
    marks: bool
    rows: bool


@dataclass(frozen=True)
class Probe:
    """A join, seen from the rows that stream: find the rows of `build` whose keys equal `keys`.

    `kind` is inner, outer (a row without match goes on, with nulls), full (the same, and hits are marked), semi, anti,
    null-aware anti or existence (`exists` says whether there is a match). `table` numbers the probes of a kernel.
    """

    kind: str
    keys: tuple[Expr, ...]
    build: BuildNode
    condition: Expr | None
    exists: AttributeReference | None
    table: int = 0

    @property
    def name(self) -> str:
        return f"Probe ({self.kind})"


Step = Filter | Project | Expand | Probe


@dataclass(frozen=True, kw_only=True)
class PipelineNode(UnaryNode):
    """A kernel over the child's rows, which go through `steps`."""

    steps: tuple[Step, ...]

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.child, *(step.build for step in self.steps if isinstance(step, Probe)))


@dataclass(frozen=True, kw_only=True)
class UnmatchedNode(Node):
    """The rows of a build node that no probe has hit; they come after nulls for the probe's columns.

    Only the first `width` columns: computed keys come after them.
    """

    build: BuildNode
    width: int

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.build,)


@dataclass(frozen=True, kw_only=True)
class SourceNode(Node):
    """A scan, an input from Spark, a local relation or a range."""

    operator: Operator


@dataclass(frozen=True, kw_only=True)
class SelectNode(UnaryNode):
    """Some of the child's columns, in another order: no row is touched."""

    columns: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RowsNode(PipelineNode):
    """A kernel that writes `columns`."""

    columns: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class GroupsNode(PipelineNode):
    """A kernel that aggregates."""

    keys: tuple[Named, ...]
    calls: tuple[AggregateCall, ...]


@dataclass(frozen=True)
class Order:
    """Sort by a column of the table."""

    column: int
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, kw_only=True)
class SortNode(UnaryNode):
    """A sort, or the `limit` rows after the first `offset` of it."""

    keys: tuple[Order, ...]
    limit: int | None
    offset: int


@dataclass(frozen=True, kw_only=True)
class LimitNode(UnaryNode):
    limit: int | None
    offset: int


@dataclass(frozen=True, kw_only=True)
class UnionNode(Node):
    tables: tuple[Node, ...]

    @property
    def inputs(self) -> tuple[Node, ...]:
        return self.tables


@dataclass(frozen=True, kw_only=True)
class ModelNode(PipelineNode):
    """A kernel that writes `columns` and the arguments into the model's own buffers, then the model.

    The table has the columns followed by the model's result.
    """

    columns: tuple[Expr, ...]
    model: Model


@dataclass(frozen=True)
class Side:
    """A table whose rows belong together if they are equal in the columns `keys`; functions get the columns `args`."""

    table: Node
    keys: tuple[int, ...]
    args: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class GroupedNode(Node):
    """Python functions for each group of rows; where there are two sides, of the rows of both with the same keys.

    The table has the keys followed by the results; or, of functions that make rows of their own, the results only.
    """

    sides: tuple[Side, ...]
    functions: Functions

    @property
    def inputs(self) -> tuple[Node, ...]:
        return tuple(side.table for side in self.sides)

    @property
    def kept(self) -> int:
        """The number of keys that the table has."""
        return 0 if self.functions.makes_rows else len(self.sides[0].keys)


@dataclass(frozen=True, kw_only=True)
class VectorizedNode(UnaryNode):
    """Python functions over the child's columns `args`, batch after batch.

    The table has the child's first `kept` columns followed by the results.
    """

    args: tuple[int, ...]
    kept: int
    functions: Functions
