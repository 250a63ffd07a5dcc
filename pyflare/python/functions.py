"""The functions that may be called: Python's own, `math`'s, and those of NumPy whose results do not depend on NumPy."""

from __future__ import annotations

import builtins
import math
import types
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from pyflare.codegen.values import LONG_MAX, LONG_MIN
from pyflare.errors import Unsupported
from pyflare.python import operators
from pyflare.python import values as v
from pyflare.python.flow import Call, Fork, Outcome
from pyflare.python.paths import Ends, Path, as_float, as_int, without_numpy
from pyflare.python.values import Float, Int, Items, Object, Scalar, Span, Value

Function = Callable[..., Outcome]
_FUNCTIONS: Final[dict[Any, Function]] = {}
_LONG_END: Final = 2.0**63
_MOST_BOUNDS: Final = 3  # of a range


def call(path: Path, function: Any, arguments: Sequence[Value], keywords: Sequence[tuple[str, Value]]) -> Outcome:
    """A function of these values."""
    if isinstance(function, types.FunctionType):
        return Call(function, tuple(arguments), tuple(keywords))
    known = _FUNCTIONS.get(function) if isinstance(function, types.BuiltinFunctionType | type | np.ufunc) else None
    if known is None:
        raise Unsupported(f"it calls {_named(function)}, for which there is no code{_advice(function)}")
    if keywords:
        raise Unsupported(f"{_named(function)} with keyword arguments is not supported")
    return known(path, *arguments)


def _named(function: Any) -> str:
    module, name = getattr(function, "__module__", None), getattr(function, "__name__", None)
    if isinstance(function, np.ufunc):
        return f"numpy.{name}"
    if name is None:
        return f"an object of the type {type(function).__name__}"
    return str(name) if module in (None, "builtins") else f"{module}.{name}"


def _advice(function: Any) -> str:
    name = getattr(function, "__name__", "")
    if isinstance(function, np.ufunc) and hasattr(math, name):
        return f": its last digits depend on NumPy's version and the processor, math.{name} is supported"
    return ""


def _is(*functions: Any) -> Callable[[Function], Function]:
    def register(function: Function) -> Function:
        def checked(path: Path, *arguments: Value) -> Outcome:
            try:
                return function(path, *arguments)
            except TypeError as error:
                if "positional argument" not in str(error):
                    raise
                raise Unsupported(f"{_named(functions[0])} of {len(arguments)} arguments is not supported") from None

        for one in functions:
            _FUNCTIONS[one] = checked
        return function

    return register


# Python's own ---------------------------------------------------------------------------------------------------------


@_is(builtins.bool)
def to_bool(path: Path, value: Value) -> Outcome:
    condition = v.is_true(value)
    if condition is None:
        raise Unsupported(f"bool() of {v.described(value)} is not supported")
    return path.test(condition)


@_is(builtins.int)
def to_int(path: Path, value: Value) -> Outcome:
    number = path.scalar(value, "int()")
    return truncated(path, number, "") if isinstance(number, Float) else as_int(number)


def truncated(path: Path, number: Float, rounding: str) -> Int:
    """A float rounded to an integer, by a helper or towards zero; NaN and what is too large need Spark."""
    code = number.code if not rounding else path.let("whole", rounding.format(number.code))
    path.bail_when(f"not ({-_LONG_END!r} <= {code} < {_LONG_END!r})")
    return Int(path.let("whole", f"int64({code})"))


@_is(builtins.float)
def to_float(path: Path, value: Value) -> Outcome:
    number = path.scalar(value, "float()")
    return without_numpy(number) if isinstance(number, Float) else as_float(number)


@_is(builtins.abs)
def absolute(path: Path, value: Value) -> Outcome:
    number = path.scalar(value, "abs()")
    if isinstance(number, Float):
        return path.number("size", f"abs({number.code})", number.numpy)
    whole = as_int(number)
    if whole.low >= 0:
        return whole
    if whole.low == LONG_MIN:
        path.bail_when(f"{whole.code} == int64({LONG_MIN})")
    return path.whole("size", f"abs({whole.code})", 0, min(max(-whole.low, whole.high), LONG_MAX))


