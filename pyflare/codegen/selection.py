"""Filters that run ahead of the rest of a kernel: over blocks of rows and without branches.

A branch that the processor cannot foresee costs more than a dozen comparisons, and LLVM turns a loop of comparisons
alone into vector code. So the leading conjuncts of a filter, where they are simple, fill a block of flags; the rows
that pass are listed, again without a branch; and the rest of the kernel runs over that list (the selection vectors of
Boncz, Zukowski and Nes: MonetDB/X100, CIDR 2005). Where nearly all rows pass, a foreseeable branch is cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import takewhile
from math import prod
from typing import Final

import numpy as np

from pyflare.codegen.kernel import Kernel, emits
from pyflare.codegen.values import Value, buffer
from pyflare.codegen.writer import INDENT
from pyflare.io.columns import Encoding, Layout
from pyflare.pipeline.model import Step
from pyflare.plan import expressions as e
from pyflare.plan import operators as ops
from pyflare.plan.expressions import conjuncts, references
from pyflare.types import BOOLEAN, Kind

_BLOCK: Final = 1024  # rows; their flags and numbers stay in the fastest cache
_NEARLY_ALL: Final = 0.9
_COMPARISONS: Final = (e.EqualTo, e.LessThan, e.LessThanOrEqual, e.GreaterThan, e.GreaterThanOrEqual)
_TEXT_TESTS: Final = (e.EqualTo, e.StartsWith, e.EndsWith, e.Contains, e.Like)
_HALF: Final = 0.5
_FEW: Final = 8  # candidates that are compared one by one
_NUMBERS: Final = (Kind.INT, Kind.WIDE, Kind.BOOL, Kind.F32, Kind.F64)

Layouts = Mapping[int, Layout]
Members = Callable[[Sequence[Step], float], Sequence[e.Expr]]
"""The joins that are worth asking ahead, by the steps that are left and the share of the rows that reach them."""


@dataclass(frozen=True)
class Stage:
    """The statements that compute whether row `i` passes."""

    lines: list[str]
    passes: str


@dataclass(frozen=True)
class Selection:
    """Stages, each for the rows that have passed those before it, and the names of the loops around them."""

    stages: tuple[Stage, ...]
    names: tuple[str, ...]

    def loops(self, row: Sequence[str]) -> list[str]:
        """The loops over all rows, one level deep; `row` are the statements for a selected row, three levels deep."""
        flags, selected, start, end, count, at, kept = self.names
        first, *others = self.stages
        lines = [
            f"for {start} in range(lo, hi, uint64({_BLOCK})):",
            f"{INDENT}{end} = hi if hi - {start} < uint64({_BLOCK}) else {start} + uint64({_BLOCK})",
            f"{INDENT}for i in range({start}, {end}):",
            *(INDENT * 2 + text for text in first.lines),
            f"{INDENT * 2}{flags}[i - {start}] = uint8({first.passes})",
            f"{INDENT}{count} = uint64(0)",
            f"{INDENT}for {at} in range(uint64(0), {end} - {start}):",
            f"{INDENT * 2}{selected}[{count}] = uint16({at})",
            f"{INDENT * 2}{count} += uint64({flags}[{at}])",
        ]
        each = [
            f"{INDENT}for {at} in range(uint64(0), {count}):",
            f"{INDENT * 2}i = {start} + uint64({selected}[{at}])",
        ]
        for stage in others:
            lines += [
                f"{INDENT}{kept} = uint64(0)",
                *each,
                *(INDENT * 2 + text for text in stage.lines),
                f"{INDENT * 2}{selected}[{kept}] = {selected}[{at}]",
                f"{INDENT * 2}{kept} += uint64({stage.passes})",
                f"{INDENT}{count} = {kept}",
            ]
        return [*(INDENT + text for text in [*lines, *each]), *row]


def select_rows(kernel: Kernel, steps: Sequence[Step], layouts: Layouts, members: Members) -> Sequence[Step]:
    """Let the kernel run ahead what it can of a leading filter and of the joins after it.

    Returns the steps that are left; joins are among them, for the rows that they find.
    """
    tests, rest = _ahead(steps, layouts)
    stages = _stages(kernel, [tests] if tests else [])
    left = rest if stages else steps
    share = prod(_share(test, layouts) for test in tests) if stages else 1.0
    stages += _stages(kernel, [[test] for test in members(left, share)])
    if not stages:
        return steps
    flags = kernel.param("flags", "flags", buffer("uint8"), lambda _frame: np.empty(_BLOCK, np.uint8))
    selected = kernel.param("selected", "selected", buffer("uint16"), lambda _frame: np.empty(_BLOCK + 1, np.uint16))
    names = (kernel.writer.fresh(name) for name in ("start", "end", "count", "at", "kept"))
    kernel.selection = Selection(tuple(stages), (flags, selected, *names))
    kernel.writer.depth += 1
    return left


def _ahead(steps: Sequence[Step], layouts: Layouts) -> tuple[list[e.Expr], Sequence[Step]]:
    """The tests of a leading filter that are worth running ahead, and the steps that are left then."""
    if not steps or not isinstance(steps[0], ops.Filter):
        return [], steps
    found = conjuncts(steps[0].condition)
    ahead = _leading(found, layouts)
    if not ahead or prod(_share(test, layouts) for test in ahead) > _NEARLY_ALL:
        return [], steps
    tests = [_narrowed(test, layouts) for test in ahead if not _is_certain(test, layouts)]
    rest = found[len(ahead) :]
    if not rest:
        return tests, steps[1:]
    condition = reduce(lambda left, right: e.And(type=BOOLEAN, nullable=True, left=left, right=right), rest)
    return tests, [replace(steps[0], condition=condition), *steps[1:]]


def _stages(kernel: Kernel, stages: Sequence[Sequence[e.Expr]]) -> list[Stage]:
    """The stages with code, up to the first that could fail."""
    written: list[Stage] = []
    for tests in stages:
        values: list[Value] = []

        def write(tests: Sequence[e.Expr] = tests, values: list[Value] = values) -> Value:
            values.extend(kernel.emit(test) for test in tests)
            return values[-1]

        depth, kernel.writer.depth = kernel.writer.depth, 0
        branch = kernel.branch(write)
        kernel.writer.depth = depth
        if branch.can_fail:
            break
        written.append(Stage(branch.lines, " & ".join(value.code for value in values)))
    return written


def _leading(tests: Sequence[e.Expr], layouts: Layouts) -> list[e.Expr]:
    """The tests before the first that is not simple, since that one may have to see a row to fail."""
    return list(takewhile(lambda test: is_simple(test, layouts), tests))


def _is_certain(test: e.Expr, layouts: Layouts) -> bool:
    """Whether it is known beforehand that every row passes."""
    return isinstance(test, e.IsNotNull) and not layouts[min(references(test.child))].nullable


def is_simple(test: e.Expr, layouts: Layouts) -> bool:
    """Whether a test of the source's columns is a few instructions without a branch."""
    if not references(test) <= layouts.keys():
        return False
    simple = partial(is_simple, layouts=layouts)
    match test:
        case e.And() | e.Or():
            return simple(test.left) and simple(test.right)
        case e.Not():
            return simple(test.child)
        case e.IsNotNull() | e.IsNull():
            return isinstance(test.child, e.AttributeReference)
        case e.In():
            is_known = _is_coded(test.value, layouts) or (_is_number(test.value, layouts) and len(test.list) <= _FEW)
            return is_known and all(isinstance(item, e.Literal) for item in test.list)
    if isinstance(test, _TEXT_TESTS) and _is_coded(test.left, layouts):
        return isinstance(test.right, e.Literal)
    return isinstance(test, _COMPARISONS) and _is_number(test.left, layouts) and _is_number(test.right, layouts)


