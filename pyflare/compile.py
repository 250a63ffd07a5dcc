"""The table of contents: a wire plan becomes fragments, a fragment becomes a program.

document ─ translate ─▶ IR ─ rewrite ─▶ IR ─ verify, split ─▶ program ─ generate, share ─▶ kernels ─ load ─▶ code
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyflare.codegen.generate import Generated, TableShape, generate
from pyflare.codegen.share import share
from pyflare.config import Config
from pyflare.io.cache import ColumnCache
from pyflare.io.columns import Encoding, Layout
from pyflare.io.parquet import Scan, open_scan
from pyflare.pipeline.split import split
from pyflare.plan import aggregation as _aggregation  # noqa: F401  (registers its translators)
from pyflare.plan import functions as _functions  # noqa: F401
from pyflare.plan import joins as _joins  # noqa: F401
from pyflare.plan import leaves as _leaves  # noqa: F401
from pyflare.plan import operators as ops
from pyflare.plan import rows as _rows  # noqa: F401
from pyflare.plan import vectorized_groups as _vectorized_groups  # noqa: F401
from pyflare.plan.arrays import check_arrays
from pyflare.plan.decode import Json
from pyflare.plan.translate import Reason, Subtree, Translation
from pyflare.plan.verify import verify
from pyflare.rewrite import rewrite
from pyflare.rewrite.build_sides import choose_build_sides
from pyflare.types import DataType

UNKNOWN_ROWS = 2**44


@dataclass(frozen=True)
class Fragment:
    """A subtree that PyFlare runs: its IR, its subqueries' IR, and the settings it was planned under."""

    id: str
    subtree: Subtree
    subqueries: tuple[ops.Operator, ...]
    conf: Mapping[str, str]
    config: Config

    @property
    def operator(self) -> ops.Operator:
        return self.subtree.operator


@dataclass(frozen=True)
class Decision:
    """What PyFlare takes of one plan, and why not the rest. With an `error` the query must not run at all."""

    fragments: tuple[Fragment, ...]
    reasons: tuple[Reason, ...]
    error: str | None = None


def decide(document: Json, identity: str, cache: ColumnCache) -> Decision:
    """Choose the subtrees of a wire document."""
    config = Config.from_conf(document["conf"])
    conf = {**document["conf"], "cores": str(document["cores"])}
    translation = Translation(document, lambda operator: _check(operator, conf, cache), config)
    translation.choose()
    subqueries = tuple(rewrite(q) for q in translation.subqueries)
    fragments = []
    for subtree in translation.subtrees:
        operator = rewrite(subtree.operator)
        verify(operator)
        taken = replace(subtree, operator=operator)
        fragments.append(Fragment(f"{identity}:{subtree.node}", taken, subqueries, conf, config))
    return Decision(tuple(fragments), tuple(translation.reasons), translation.error)


def nothing_of(document: Json, reason: str) -> Decision:
    """The decision to leave a plan to Spark as a whole."""
    root = document["plan"]
    return Decision((), (Reason(root["i"], root["op"], reason),))


def _check(operator: ops.Operator, conf: Mapping[str, str], cache: ColumnCache) -> None:
    """Generate code for one operator over columns of the most general layout, or raise `Unsupported`."""
    check_arrays(operator)
    if isinstance(operator, ops.Scan):
        open_scan(operator.spec, cache)
    if isinstance(operator, ops.Scan | ops.Input | ops.Values | ops.Range):
        return
    alone, shapes = _alone(operator)
    generate(split(alone), shapes, conf)


def _alone(operator: ops.Operator) -> tuple[ops.Operator, dict[int, TableShape]]:
    """The operators of one wire node over placeholders for their inputs."""
    shapes: dict[int, TableShape] = {}

    def placed(child: ops.Operator) -> ops.Operator:
        if child.node == operator.node and child.children:
            return ops.with_children(child, tuple(map(placed, child.children)))
        number = -1000 - len(shapes)
        shapes[number] = TableShape(tuple(Layout(attr.type, _general(attr.type)) for attr in child.attrs), UNKNOWN_ROWS)
        return ops.Input(attrs=child.attrs, node=number)

    return ops.with_children(operator, tuple(map(placed, operator.children))), shapes


def _general(type_: DataType) -> Encoding:
    return Encoding.VIEWS if type_.is_stringlike else Encoding.PLAIN


def shape_of(source: ops.Operator, scans: Mapping[int, Scan]) -> TableShape:
    """What is known of a source before it is read."""
    if isinstance(source, ops.Scan):
        scan = scans[source.node]
        return TableShape(scan.packed_layouts, scan.rows)
    if isinstance(source, ops.Range):
        span = range(source.start, source.end, source.step)
        low, high = (min(span[0], span[-1]), max(span[0], span[-1])) if span else (0, 0)
        return TableShape((Layout(source.attrs[0].type, nullable=False, low=low, high=high),), len(span))
    rows = len(source.rows) if isinstance(source, ops.Values) else UNKNOWN_ROWS
    return TableShape(tuple(Layout(attr.type) for attr in source.attrs), rows)


def programs(
    operators: Sequence[ops.Operator], scans: Mapping[int, Scan], conf: Mapping[str, str]
) -> tuple[Generated, ...]:
    """The kernels of operators that run one after the other, for the files as they are now."""
    leaves = [leaf for operator in operators for leaf in sources(operator)]
    shapes = {leaf.node: shape_of(leaf, scans) for leaf in leaves}
    rows = {number: scan.rows for number, scan in scans.items()}
    generated = [generate(split(choose_build_sides(operator, rows)), shapes, conf) for operator in operators]
    contents = {leaf.node: scans[leaf.node].contents if leaf.node in scans else leaf.node for leaf in leaves}
    first = {content: node for node, content in contents.items()}
    return share(generated, {node: (first[contents[node]], shape.layouts) for node, shape in shapes.items()})


def sources(operator: ops.Operator) -> list[ops.Operator]:
    """The leaves of an operator."""
    if not operator.children:
        return [operator]
    return [leaf for child in operator.children for leaf in sources(child)]
