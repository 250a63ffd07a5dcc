"""Program → kernels: the source of each kernel of a program, for the layouts that its sources have.

Reads like an interpreter: each step of a pipeline is written inside the one before it, the sink innermost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pyflare.codegen import expressions as _register  # noqa: F401  (registers the generators)
from pyflare.codegen.aggregates import UNKNOWN_ROWS
from pyflare.codegen.columns import bind_columns
from pyflare.codegen.groups import GroupsSpec, emit_groups
from pyflare.codegen.joins import MULTIPLYING, JoinSpec, emit_probe, join_spec
from pyflare.codegen.kernel import Kernel
from pyflare.codegen.load import KernelSource, assemble
from pyflare.codegen.members import members
from pyflare.codegen.selection import select_rows
from pyflare.codegen.sinks import ModelSpec, RowsSpec, emit_model, emit_rows
from pyflare.errors import PlanError, Unsupported
from pyflare.io.columns import Encoding, Layout, plain_layouts, view_layouts
from pyflare.pipeline.model import (
    BuildNode,
    GroupedNode,
    GroupsNode,
    LimitNode,
    ModelNode,
    Node,
    PipelineNode,
    Probe,
    RowsNode,
    SelectNode,
    SortNode,
    SourceNode,
    Step,
    UnionNode,
    UnmatchedNode,
    VectorizedNode,
)
from pyflare.pipeline.restrict import DROPPING, Restriction, restriction
from pyflare.plan import expressions as e
from pyflare.plan import operators as ops
from pyflare.plan.expressions import conjuncts, references
from pyflare.types import DataType


@dataclass(frozen=True)
class TableShape:
    """What is known of a table before it exists: its columns' layouts, and at most how many rows it has."""

    layouts: tuple[Layout, ...]
    rows: int


@dataclass(frozen=True)
class Generated:
    """A program node with its inputs, its table's shape and, where it is a kernel, the source and what surrounds it.

    `used` are the columns that are read: by the kernel, of its first input; of a join table, by the kernel that probes.
    `restrictions` say which rows of the first input the kernel drops whatever is in them; with `can_fail` it may find
    that a row needs Spark. A shared table is kept, since several others need it.
    """

    node: Node
    inputs: tuple[Generated, ...]
    shape: TableShape
    source: KernelSource | None = None
    spec: RowsSpec | GroupsSpec | ModelSpec | JoinSpec | None = None
    used: tuple[int, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    can_fail: bool = False
    is_shared: bool = False


Shapes = Mapping[int, TableShape]


def generate(node: Node, shapes: Shapes, conf: Mapping[str, str]) -> Generated:
    """Generate a program. `shapes` holds the sources' shapes by their operator's wire node.

    Raises `Unsupported` where an expression, type or option has no exact code.
    """
    return _unpacked(_generate(node, shapes, conf))


def _generate(node: Node, shapes: Shapes, conf: Mapping[str, str]) -> Generated:
    inputs = tuple(_generate(child, shapes, conf) for child in node.inputs)
    if not _reads_packed(node):
        inputs = tuple(map(_unpacked, inputs))
    generator = _GENERATORS.get(type(node))
    if generator is None:
        raise PlanError(f"no generator for {type(node).__name__}")
    return generator(node, inputs, shapes, conf)


def _reads_packed(node: Node) -> bool:
    """Whether a node takes packed columns: kernels do, and what only hands them on to kernels."""
    return isinstance(node, PipelineNode | SelectNode) or (isinstance(node, BuildNode) and not node.marks)


def _unpacked(program: Generated) -> Generated:
    """A program whose table has no packed columns."""
    return replace(program, shape=replace(program.shape, layouts=plain_layouts(program.shape.layouts)))


def _source(node: SourceNode, inputs: tuple[Generated, ...], shapes: Shapes, _conf: Mapping[str, str]) -> Generated:
    return Generated(node, inputs, shapes[node.operator.node])


def _select(node: SelectNode, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]) -> Generated:
    shape = inputs[0].shape
    layouts = tuple(shape.layouts[index] for index in node.columns)
    return Generated(node, inputs, replace(shape, layouts=layouts))


