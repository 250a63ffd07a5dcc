"""A Python function of a query as the source of a function in a kernel, with Spark's rule for what it returns.

Spark's workers hand a result over as it is; the JVM takes it if it has the very type that was declared, and makes it
null if not: a function that is declared to return a `double` and returns the integer 1 gives null. Integers that are
too large for the declared type lose their upper bits, and those of more than 64 bits are null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyflare.errors import Unsupported
from pyflare.python import values as v
from pyflare.python.flow import Call, Flow, Scope
from pyflare.python.paths import Ends, Lines, Path, Source, render
from pyflare.python.statements import evaluate
from pyflare.python.values import Bool, Float, Int, Maybe, Nothing, Scalar, Value
from pyflare.types import INTEGRAL_BOUNDS, DataType

SUPPORTED: Final = (*INTEGRAL_BOUNDS, "boolean", "float", "double")
NEEDS_SPARK: Final = -1  # what a function returns instead of 1 (a value) or 0 (None)


@dataclass(frozen=True)
class Translated:
    """The source of a function, and bounds of its results.

    The function returns a pair: the value, and 1, or 0 for null, or `NEEDS_SPARK`.
    """

    lines: list[str]
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Argument:
    """An argument: the value inside the function, and the names by which it is handed over."""

    value: Value
    names: tuple[str, ...]


def translate(
    name: str,
    functions: Sequence[Any],
    arguments: Sequence[Argument],
    type_: DataType,
    arrow: bool,
    fresh: Callable[[str], str],
    use: Callable[[str], str],
) -> Translated:
    """A function `name` that applies `functions` one after the other. Raises `Unsupported` with the cause."""
    source = Source(fresh, use, f"return {_zero(type_)}, {NEEDS_SPARK}")
    lines: Lines = []
    flow = Flow(evaluate)

    def finish(value: Value, path: Path, _scope: Scope | None) -> bool:
        source.results.append(value)
        path.line(f"return {_returned(value, path, type_, arrow)}")
        return False

    def apply(position: int, values: tuple[Value, ...], path: Path, scope: Scope | None) -> bool:
        last = position == len(functions) - 1

        def then(value: Value, path: Path, scope: Scope | None) -> bool:
            return finish(value, path, scope) if last else apply(position + 1, (value,), path, scope)

        return flow.call(Call(functions[position], values), path, scope, then, last=last)

    try:
        apply(0, tuple(argument.value for argument in arguments), Path(source, lines), None)
    except Ends:
        lines.append(source.needs_spark)  # called with the wrong number of arguments
    except RecursionError:
        raise Unsupported("it is too long") from None
    names = [part for argument in arguments for part in argument.names]
    low, high = _bounds(source.results, type_)
    return Translated([f"def {name}({', '.join(names)}):", *render(lines, 1)], low, high)


def _bounds(results: Sequence[Value], type_: DataType) -> tuple[int | None, int | None]:
    """Bounds of integral results, where the declared type does not say more."""
    inner = [value.value if isinstance(value, Maybe) else value for value in results]
    whole = [value for value in inner if isinstance(value, Int)]
    if type_.name not in INTEGRAL_BOUNDS or not whole:
        return None, None
    low, high = min(value.low for value in whole), max(value.high for value in whole)
    bottom, top = INTEGRAL_BOUNDS[type_.name]
    return (low, high) if bottom <= low and high <= top else (bottom, top)


def _zero(type_: DataType) -> str:
    if type_.name == "float":
        return "float32(0.0)"
    return {"boolean": "False", "double": "0.0"}.get(type_.name, "int64(0)")


def _returned(value: Value, path: Path, type_: DataType, arrow: bool) -> str:
    """The pair that stands for a returned value."""
    if isinstance(value, Nothing):
        return f"{_zero(type_)}, 0"
    inner = value.value if isinstance(value, Maybe) else value
    if not isinstance(inner, Scalar):
        raise Unsupported(f"it returns {v.described(inner)}")
    if isinstance(inner, Bool | Float) and inner.numpy:
        raise Unsupported(f"it returns a {v.described(inner)}, which Spark does not take: convert it")
    code = _converted(inner, path, type_, arrow)
    if code is None:
        return f"{_zero(type_)}, 0"
    return f"{code}, 1" if not isinstance(value, Maybe) else f"{code}, int64({value.ok})"


def _converted(value: Scalar, path: Path, type_: DataType, arrow: bool) -> str | None:
    """A value as one of a declared type; None where Spark makes it null."""
    if type_.name not in _FITTING[type(value)]:
        if arrow:
            raise Unsupported(f"it returns {v.described(value)} for {type_}, which Arrow converts in its own way")
        return None
    if isinstance(value, Int):
        return _whole(value, path, type_, arrow)
    return f"float32({value.code})" if type_.name == "float" else value.code


def _whole(value: Int, path: Path, type_: DataType, arrow: bool) -> str:
    """An integer in the declared type's range: Arrow raises where it is not."""
    low, high = INTEGRAL_BOUNDS[type_.name]
    if low <= value.low and value.high <= high:
        return value.code
    if arrow:
        path.bail_when(f"not (int64({low}) <= {value.code} <= int64({high}))")
        return value.code
    return f"int64({type_.storage.name}({value.code}))"


_FITTING: Final[dict[type[Value], tuple[str, ...]]] = {
    Bool: ("boolean",),
    Float: ("float", "double"),
    Int: tuple(INTEGRAL_BOUNDS),
}

__all__ = ["NEEDS_SPARK", "SUPPORTED", "Argument", "Translated", "translate"]
