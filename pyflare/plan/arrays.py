"""Where columns of arrays may go: kernels hand them on, and only models and functions of whole columns read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pyflare.errors import Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference, Expr, IsNotNull, IsNull
from pyflare.plan.verify import expressions
from pyflare.types import Kind

_LEAVES: Final = (ops.Scan, ops.Input)
_CALLS: Final = (ops.Model, ops.Vectorized, ops.Grouped)
_HANDING_ON: Final = (ops.Filter, ops.Project, ops.Limit, ops.Sort, ops.Join, ops.Union, *_CALLS)
_TAKING: Final = (ops.Project, *_CALLS)
IDLE_ARRAYS: Final = "columns of arrays are read for models and functions of whole columns only"


def check_arrays(operator: ops.Operator) -> None:
    """Raise `Unsupported` where an operator, or another one of its wire node, does more than to hand arrays on."""
    arrays = [attr.label for attr in operator.attrs if attr.type.kind is Kind.ARRAY]
    if arrays and not isinstance(operator, (*_LEAVES, *_HANDING_ON)):
        raise Unsupported(f"column {arrays[0]} is an array, which {operator.name} does not hand on")
    if arrays and isinstance(operator, ops.Join) and operator.kind == "full":
        raise Unsupported(f"column {arrays[0]} is an array, which a full join does not hand on")
    for expr in expressions(operator):
        if not (isinstance(operator, _TAKING) and isinstance(expr, AttributeReference)):
            _check(expr)
    for child in operator.children:
        if child.node == operator.node and child.children:
            check_arrays(child)


def has_idle_arrays(operators: Iterable[ops.Operator]) -> bool:
    """Whether columns of arrays come from files or from Spark, and no model or function takes arrays."""
    nodes = list(operators)
    leaves = (attr.type.kind for node in nodes if isinstance(node, _LEAVES) for attr in node.attrs)
    taken = (arg.type.kind for node in nodes if isinstance(node, _CALLS) for arg in node.args)
    return Kind.ARRAY in leaves and Kind.ARRAY not in taken


def _check(expr: Expr) -> None:
    if expr.type.element is not None:  # `kind` is not there for every type: intervals are literals only
        raise Unsupported("arrays are handed on, and read by models and functions of whole columns only", expr.name)
    if isinstance(expr, IsNull | IsNotNull) and isinstance(expr.child, AttributeReference):
        return
    for child in expr.children:
        _check(child)