def _same_shape(node: Node, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]) -> Generated:
    return Generated(node, inputs, inputs[0].shape)


def _sort(node: SortNode, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]) -> Generated:
    shape = inputs[0].shape
    return Generated(node, inputs, replace(shape, layouts=view_layouts(shape.layouts)))


def _union(node: UnionNode, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]) -> Generated:
    columns = zip(*(child.shape.layouts for child in inputs), strict=True)
    return Generated(node, inputs, TableShape(tuple(map(_merged, columns)), sum(child.shape.rows for child in inputs)))


def _merged(layouts: Sequence[Layout]) -> Layout:
    """A layout that all batches of a union can be brought to."""
    first = layouts[0]
    if any(layout.type != first.type for layout in layouts):
        raise Unsupported(f"union of {', '.join(str(layout.type) for layout in layouts)}", "UnionExec")
    encoding = Encoding.VIEWS if first.type.is_stringlike else Encoding.PLAIN
    lows, highs = [layout.low for layout in layouts], [layout.high for layout in layouts]
    low = None if None in lows else min(v for v in lows if v is not None)
    high = None if None in highs else max(v for v in highs if v is not None)
    return Layout(first.type, encoding, any(layout.nullable for layout in layouts), low, high)


def _model(node: ModelNode, inputs: tuple[Generated, ...], _shapes: Shapes, conf: Mapping[str, str]) -> Generated:
    kernel, rows = _kernel(node, inputs, conf)
    spec: list[ModelSpec] = []
    _write(
        kernel, node, inputs, lambda: spec.append(emit_model(kernel, node.columns, node.model.args, node.model.step))
    )
    written = tuple(column.layout for column in spec[-1].rows.columns[: spec[-1].width])
    results = [Layout(attr.type, nullable=spec[-1].nullable) for attr in node.attrs[len(written) :]]
    shape = TableShape((*written, *results), rows)
    return _generated(node, inputs, shape, kernel, spec[-1])


def _rows(node: RowsNode, inputs: tuple[Generated, ...], _shapes: Shapes, conf: Mapping[str, str]) -> Generated:
    kernel, rows = _kernel(node, inputs, conf)
    spec: list[RowsSpec] = []
    _write(kernel, node, inputs, lambda: spec.append(emit_rows(kernel, node.columns)))
    shape = TableShape(tuple(column.layout for column in spec[-1].columns), rows)
    return _generated(node, inputs, shape, kernel, spec[-1])


def _groups(node: GroupsNode, inputs: tuple[Generated, ...], _shapes: Shapes, conf: Mapping[str, str]) -> Generated:
    kernel, rows = _kernel(node, inputs, conf)
    spec: list[GroupsSpec] = []
    _write(kernel, node, inputs, lambda: spec.append(emit_groups(kernel, node.keys, node.calls, rows)))
    groups = spec[-1]
    layouts = (*(key.layout for key in groups.keys), *(acc.layout for acc in groups.accumulators))
    shape = TableShape(tuple(layouts), rows if node.keys else 1)
    return _generated(node, inputs, shape, kernel, groups)


def _kernel(node: PipelineNode, inputs: tuple[Generated, ...], conf: Mapping[str, str]) -> tuple[Kernel, int]:
    """A kernel that reads the first input and probes the others, and at most how many rows reach its sink."""
    kernel = Kernel(dict(conf))
    kernel.writer.depth = 2
    kernel.joined = inputs[1:]
    bind_columns(kernel, [(attr.id, attr.label) for attr in node.child.attrs], inputs[0].shape.layouts)
    rows = inputs[0].shape.rows
    for step in node.steps:
        if isinstance(step, ops.Expand):
            rows *= len(step.projections)
        elif isinstance(step, Probe) and step.kind in MULTIPLYING:
            rows *= max(inputs[1 + step.table].shape.rows, 1)
        else:
            continue
        kernel.multiplies = True
    return kernel, min(rows, UNKNOWN_ROWS)


