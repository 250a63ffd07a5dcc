"""What the single statements of a function mean: one small function for each kind, found in a table."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, Final

from numba.core import ir

from pyflare.errors import Unsupported
from pyflare.python import functions, operators
from pyflare.python import values as v
from pyflare.python.flow import ARGUMENTS, Frame, Outcome, read_variable
from pyflare.python.frontend import writers
from pyflare.python.paths import Ends, Path
from pyflare.python.values import Cursor, Int, Items, Object, Span, Step

_WORDS: Final = {
    "build_list": "it makes a list",
    "build_map": "it makes a dict",
    "build_set": "it makes a set",
    "build_string": "it makes a string",
    "make_function": "it makes a function",
    "make_closure": "it makes a function",
    "yield": "it is a generator",
    "setitem": "it changes an object",
    "setattr": "it changes an object",
}


def evaluate(frame: Frame, value: Any, path: Path) -> Outcome:
    """The value of the right side of an assignment."""
    if isinstance(value, ir.Var):
        return read_variable(path, value.name)
    if isinstance(value, ir.Arg):
        return _argument(path, value.index)
    if isinstance(value, ir.Const):
        return v.constant(value.value)
    if isinstance(value, ir.Global | ir.FreeVar):
        return _constant(frame, value.name, value.value)
    if not isinstance(value, ir.Expr) or value.op not in _EXPRESSIONS:
        operation = getattr(value, "op", type(value).__name__)
        raise Unsupported(_WORDS.get(operation, f"its operation {operation} is not supported"))
    return _EXPRESSIONS[value.op](frame, value, path)


def _argument(path: Path, index: int) -> Outcome:
    arguments = path.state[ARGUMENTS]
    assert isinstance(arguments, Items)
    return arguments.values[index]


def _constant(frame: Frame, name: str, value: Any) -> Outcome:
    if name in writers(frame.body.function):
        raise Unsupported(f"the global variable {name} changes")
    found = v.constant(value)
    if isinstance(found, Object):
        _check_constant(name, value)
    return found


def _check_constant(name: str, value: Any) -> None:
    """Refuse what a function must not read, by its name."""
    if isinstance(value, list | dict | set | bytearray):
        raise Unsupported(f"it reads {name}, a {type(value).__name__}, which may change")
    if not callable(value) and not isinstance(value, types.ModuleType | str | bytes | int | frozenset):
        raise Unsupported(f"it reads {name}, of the type {type(value).__name__}")


def _binary(_frame: Frame, expr: Any, path: Path) -> Outcome:
    function = expr.fn if expr.op == "binop" else expr.immutable_fn
    return operators.binary(function, path, read_variable(path, expr.lhs.name), read_variable(path, expr.rhs.name))


def _unary(_frame: Frame, expr: Any, path: Path) -> Outcome:
    return operators.unary(expr.fn, path, read_variable(path, expr.value.name))


def _call(_frame: Frame, expr: Any, path: Path) -> Outcome:
    function = read_variable(path, expr.func.name)
    if not isinstance(function, Object):
        raise Ends
    if expr.vararg is not None or getattr(expr, "varkwarg", None) is not None:
        raise Unsupported("it calls a function with * or **")
    arguments = [read_variable(path, variable.name) for variable in expr.args]
    keywords = [(name, read_variable(path, variable.name)) for name, variable in expr.kws]
    return functions.call(path, function.object, arguments, keywords)


def _attribute(_frame: Frame, expr: Any, path: Path) -> Outcome:
    """A module's function or constant."""
    owner = read_variable(path, expr.value.name)
    if not isinstance(owner, Object) or not isinstance(owner.object, types.ModuleType):
        raise Unsupported(f"the attribute {expr.attr} of {v.described(owner)} is not supported")
    if not hasattr(owner.object, expr.attr):
        raise Ends
    value = getattr(owner.object, expr.attr)
    found = v.constant(value)
    if isinstance(found, Object):
        _check_constant(f"{owner.object.__name__}.{expr.attr}", value)
    return found


def _tuple(_frame: Frame, expr: Any, path: Path) -> Outcome:
    return Items(tuple(read_variable(path, variable.name) for variable in expr.items))


def _unpacked(_frame: Frame, expr: Any, path: Path) -> Outcome:
    found = read_variable(path, expr.value.name)
    if not isinstance(found, Items):
        raise Unsupported(f"{v.described(found)} is unpacked")
    if len(found.values) != expr.count:
        raise Ends
    return found


def _static_item(_frame: Frame, expr: Any, path: Path) -> Outcome:
    found = read_variable(path, expr.value.name)
    if not isinstance(found, Items) or type(expr.index) is not int:
        raise Unsupported(f"an item of {v.described(found)} is not supported")
    if not -len(found.values) <= expr.index < len(found.values):
        raise Ends
    return found.values[expr.index]


def _item(_frame: Frame, expr: Any, path: Path) -> Outcome:
    """An item of a tuple, at a place that is known."""
    found, index = read_variable(path, expr.value.name), read_variable(path, expr.index.name)
    if not isinstance(found, Items) or not isinstance(index, Int) or index.low != index.high:
        raise Unsupported(f"an item of {v.described(found)} at a place that varies is not supported")
    if not -len(found.values) <= index.low < len(found.values):
        raise Ends
    return found.values[index.low]


def _iterator(_frame: Frame, expr: Any, path: Path) -> Outcome:
    span = read_variable(path, expr.value.name)
    if not isinstance(span, Span):
        raise Unsupported(f"a loop over {v.described(span)} is not supported, only over a range")
    item = path.let("next", span.start.code)
    if span.step.low == span.step.high == 1:
        return Cursor(span, item, span.stop.code)
    count = path.call("python.range_length", span.start.code, span.stop.code, span.step.code)
    return Cursor(span, item, path.let("left", count))


def _next(_frame: Frame, expr: Any, path: Path) -> Outcome:
    cursor = read_variable(path, expr.value.name)
    assert isinstance(cursor, Cursor)
    span, single = cursor.span, cursor.span.step.low == cursor.span.step.high == 1
    there = path.let("there", f"{cursor.item} < {cursor.left}" if single else f"{cursor.left} > 0")
    item = path.let("item", cursor.item)
    path.line(f"{cursor.item} = {path.call('integers.wrap_add', cursor.item, span.step.code)}")
    if not single:
        path.line(f"{cursor.left} = {cursor.left} - 1")
    low, high = span.start.low, max(span.start.low, span.stop.high - 1)
    if not single:
        low, high = min(span.start.low, span.stop.low), max(span.start.high, span.stop.high)
    return Step(Int(item, low, high), there)


def _first(_frame: Frame, expr: Any, path: Path) -> Outcome:
    step = read_variable(path, expr.value.name)
    assert isinstance(step, Step)
    return step.item


def _second(_frame: Frame, expr: Any, path: Path) -> Outcome:
    step = read_variable(path, expr.value.name)
    assert isinstance(step, Step)
    return v.Bool(step.there)


_EXPRESSIONS: Final[dict[str, Callable[[Frame, Any, Path], Outcome]]] = {
    "binop": _binary,
    "inplace_binop": _binary,
    "unary": _unary,
    "call": _call,
    "getattr": _attribute,
    "cast": lambda _frame, expr, path: read_variable(path, expr.value.name),
    "build_tuple": _tuple,
    "exhaust_iter": _unpacked,
    "static_getitem": _static_item,
    "getitem": _item,
    "getiter": _iterator,
    "iternext": _next,
    "pair_first": _first,
    "pair_second": _second,
}
