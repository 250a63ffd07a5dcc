"""Which columns of a pipeline's child the keys of its probes are: what a build side says of a key, it says of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyflare.pipeline.model import PipelineNode, Probe, Step
from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference, Cast, Expr
from pyflare.types import INTEGRAL_BOUNDS, DataType

DROPPING: Final = ("inner", "semi")


@dataclass(frozen=True)
class Restriction:
    """Of the child's rows only those are of use whose key is in join table number `table`.

    `columns` has for each key the child's column that it is, None where it is computed.
    """

    table: int
    columns: tuple[int | None, ...]


def restriction(node: PipelineNode, probe: Probe) -> Restriction:
    """What a probe of the node that drops rows without a match asks of the child's rows."""
    where = {attr.id: index for index, attr in enumerate(node.child.attrs)}
    for step in node.steps:
        if step is probe:
            break
        where = _after(step, where)
    return Restriction(probe.table, tuple(_column(key, where) for key in probe.keys))


def _column(key: Expr, where: dict[int, int]) -> int | None:
    """The column whose values a key has, as kernels hold them."""
    if isinstance(key, Cast) and _widens(key.child.type, key.type):
        return _column(key.child, where)
    return where.get(key.id) if isinstance(key, AttributeReference) else None


def _widens(narrow: DataType, wide: DataType) -> bool:
    """Whether a cast changes no value: from integers to larger ones, from decimals to longer ones."""
    if narrow.is_decimal and wide.is_decimal:
        return narrow.scale == wide.scale and narrow.precision <= wide.precision
    if not (narrow.is_integral and wide.is_integral):
        return False
    return INTEGRAL_BOUNDS[narrow.name][1] <= INTEGRAL_BOUNDS[wide.name][1]


def _after(step: Step, where: dict[int, int]) -> dict[int, int]:
    """Where attributes come from after a step; those that the step makes itself come from nowhere."""
    match step:
        case ops.Filter():
            return where
        case ops.Project():
            columns = {named.attr.id: _column(named.expr, where) for named in step.columns}
            return {attribute: column for attribute, column in columns.items() if column is not None}
        case Probe():
            made = {attr.id for attr in step.build.attrs}
            return {attribute: column for attribute, column in where.items() if attribute not in made}
        case _:
            return {}