def _generated(
    node: PipelineNode,
    inputs: tuple[Generated, ...],
    shape: TableShape,
    kernel: Kernel,
    spec: RowsSpec | GroupsSpec | ModelSpec,
) -> Generated:
    """The finished kernel; its join tables know which of their columns it reads."""
    builds = (_as_used(build, kernel, table) for table, build in enumerate(inputs[1:]))
    source = assemble(kernel, _title(node))
    restrictions = tuple(restriction(node, probe) for probe in kernel.dropping)
    used, can_fail = kernel.used_columns(), kernel.can_fail or isinstance(node, ModelNode)
    return Generated(node, (inputs[0], *builds), shape, source, spec, used, restrictions, can_fail)


def _as_used(build: Generated, kernel: Kernel, table: int) -> Generated:
    assert isinstance(build.spec, JoinSpec)
    spec = replace(build.spec, members=("join", table, "members") in kernel.params)
    return replace(build, used=kernel.used_columns(table), spec=spec)


def _title(node: PipelineNode) -> str:
    source = node.child.operator.name if isinstance(node.child, SourceNode) else "table"
    sink = {RowsNode: "Rows", GroupsNode: "Aggregate", ModelNode: "Model"}[type(node)]
    return " → ".join([source, *(step.name for step in node.steps), sink])


def _write(kernel: Kernel, node: PipelineNode, inputs: tuple[Generated, ...], sink: Callable[[], None]) -> None:
    """Write all steps and the sink."""
    layouts = {attr.id: layout for attr, layout in zip(node.child.attrs, inputs[0].shape.layouts, strict=True)}
    ask = partial(members, kernel, node, layouts, inputs[0].shape.rows)
    _consume(kernel, select_rows(kernel, node.steps, layouts, ask), sink)


def _consume(kernel: Kernel, steps: Sequence[Step], sink: Callable[[], None]) -> None:
    """Write `steps` one inside the other, and the sink in the middle."""
    if not steps:
        with kernel.emitting():
            sink()
        return
    rest = partial(_consume, kernel, steps[1:], sink)
    kernel.writer.comment(steps[0].name)
    _STEPS[type(steps[0])](kernel, steps[0], rest)


def _filter(kernel: Kernel, step: ops.Filter, rest: Callable[[], None]) -> None:
    _nested_conditions(kernel, conjuncts(step.condition), rest)


def _nested_conditions(kernel: Kernel, conditions: Sequence[e.Expr], rest: Callable[[], None]) -> None:
    """One `if` inside the other. Tests of columns that are at hand already join the `if` before them."""
    if not conditions:
        rest()
        return
    loaded, tests = references(conditions[0]), [kernel.emit(conditions[0]).code]
    others = list(conditions[1:])
    while others and references(others[0]) <= loaded:
        branch = kernel.branch(partial(kernel.emit, others[0]))
        if not branch.is_cheap:
            break
        kernel.splice(branch)
        tests.append(branch.value.code)
        others.pop(0)
    tests = [test for test in tests if test != "True"]
    if not tests:
        _nested_conditions(kernel, others, rest)
        return
    with kernel.block(f"if {' & '.join(tests)}"):
        _nested_conditions(kernel, others, rest)


def _project(kernel: Kernel, step: ops.Project, rest: Callable[[], None]) -> None:
    """Columns are computed where they are first used, but for those that may fail.

    Spark may compute these for rows that a join drops, or that a CASE or a FILTER does not ask. A row that fails sends
    the query to Spark, which knows.
    """
    for named in step.columns:
        if not named.is_rename and kernel.could_fail(partial(kernel.emit, named.expr)):
            kernel.emit(named.expr)
    for named in step.columns:
        if not named.is_rename or named.attr.id != named.expr.id:  # type: ignore[attr-defined]
            kernel.bind(named.attr.id, partial(kernel.emit, named.expr))
    rest()