def _is_coded(expr: e.Expr, layouts: Layouts) -> bool:
    return isinstance(expr, e.AttributeReference) and layouts[expr.id].encoding is Encoding.CODES


def _is_number(expr: e.Expr, layouts: Layouts) -> bool:
    if isinstance(expr, e.AttributeReference):
        return expr.type.kind in _NUMBERS and layouts[expr.id].width == 1
    return isinstance(expr, e.Literal) and expr.type.kind in _NUMBERS


# Narrow comparisons ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Narrow(e.Literal):
    """A literal in a packed column's type, so that vector code compares as many values at once as there can be."""

    storage: str


@emits(_Narrow)
def _narrow(kernel: Kernel, expr: _Narrow) -> Value:
    value = np.dtype(expr.storage).type(expr.value)
    name = kernel.constant(value, "literal", expr.storage)
    return Value(expr.type, Kind.INT, f"int64({name})", None, expr.value, expr.value)


def _narrowed(test: e.Expr, layouts: Layouts) -> e.Expr:
    """A simple test with the literals that columns are compared with in the columns' types."""
    match test:
        case e.And() | e.Or():
            return replace(test, left=_narrowed(test.left, layouts), right=_narrowed(test.right, layouts))
        case e.Not():
            return replace(test, child=_narrowed(test.child, layouts))
        case e.In(value=e.AttributeReference() as column):
            return replace(test, list=tuple(_narrow_literal(item, column, layouts) for item in test.list))
        case e.Binary(left=e.AttributeReference() as column):
            return replace(test, right=_narrow_literal(test.right, column, layouts))
        case e.Binary(right=e.AttributeReference() as column):
            return replace(test, left=_narrow_literal(test.left, column, layouts))
    return test


