"""Joins whose tables are asked ahead of the rest of a kernel: is there a row with this key?

A dense join table then has a byte for each key, a quarter of what it takes to find the rows. Where half of the rows
find none, blocks of rows that ask without a branch take half the time of rows that branch one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from pyflare.codegen.joins import JoinSpec, member_table
from pyflare.codegen.kernel import Kernel, emits
from pyflare.codegen.selection import Layouts, is_simple
from pyflare.codegen.values import Value
from pyflare.pipeline.model import BuildNode, LimitNode, Node, PipelineNode, Probe, SortNode, Step
from pyflare.pipeline.restrict import DROPPING, restriction
from pyflare.plan import expressions as e
from pyflare.plan import operators as ops
from pyflare.types import BOOLEAN

_KEYS_A_ROW: Final = 0.5  # with fewer rows for a key, its byte costs as much as it saves


@dataclass(frozen=True, kw_only=True)
class Member(e.Expr):
    """Whether the dense join table number `table`, of `span` keys from `low`, has a row with the key."""

    key: e.AttributeReference
    table: int
    low: int
    span: int


@emits(Member)
def _member(kernel: Kernel, expr: Member) -> Value:
    """What lies outside of the table has its last entry; so may a null, whose number is any."""
    members = member_table(kernel, expr.table)
    key = kernel.emit(expr.key)
    group = kernel.let("group", f"{key.code} - int64({expr.low})")
    low, high = (None, None) if key.ok is not None else (key.low, key.high)
    if low is None or high is None or low < expr.low or high >= expr.low + expr.span:
        inside = f"(int64(0) <= {group}) & ({group} < int64({expr.span}))"
        group = kernel.let("group", f"{group} if {inside} else int64({expr.span})")
    found = f"{members}[uint64({group})] != 0"
    return kernel.boolean(found if key.ok is None else f"({found}) & {key.ok}", None, "found")


def members(
    kernel: Kernel, node: PipelineNode, layouts: Layouts, rows: int, steps: Sequence[Step], share: float
) -> list[e.Expr]:
    """Tests that only rows pass which find a match in each of the probes that come first in `steps`.

    A `share` of the source's `rows` is asked for.
    """

    def is_harmless(named: ops.Named) -> bool:
        of_the_source = e.references(named.expr) <= layouts.keys()
        return named.is_rename or (of_the_source and not kernel.could_fail(partial(kernel.emit, named.expr)))

    tests: list[e.Expr] = []
    for probe in _first_probes(steps, partial(is_simple, layouts=layouts), is_harmless):
        spec, columns = kernel.joined[probe.table].spec, restriction(node, probe).columns
        if not isinstance(spec, JoinSpec) or not spec.dense or len(columns) != 1 or columns[0] is None:
            continue
        key = node.child.attrs[columns[0]]
        pays = spec.span <= _KEYS_A_ROW * rows * share and _is_reduced(probe.build)
        if pays and layouts[key.id].width == 1:
            tests.append(Member(type=BOOLEAN, nullable=False, key=key, table=probe.table, low=spec.low, span=spec.span))
    return tests


def _first_probes(
    steps: Sequence[Step], is_simple_test: Callable[[e.Expr], bool], is_harmless: Callable[[ops.Named], bool]
) -> Iterator[Probe]:
    """Probes that drop rows, up to the first step that may have to see each row to fail."""
    for step in steps:
        if isinstance(step, ops.Filter):
            if not all(map(is_simple_test, e.conjuncts(step.condition))):
                return
        elif isinstance(step, Probe):
            if not all(isinstance(key, e.AttributeReference) for key in step.keys):
                return
            if step.kind in DROPPING:
                yield step
            if step.condition is not None:
                return
        elif type(step) is not ops.Project or not all(map(is_harmless, step.columns)):
            return


def _is_reduced(node: Node) -> bool:
    """Whether it looks as if a table lacks rows that the other side of a join asks for."""
    if isinstance(node, LimitNode) or (isinstance(node, SortNode) and node.limit is not None):
        return True
    if isinstance(node, PipelineNode) and any(map(_reduces, node.steps)):
        return True
    return any(_is_reduced(child) for child in node.inputs if not isinstance(child, BuildNode))


def _reduces(step: Step) -> bool:
    if isinstance(step, ops.Filter):
        return any(not isinstance(test, e.IsNotNull) for test in e.conjuncts(step.condition))
    return isinstance(step, Probe) and step.kind in DROPPING and _is_reduced(step.build)