@_is(builtins.round)
def rounded(path: Path, value: Value, digits: Value | None = None) -> Outcome:
    """To an integer, halves to the even one."""
    number = path.scalar(value, "round()")
    if isinstance(number, Float) and digits is None and not number.numpy:
        return truncated(path, number, f"{path.source.use('functions.rint')}({{}})")
    if not isinstance(number, Float) and (digits is None or (isinstance(digits, Int) and digits.low >= 0)):
        return as_int(number)
    raise Unsupported("round() to a number of digits is not supported")


@_is(builtins.min)
def least(path: Path, *values: Value) -> Outcome:
    return _most(path, "<", _compared(values))


@_is(builtins.max)
def greatest(path: Path, *values: Value) -> Outcome:
    return _most(path, ">", _compared(values))


def _compared(values: Sequence[Value]) -> Sequence[Value]:
    """The values among which to choose: the arguments, or those in the only one, which cannot be a number."""
    if len(values) == 1 and isinstance(values[0], Items):
        values = values[0].values
    elif len(values) == 1 and not isinstance(values[0], Object):
        raise Ends
    if not values:
        raise Ends
    return values


def _most(path: Path, symbol: str, values: Sequence[Value]) -> Outcome:
    """The first of the values that no other one beats; of different types, that is decided at run time."""
    best, rest = path.scalar(values[0], "min() and max()"), values[1:]
    if not rest:
        return best
    other = path.scalar(rest[0], "min() and max()")
    better = operators.compare(path, symbol, other, best).code
    merged = v.joined([best, other], path.source.fresh)
    if merged is None or not isinstance(merged, Scalar):
        return Fork(
            better,
            lambda path: _most(path, symbol, (other, *rest[1:])),
            lambda path: _most(path, symbol, (best, *rest[1:])),
        )
    if merged.code not in (best.code, other.code):
        path.line(f"{merged.code} = {other.code} if {better} else {best.code}")
    return _most(path, symbol, (merged, *rest[1:]))


@_is(builtins.range)
def span(path: Path, *bounds: Value) -> Outcome:
    if not 1 <= len(bounds) <= _MOST_BOUNDS:
        raise Ends
    numbers = []
    for bound in bounds:
        number = path.scalar(bound, "range()")
        if isinstance(number, Float):
            raise Ends
        numbers.append(as_int(number))
    start = numbers[0] if len(numbers) > 1 else Int("int64(0)", 0, 0)
    stop = numbers[1] if len(numbers) > 1 else numbers[0]
    step = numbers[2] if len(numbers) > 2 else Int("int64(1)", 1, 1)
    if step.low <= 0 <= step.high:
        path.bail_when("True" if step.low == step.high else f"{step.code} == 0")
    return Span(start, stop, step)


@_is(builtins.len)
def length(path: Path, value: Value) -> Outcome:
    if not isinstance(value, Items):
        raise Unsupported(f"len() of {v.described(value)} is not supported")
    return path.whole("length", "", len(value.values), len(value.values))


@_is(builtins.pow)
def power(path: Path, base: Value, exponent: Value) -> Outcome:
    return operators.power(path, base, exponent)


@_is(builtins.divmod)
def divided(path: Path, a: Value, b: Value) -> Outcome:
    quotient, rest = operators.floor_divide(path, a, b), operators.modulo(path, a, b)
    assert isinstance(quotient, Scalar)
    assert isinstance(rest, Scalar)
    return Items((quotient, rest))


# The module math ------------------------------------------------------------------------------------------------------


def _float(path: Path, value: Value) -> str:
    """A number as the float that `math`'s functions take it for."""
    return as_float(path.scalar(value, "a function of numbers")).code


def _of_libm(name: str, arguments: int) -> Function:
    def function(path: Path, *values: Value) -> Outcome:
        if len(values) != arguments:
            raise Ends
        codes = [_float(path, value) for value in values]
        result = path.let(name, path.call(f"libm.libm_{name}", *codes))
        path.bail_when(path.call("python.raises", codes[0], codes[-1], result))
        return Float(result)

    return function


