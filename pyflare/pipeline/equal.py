"""Subtrees of programs that compute the same table, though Spark may have given their columns other names and ids."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from pyflare.io.columns import Layout
from pyflare.pipeline.model import (
    BuildNode,
    GroupedNode,
    ModelNode,
    Node,
    PipelineNode,
    SelectNode,
    SourceNode,
    VectorizedNode,
)
from pyflare.plan import expressions as e
from pyflare.plan import operators as ops
from pyflare.types import DataType

Sources = Mapping[int, tuple[int, tuple[Layout, ...]]]
"""By wire node, a number that sources have in common if they hold the same rows, and the layouts of their columns."""


def is_worth_sharing(node: Node) -> bool:
    """Whether computing a node's table takes work, and gives the same each time. Hits are marked for one join only."""
    if isinstance(node, SourceNode | ModelNode | VectorizedNode | GroupedNode):
        return False
    if isinstance(node, BuildNode) and node.marks:
        return False
    return not (isinstance(node, SelectNode) and isinstance(node.child, SourceNode))


def leaves(node: Node, sources: Sources) -> tuple[Hashable, ...]:
    """The sources below a node: those of equal subtrees are the same."""
    if isinstance(node, SourceNode):
        return (_source(node, sources),)
    return tuple(leaf for child in node.inputs for leaf in leaves(child, sources))


def form(node: Node, sources: Sources) -> Hashable | None:
    """Equal for subtrees that differ in the names and ids of attributes only; None if a subtree equals no other."""
    try:
        return _Form(sources).of(node)
    except _UniqueError:
        return None


class _UniqueError(Exception):
    """A subtree that equals no other."""


class _Form:
    """One subtree's form: attributes are numbered in the order in which they are met."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._numbers: dict[int, int] = {}

    def of(self, value: Any) -> Hashable:
        match value:
            case e.AttributeReference():
                return self._numbers.setdefault(value.id, len(self._numbers)), value.type, value.nullable
            case ModelNode() | VectorizedNode() | GroupedNode():
                raise _UniqueError
            case SourceNode():
                return _source(value, self._sources), self.of(value.attrs)
            case PipelineNode():
                return type(value), self.of(value.child), self._steps(value), self._parts(value)
            case DataType():
                return value
            case tuple():
                return tuple(map(self.of, value))
            case float():
                return repr(value)  # tells zeros apart, and NaN equals itself
        if is_dataclass(value):
            return type(value), self._parts(value)
        if not isinstance(value, Hashable):
            raise _UniqueError
        return type(value), value

    def _parts(self, value: Any) -> Hashable:
        return tuple(self.of(getattr(value, name)) for name in _names(value.__class__))

    def _steps(self, node: PipelineNode) -> Hashable:
        """The steps, without leading tests for nulls in columns that have none, and projections to fewer columns."""
        child, full = node.child, set[int]()
        if isinstance(child, SourceNode):
            layouts = zip(child.attrs, self._sources[child.operator.node][1], strict=True)
            full = {attr.id for attr, layout in layouts if not layout.nullable}
        steps: list[Hashable] = []
        for step in node.steps:
            if isinstance(step, ops.Filter):
                tests = (test for test in e.conjuncts(step.condition) if not _is_certain(test, full))
                steps += [self.of(test) for test in tests]
            elif type(step) is not ops.Project or not all(map(_is_same, step.columns)):
                full = set()
                steps.append(self.of(step))
        return tuple(steps)


@cache
def _names(cls: type) -> tuple[str, ...]:
    """The fields that matter: a pipeline's and an operator's input is not among them, for the pipeline knows it."""
    aside = {"child", "steps"} if issubclass(cls, PipelineNode | ops.Operator) else set[str]()
    return tuple(field.name for field in fields(cls) if field.compare and field.name not in aside)


def _source(node: SourceNode, sources: Sources) -> Hashable:
    return sources[node.operator.node][0]


def _is_same(column: ops.Named) -> bool:
    return isinstance(column.expr, e.AttributeReference) and column.expr.id == column.attr.id


def _is_certain(test: e.Expr, full: set[int]) -> bool:
    return isinstance(test, e.IsNotNull) and isinstance(test.child, e.AttributeReference) and test.child.id in full