def _narrow_literal(expr: e.Expr, column: e.AttributeReference, layouts: Layouts) -> e.Expr:
    """The literal, or what compares like it with every value between the column's bounds."""
    layout = layouts[column.id]
    if not isinstance(expr, e.Literal) or expr.value is None or expr.type.scale != column.type.scale:
        return expr
    if layout.low is None or layout.high is None or layout.width != 1:
        return expr
    limits = np.iinfo(layout.storage)
    if layout.low - 1 < limits.min or layout.high + 1 > limits.max:
        return expr
    value = min(max(expr.value, layout.low - 1), layout.high + 1)
    return _Narrow(type=expr.type, nullable=False, value=value, storage=layout.storage.name)


# How many rows pass ---------------------------------------------------------------------------------------------------


def _share(test: e.Expr, layouts: Layouts) -> float:
    """A guess at the share of rows that pass a simple test: values lie evenly between their bounds."""
    share = partial(_share, layouts=layouts)
    match test:
        case e.And():
            return share(test.left) * share(test.right)
        case e.Or():
            return min(1.0, share(test.left) + share(test.right))
        case e.Not():
            return 1.0 - share(test.child)
        case e.IsNotNull():
            return 1.0
        case e.LessThan() | e.LessThanOrEqual():
            return _share_below(_bounds(test.left, layouts), _bounds(test.right, layouts))
        case e.GreaterThan() | e.GreaterThanOrEqual():
            return _share_below(_bounds(test.right, layouts), _bounds(test.left, layouts))
    return _HALF


def _share_below(a: tuple[int, int] | None, b: tuple[int, int] | None) -> float:
    """The share of `a < b`, where one of the two is a constant."""
    if a is None or b is None:
        return _HALF
    if b[0] == b[1]:
        return _clipped((b[0] - a[0]) / (a[1] - a[0] + 1))
    if a[0] == a[1]:
        return _clipped((b[1] - a[0]) / (b[1] - b[0] + 1))
    return _HALF


def _clipped(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _bounds(expr: e.Expr, layouts: Layouts) -> tuple[int, int] | None:
    if isinstance(expr, e.Literal) and isinstance(expr.value, int):
        return expr.value, expr.value
    layout = layouts[expr.id] if isinstance(expr, e.AttributeReference) else None
    if layout is None or layout.low is None or layout.high is None:
        return None
    return layout.low, layout.high
