"""`CAST`: one function for each pair of types, found by the names of source and target type.

A module registers its casts with `@casts(sources, targets)`, type names as in `pyflare.types` ("decimal" whatever its
precision). The function gets the child's value and writes the statements for the conversion; a cast to the same type
never reaches it. `refused` says what Spark does with a value that cannot be converted.
"""

from __future__ import annotations

from collections.abc import Callable

from pyflare.codegen.kernel import Kernel, conjunction, emits, null_value
from pyflare.codegen.values import Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.types import Kind

Caster = Callable[[Kernel, e.Cast, Value], Value]
CASTS: dict[tuple[str, str], Caster] = {}


def casts(sources: str, targets: str) -> Callable[[Caster], Caster]:
    """Register the cast from each of `sources` to each of `targets`: type names, separated by blanks."""

    def register(function: Caster) -> Caster:
        for source in sources.split():
            for target in targets.split():
                CASTS[source, target] = function
        return function

    return register


@emits(e.Cast)
def cast(kernel: Kernel, expr: e.Cast) -> Value:
    """A cast, by its source and target type."""
    source, target = expr.child.type, expr.type
    if source == target:
        return kernel.emit(expr.child)
    caster = CASTS.get((source.name, target.name))
    if caster is None and source.kind is not Kind.NULL:
        raise Unsupported(f"cast from {source} to {target} is not supported", expr.name)
    value = kernel.emit(expr.child)
    if caster is None or value.kind is Kind.NULL or value.ok == "False":
        return null_value(target)
    return caster(kernel, expr, value)


def refused(kernel: Kernel, expr: e.Cast, value: Value, bad: str) -> Value:
    """The converted `value`; where `bad` (code) holds there is none: an error in ANSI mode, null in the other modes."""
    if expr.evalMode == "ANSI":
        kernel.fail_when(bad, value.ok)
        return value
    fits = kernel.let("fits", conjunction(value.ok, f"not ({bad})"))
    if value.kind is Kind.BOOL:
        return kernel.boolean(value.code, fits)
    return value.with_ok(fits)