_ONE: Final = (
    *("acos", "asin", "atan", "cos", "cosh", "exp", "expm1", "log10", "log1p", "log2"),
    *("sin", "sinh", "sqrt", "tan", "tanh"),
)
for _name in _ONE:
    _is(getattr(math, _name))(_of_libm(_name, 1))
for _name in ("atan2", "fmod", "pow"):
    _is(getattr(math, _name))(_of_libm(_name, 2))


@_is(math.log)
def logarithm(path: Path, value: Value, base: Value | None = None) -> Outcome:
    number = _of_libm("log", 1)(path, value)
    if base is None:
        return number
    assert isinstance(number, Float)
    divisor = _of_libm("log", 1)(path, base)
    return operators.divide(path, number, divisor)  # type: ignore[arg-type]


@_is(math.floor)
def floor(path: Path, value: Value) -> Outcome:
    return _integral(path, value, f"{path.source.use('python.floor')}({{}})")


@_is(math.ceil)
def ceiling(path: Path, value: Value) -> Outcome:
    return _integral(path, value, f"{path.source.use('python.ceil')}({{}})")


@_is(math.trunc)
def truncate(path: Path, value: Value) -> Outcome:
    return _integral(path, value, "")


def _integral(path: Path, value: Value, rounding: str) -> Outcome:
    number = path.scalar(value, "rounding")
    return truncated(path, number, rounding) if isinstance(number, Float) else as_int(number)


@_is(math.fabs)
def magnitude(path: Path, value: Value) -> Outcome:
    return path.number("size", f"abs({_float(path, value)})")


@_is(math.copysign)
def copied_sign(path: Path, value: Value, sign: Value) -> Outcome:
    return path.number("signed", path.call("python.copysign", _float(path, value), _float(path, sign)))


@_is(math.degrees)
def degrees(path: Path, value: Value) -> Outcome:
    return path.number("angle", f"{_float(path, value)} * {180.0 / math.pi!r}")


@_is(math.radians)
def radians(path: Path, value: Value) -> Outcome:
    return path.number("angle", f"{_float(path, value)} * {math.pi / 180.0!r}")


@_is(math.isnan)
def is_nan(path: Path, value: Value) -> Outcome:
    code = _float(path, value)
    return path.test(f"{code} != {code}")


@_is(math.isinf)
def is_infinite(path: Path, value: Value) -> Outcome:
    return path.test(f"abs({_float(path, value)}) == 1e999")


@_is(math.isfinite)
def is_finite(path: Path, value: Value) -> Outcome:
    code = _float(path, value)
    return path.test(f"{code} - {code} == 0.0")


# NumPy's --------------------------------------------------------------------------------------------------------------


def _numpy_float(path: Path, value: Value, name: str) -> Float:
    number = path.scalar(value, f"numpy.{name}")
    if not isinstance(number, Float):
        raise Unsupported(f"numpy.{name} of {v.described(number)} is not supported")
    return number


def _of_numpy(name: str, template: str, helper: str = "", truth: bool = False) -> Function:
    def function(path: Path, value: Value) -> Outcome:
        code = template.format(_numpy_float(path, value, name).code, path.source.use(helper) if helper else "")
        return path.test(code, numpy=True) if truth else path.number(name, code, numpy=True)

    return function


_is(np.sqrt)(_of_numpy("sqrt", "{1}({0})", "libm.libm_sqrt"))
_is(np.absolute, np.fabs)(_of_numpy("absolute", "abs({0})"))
_is(np.floor)(_of_numpy("floor", "{1}({0})", "python.floor"))
_is(np.ceil)(_of_numpy("ceil", "{1}({0})", "python.ceil"))
_is(np.isnan)(_of_numpy("isnan", "{0} != {0}", truth=True))
_is(np.isinf)(_of_numpy("isinf", "abs({0}) == 1e999", truth=True))
_is(np.isfinite)(_of_numpy("isfinite", "{0} - {0} == 0.0", truth=True))


@_is(np.float64)
def numpy_float(path: Path, value: Value) -> Outcome:
    number = path.scalar(value, "numpy.float64")
    return Float(as_float(number).code, numpy=True)