def _evaluate(kernel: Kernel, step: ops.Evaluate, rest: Callable[[], None]) -> None:
    """Columns are computed here, in their order."""
    for named in step.columns:
        if not named.is_rename:
            kernel.emit(named.expr)
    _project(kernel, step, rest)


def _expand(kernel: Kernel, step: ops.Expand, rest: Callable[[], None]) -> None:
    """The rest of the pipeline in a loop over the projections."""
    rows = [[kernel.emit(expr) for expr in projection] for projection in step.projections]
    merged = [kernel.merged(list(alternatives)) for alternatives in zip(*rows, strict=True)]
    with kernel.block(f"for projection in range({len(rows)})"):
        for index in range(len(rows)):
            with kernel.block(f"if projection == {index}" if index == 0 else f"elif projection == {index}"):
                for one in merged:
                    one.assign(kernel, index)
        values = {attr.id: one.value for attr, one in zip(step.attrs, merged, strict=True)}
        with kernel.only(values):
            rest()


def _build(node: BuildNode, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]) -> Generated:
    shape = inputs[0].shape
    layouts = view_layouts(shape.layouts)
    return Generated(node, inputs, replace(shape, layouts=layouts), spec=join_spec(node, layouts, shape.rows))


def _unmatched(
    node: UnmatchedNode, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]
) -> Generated:
    shape = inputs[0].shape
    missing = [Layout(attr.type, _view(attr.type)) for attr in node.attrs[: len(node.attrs) - node.width]]
    return Generated(node, inputs, replace(shape, layouts=(*missing, *shape.layouts[: node.width])))


def _vectorized(
    node: VectorizedNode, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]
) -> Generated:
    shape = inputs[0].shape
    results = [Layout(attr.type) for attr in node.attrs[node.kept :]]
    rows = UNKNOWN_ROWS if node.functions.makes_rows else shape.rows
    return Generated(node, inputs, TableShape((*shape.layouts[: node.kept], *results), rows))


def _grouped(node: GroupedNode, inputs: tuple[Generated, ...], _shapes: Shapes, _conf: Mapping[str, str]) -> Generated:
    layouts = view_layouts(inputs[0].shape.layouts)
    keys = [layouts[column] for column in node.sides[0].keys[: node.kept]]
    results = [Layout(attr.type) for attr in node.attrs[node.kept :]]
    rows = UNKNOWN_ROWS if node.functions.makes_rows else inputs[0].shape.rows
    return Generated(node, inputs, TableShape((*keys, *results), rows))


def _view(type_: DataType) -> Encoding:
    return Encoding.VIEWS if type_.is_stringlike else Encoding.PLAIN


def _probe(kernel: Kernel, step: Probe, rest: Callable[[], None]) -> None:
    build = kernel.joined[step.table]
    assert isinstance(build.spec, JoinSpec)
    for key in step.keys:
        kernel.emit(key)
    if step.kind in DROPPING and not kernel.can_fail:
        kernel.dropping.append(step)
    emit_probe(kernel, step, build.spec, build.shape.layouts, rest)


_STEPS: dict[type[Step], Callable[[Kernel, Any, Callable[[], None]], None]] = {
    ops.Filter: _filter,
    ops.Project: _project,
    ops.Evaluate: _evaluate,
    ops.Expand: _expand,
    Probe: _probe,
}

_GENERATORS: dict[type[Node], Callable[..., Generated]] = {
    SourceNode: _source,
    SelectNode: _select,
    SortNode: _sort,
    LimitNode: _same_shape,
    UnionNode: _union,
    ModelNode: _model,
    RowsNode: _rows,
    GroupsNode: _groups,
    BuildNode: _build,
    UnmatchedNode: _unmatched,
    VectorizedNode: _vectorized,
    GroupedNode: _grouped,
}
