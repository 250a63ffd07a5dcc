"""What is known of a Python value at one place of a function: its type, the names that hold it, its bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pyflare.codegen.values import LONG_MAX, LONG_MIN

EXACT: Final = 2**53  # integers up to here are floats without loss


@dataclass(frozen=True)
class Int:
    """An `int` that fits in 64 bits. `code` is a name or a constant, as in all of these."""

    code: str
    low: int = LONG_MIN
    high: int = LONG_MAX

    @property
    def is_exact_float(self) -> bool:
        """Whether the number is a float without loss."""
        return self.low >= -EXACT and self.high <= EXACT


@dataclass(frozen=True)
class Bool:
    """A `bool`, or NumPy's."""

    code: str
    numpy: bool = False


@dataclass(frozen=True)
class Float:
    """A `float`, or NumPy's `float64`."""

    code: str
    numpy: bool = False


@dataclass(frozen=True)
class Nothing:
    """`None`."""


Scalar = Int | Bool | Float


@dataclass(frozen=True)
class Maybe:
    """`value` where `ok` holds, else `None`."""

    value: Scalar
    ok: str


@dataclass(frozen=True)
class Items:
    """A tuple."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Object:
    """A module, a function or another object that is known when the function is translated."""

    object: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Object) and self.object is other.object

    def __hash__(self) -> int:
        return id(self.object)


@dataclass(frozen=True)
class Span:
    """A `range`."""

    start: Int
    stop: Int
    step: Int


@dataclass(frozen=True)
class Cursor:
    """An iterator over a range: the names of the next item and of what bounds it."""

    span: Span
    item: str
    left: str


@dataclass(frozen=True)
class Step:
    """What an iterator gave: the item, if there was one."""

    item: Int
    there: str


Value = Scalar | Nothing | Maybe | Items | Object | Span | Cursor | Step
State = dict[str, Value]


def constant(value: Any) -> Value:
    """A constant of the function, its closure or its module."""
    if value is None:
        return Nothing()
    if type(value) is bool:
        return Bool(str(value))
    if type(value) is int and LONG_MIN <= value <= LONG_MAX:
        return Int(f"int64({value})", value, value)
    if type(value) is float:
        return Float(float_code(value))
    if type(value) is tuple:
        return Items(tuple(constant(one) for one in value))
    return Object(value)


def float_code(value: float) -> str:
    """A float in a kernel's source."""
    text = repr(value)
    return {"inf": "1e999", "-inf": "-1e999", "nan": "(1e999 - 1e999)"}.get(text, text)


def is_true(value: Value) -> str | None:
    """The condition under which a value counts as true. None where that is not known here."""
    if isinstance(value, Bool):
        return value.code
    if isinstance(value, Int):
        return f"{value.code} != 0" if value.low != value.high else str(value.low != 0)
    if isinstance(value, Float):
        return f"{value.code} != 0.0"
    if isinstance(value, Maybe):
        inner = is_true(value.value)
        return f"({value.ok} and {inner})"
    if isinstance(value, Nothing):
        return "False"
    return str(bool(value.values)) if isinstance(value, Items) else None


def negated(condition: str) -> str:
    """The opposite of a condition, written shortly."""
    if condition in ("True", "False"):
        return str(condition == "False")
    if condition.startswith("not ") and condition[4:].isidentifier():
        return condition[4:]
    return f"not {condition}" if condition.isidentifier() else f"not ({condition})"


def described(value: Value) -> str:
    """A value's type in Python's words."""
    if isinstance(value, Maybe):
        return f"{described(value.value)} or None"
    if isinstance(value, Object):
        kind = value.object if isinstance(value.object, type) else type(value.object)
        return getattr(value.object, "__name__", None) or f"a {kind.__name__}"
    if isinstance(value, Bool | Float) and value.numpy:
        return "numpy.bool" if isinstance(value, Bool) else "numpy.float64"
    names = {Int: "int", Bool: "bool", Float: "float", Nothing: "None", Items: "tuple", Span: "range"}
    return names.get(type(value), "iterator")


# Joins ----------------------------------------------------------------------------------------------------------------


def joined(values: Sequence[Value], fresh: Callable[[str], str]) -> Value | None:
    """One value that stands for any of `values`, under fresh names where they differ. None if there is no such."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if any(isinstance(value, Nothing | Maybe) for value in values):
        return _joined_maybe(values, fresh)
    if isinstance(first, Items):
        return _joined_items(values, fresh)
    if len({type(value) for value in values}) > 1 or not isinstance(first, Scalar):
        return None
    if isinstance(first, Bool | Float) and len({value.numpy for value in values}) > 1:  # type: ignore[union-attr]
        return None
    code = first.code if len({value.code for value in values}) == 1 else fresh("merged")  # type: ignore[union-attr]
    if isinstance(first, Int):
        low, high = (min(v.low for v in values), max(v.high for v in values))  # type: ignore[union-attr]
        return Int(code, low, high)
    return replace(first, code=code)


def _joined_maybe(values: Sequence[Value], fresh: Callable[[str], str]) -> Value | None:
    present = [value.value if isinstance(value, Maybe) else value for value in values if not isinstance(value, Nothing)]
    inner = joined(present, fresh)
    if not isinstance(inner, Scalar):
        return None
    if len(present) < len(values):
        inner = replace(inner, code=fresh("merged"))  # what the other paths know it by has no value on this one
    oks = {ok_of(value) for value in values}
    return Maybe(inner, oks.pop() if len(oks) == 1 else fresh("there"))


def _joined_items(values: Sequence[Value], fresh: Callable[[str], str]) -> Value | None:
    if not all(isinstance(value, Items) for value in values):
        return None
    rows = [value.values for value in values if isinstance(value, Items)]
    if len({len(row) for row in rows}) > 1:
        return None
    columns = [joined(list(column), fresh) for column in zip(*rows, strict=True)]
    return None if None in columns else Items(tuple(column for column in columns if column is not None))


def ok_of(value: Value) -> str:
    """The condition under which a value is not None."""
    if isinstance(value, Nothing):
        return "False"
    return value.ok if isinstance(value, Maybe) else "True"


def part_of(value: Value) -> str | None:
    """The code of a scalar, whether it may be None or not."""
    inner = value.value if isinstance(value, Maybe) else value
    return inner.code if isinstance(inner, Scalar) else None


def assignments(target: Value, value: Value) -> list[tuple[str, str]]:
    """What has to be assigned so that `target`, which stands for `value` too, is that."""
    if isinstance(target, Items) and isinstance(value, Items):
        return [pair for t, v in zip(target.values, value.values, strict=True) for pair in assignments(t, v)]
    pairs = []
    code, new = part_of(target), part_of(value)
    if code is not None and code != new:
        pairs.append((code, new if new is not None else zero(target)))
    if isinstance(target, Maybe) and target.ok != ok_of(value):
        pairs.append((target.ok, ok_of(value)))
    return pairs


def zero(value: Value) -> str:
    """Anything of a value's type."""
    inner = value.value if isinstance(value, Maybe) else value
    if isinstance(inner, Bool):
        return "False"
    return "0.0" if isinstance(inner, Float) else "int64(0)"
