"""Python's operators on numbers and truth values. An integer that does not fit in 64 bits sends the query to Spark."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from pyflare.codegen.values import LONG_MAX, LONG_MIN, fits_long
from pyflare.errors import Unsupported
from pyflare.python import values as v
from pyflare.python.flow import Fork, Outcome
from pyflare.python.paths import Ends, Path, as_float, as_int
from pyflare.python.values import EXACT, Bool, Float, Int, Items, Maybe, Nothing, Object, Scalar, Value

Operator = Callable[[Path, Value, Value], Outcome]
_MAX_UNROLLED: Final = 3


def binary(function: Any, path: Path, a: Value, b: Value) -> Outcome:
    """`a function b`, the function one of the module `operator`."""
    if function in _COMPARISONS:
        return compare(path, _COMPARISONS[function], a, b)
    if function not in _BINARY:
        raise Unsupported(f"the operator {getattr(function, '__name__', function)} is not supported")
    return _BINARY[function](path, a, b)


def unary(function: Any, path: Path, value: Value) -> Outcome:
    """`-`, `+`, `~` or `not` of a value."""
    if function is operator.not_:
        condition = v.is_true(value)
        if condition is None:
            raise Unsupported(f"whether {v.described(value)} is true is not known")
        return path.test(v.negated(condition))
    found = path.scalar(value, f"the operator {function.__name__}")
    if function is operator.neg:
        return negative(path, found)
    if function is operator.pos:
        return found if isinstance(found, Float) else as_int(found)
    if function is operator.invert and not isinstance(found, Float):
        number = as_int(found)
        return path.whole("bits", f"~{number.code}", ~number.high, ~number.low)
    raise Ends


def negative(path: Path, value: Scalar) -> Scalar:
    """`-value`."""
    if isinstance(value, Float):
        return path.number("negative", f"-{value.code}", value.numpy)
    number = as_int(value)
    if number.low == LONG_MIN:
        path.bail_when(f"{number.code} == int64({LONG_MIN})")
    return path.whole("negative", f"-{number.code}", -number.high, min(-number.low, LONG_MAX))


# Arithmetic -----------------------------------------------------------------------------------------------------------


def _pair(path: Path, symbol: str, a: Value, b: Value) -> tuple[Scalar, Scalar]:
    return path.scalar(a, f"the operator {symbol}"), path.scalar(b, f"the operator {symbol}")


def _is_numpy(*values: Value) -> bool:
    return any(isinstance(value, Float) and value.numpy for value in values)


def _arithmetic(symbol: str) -> Operator:
    def compute(path: Path, a: Value, b: Value) -> Outcome:
        x, y = _pair(path, symbol, a, b)
        if isinstance(x, Float) or isinstance(y, Float):
            return path.number("number", f"{as_float(x).code} {symbol} {as_float(y).code}", _is_numpy(x, y))
        return whole_arithmetic(path, symbol, as_int(x), as_int(y))

    return compute


_EXACTLY: Final[dict[str, Callable[[int, int], int]]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def whole_arithmetic(path: Path, symbol: str, a: Int, b: Int) -> Int:
    """`a symbol b`, checked where the bounds do not rule an overflow out."""
    corners = [_EXACTLY[symbol](x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    low, high = min(corners), max(corners)
    if fits_long(low, high):
        return path.whole("number", f"{a.code} {symbol} {b.code}", low, high)
    if symbol == "*":
        path.bail_when(path.call("python.multiply_overflows", a.code, b.code))
        code = path.let("number", path.call("integers.wrap_mul", a.code, b.code))
    else:
        helper = "integers.wrap_add" if symbol == "+" else "integers.wrap_sub"
        code = path.let("number", path.call(helper, a.code, b.code))
        other = code if symbol == "+" else a.code
        path.bail_when(f"(({a.code} ^ {code}) & ({b.code} ^ {other})) < 0" if symbol == "+" else _lost(a, b, code))
    return Int(code, max(low, LONG_MIN), min(high, LONG_MAX))


def _lost(a: Int, b: Int, code: str) -> str:
    """Whether a difference has overflowed."""
    return f"(({a.code} ^ {b.code}) & ({a.code} ^ {code})) < 0"


def divide(path: Path, a: Value, b: Value) -> Outcome:
    """`/`: of two integers the float that is nearest to the quotient."""
    x, y = _pair(path, "/", a, b)
    numpy = _is_numpy(x, y)
    if not isinstance(x, Float) and not isinstance(y, Float):
        x, y = _exact(path, as_int(x)), _exact(path, as_int(y))
    divisor = as_float(y)
    if not numpy:
        path.bail_when(f"{divisor.code} == 0.0")
    return path.number("ratio", f"{as_float(x).code} / {divisor.code}", numpy)


def _exact(path: Path, number: Int) -> Int:
    """An integer that is a float without loss; any other needs Spark."""
    if not number.is_exact_float:
        path.bail_when(f"not (int64({-EXACT}) <= {number.code} <= int64({EXACT}))")
    return Int(number.code, max(number.low, -EXACT), min(number.high, EXACT))


def floor_divide(path: Path, a: Value, b: Value) -> Outcome:
    """`//`."""
    x, y = _pair(path, "//", a, b)
    if isinstance(x, Float) or isinstance(y, Float):
        return _of_floats(path, "float_floor_divide", x, y)
    number, divisor = as_int(x), _divisor(path, as_int(y))
    if number.low == LONG_MIN and divisor.low <= -1 <= divisor.high:
        path.bail_when(f"{number.code} == int64({LONG_MIN}) and {divisor.code} == -1")
    size = max(abs(number.low), abs(number.high))
    code = path.call("python.floor_divide", number.code, divisor.code)
    low, high = (-size, size) if divisor.low <= 0 else (number.low if number.low < 0 else 0, max(number.high, -1))
    return path.whole("quotient", code, max(low, LONG_MIN), min(high, LONG_MAX))


def modulo(path: Path, a: Value, b: Value) -> Outcome:
    """`%`, which has the sign of the divisor."""
    x, y = _pair(path, "%", a, b)
    if isinstance(x, Float) or isinstance(y, Float):
        return _of_floats(path, "float_modulo", x, y)
    divisor = _divisor(path, as_int(y))
    low, high = min(divisor.low + 1, 0), max(divisor.high - 1, 0)
    return Int(path.let("rest", path.call("python.modulo", as_int(x).code, divisor.code)), low, high)


def _divisor(path: Path, number: Int) -> Int:
    if number.low <= 0 <= number.high:
        path.bail_when("True" if number.low == number.high else f"{number.code} == 0")
    return number


def _of_floats(path: Path, helper: str, a: Scalar, b: Scalar) -> Float:
    if _is_numpy(a, b):
        raise Unsupported("// and % of NumPy's floats are not supported: convert them with float()")
    x, y = as_float(a), as_float(b)
    path.bail_when(f"{y.code} == 0.0")
    return path.number("number", path.call(f"python.{helper}", x.code, y.code))


def power(path: Path, a: Value, b: Value) -> Outcome:
    """`**`: of integers it is a float where the exponent is negative."""
    x, y = _pair(path, "**", a, b)
    if _is_numpy(x, y):
        raise Unsupported("** of NumPy's floats is not supported: convert them with float()")
    if isinstance(x, Float) or isinstance(y, Float):
        return _float_power(path, as_float(x), as_float(y))
    base, exponent = as_int(x), as_int(y)
    negative = f"{exponent.code} < 0" if exponent.low < 0 <= exponent.high else str(exponent.high < 0)
    return Fork(
        negative,
        lambda path: _float_power(path, as_float(base), as_float(exponent)),
        lambda path: _whole_power(path, base, exponent),
    )


def _float_power(path: Path, base: Float, exponent: Float) -> Float:
    result, fine = path.source.fresh("power"), path.source.fresh("fine")
    path.line(f"{result}, {fine} = {path.call('python.float_power', base.code, exponent.code)}")
    path.bail_when(f"not {fine}")
    return Float(result)


def _whole_power(path: Path, base: Int, exponent: Int) -> Int:
    if exponent.low == exponent.high and 1 <= exponent.low <= _MAX_UNROLLED:
        result = base
        for _ in range(exponent.low - 1):
            result = whole_arithmetic(path, "*", result, base)
        return result
    name, fine = path.source.fresh("power"), path.source.fresh("fine")
    path.line(f"{name}, {fine} = {path.call('python.power', base.code, exponent.code)}")
    path.bail_when(f"not {fine}")
    return Int(name)


# Bits -----------------------------------------------------------------------------------------------------------------


def _bitwise(symbol: str) -> Operator:
    def compute(path: Path, a: Value, b: Value) -> Outcome:
        x, y = _pair(path, symbol, a, b)
        if isinstance(x, Float) or isinstance(y, Float):
            raise Ends
        if isinstance(x, Bool) and isinstance(y, Bool):
            return path.test(f"({x.code}) {symbol} ({y.code})" if symbol != "^" else f"({x.code}) != ({y.code})")
        p, q = as_int(x), as_int(y)
        size = max(abs(p.low), abs(p.high), abs(q.low), abs(q.high), 1).bit_length()
        low = 0 if p.low >= 0 and q.low >= 0 else -(2**size)
        return Int(path.let("bits", f"{p.code} {symbol} {q.code}"), max(low, LONG_MIN), min(2**size - 1, LONG_MAX))

    return compute


def shift_left(path: Path, a: Value, b: Value) -> Outcome:
    """`<<`."""
    number, bits = _shift(path, "<<", a, b)
    path.bail_when(f"{bits.code} > 62")
    code = path.let("bits", path.call("integers.shift_left", number.code, bits.code))
    path.bail_when(f"{path.call('integers.shift_right', code, bits.code)} != {number.code}")
    return Int(code)


def shift_right(path: Path, a: Value, b: Value) -> Outcome:
    """`>>`."""
    number, bits = _shift(path, ">>", a, b)
    code = path.call("integers.shift_right", number.code, f"min({bits.code}, int64(63))")
    return path.whole("bits", code, min(number.low, 0), max(number.high, 0))


def _shift(path: Path, symbol: str, a: Value, b: Value) -> tuple[Int, Int]:
    x, y = _pair(path, symbol, a, b)
    if isinstance(x, Float) or isinstance(y, Float):
        raise Ends
    number, bits = as_int(x), as_int(y)
    if bits.low < 0:
        path.bail_when(f"{bits.code} < 0" if bits.high >= 0 else "True")
    return number, bits


# Comparisons ----------------------------------------------------------------------------------------------------------


def compare(path: Path, symbol: str, a: Value, b: Value) -> Bool:
    """`==`, `<` and so on; `None` equals only itself, and has no order."""
    if symbol in ("==", "!=") and any(isinstance(value, Nothing | Maybe) for value in (a, b)):
        return _equal_maybe(path, symbol, a, b)
    x, y = _pair(path, symbol, a, b)
    if not isinstance(x, Float) and not isinstance(y, Float):
        return path.test(_whole_test(symbol, as_int(x), as_int(y)), _is_numpy(x, y))
    if isinstance(x, Float) and isinstance(y, Float):
        return path.test(f"{x.code} {symbol} {y.code}", _is_numpy(x, y))
    whole = _exact(path, as_int(y if isinstance(x, Float) else x))
    left, right = (x.code, as_float(whole).code) if isinstance(x, Float) else (as_float(whole).code, y.code)
    return path.test(f"{left} {symbol} {right}", _is_numpy(x, y))


def _whole_test(symbol: str, a: Int, b: Int) -> str:
    """A comparison of integers, decided where their bounds decide it."""
    answers = {_COMPARED[symbol](x, y) for x in (a.low, a.high) for y in (b.low, b.high)}
    apart = a.high < b.low or b.high < a.low or (a.low == a.high and b.low == b.high)
    if len(answers) == 1 and (apart or symbol not in ("==", "!=")):
        return str(answers.pop())
    return f"{a.code} {symbol} {b.code}"


def _equal_maybe(path: Path, symbol: str, a: Value, b: Value) -> Bool:
    """`==` or `!=` where one of the two may be None."""
    oks = [v.ok_of(value) for value in (a, b)]
    x, y = (value.value if isinstance(value, Maybe) else value for value in (a, b))
    if _is_numpy(x, y):
        raise Unsupported("== of what may be None and NumPy's numbers is not supported")
    if isinstance(a, Nothing) or isinstance(b, Nothing):
        other = oks[1] if isinstance(a, Nothing) else oks[0]
        return path.test(v.negated(other) if symbol == "==" else other)
    same = compare(path, "==", x, y)
    if "True" in oks:
        equal = f"({oks[0] if oks[1] == 'True' else oks[1]} and {same.code})"
    else:
        equal = f"({oks[0]} == {oks[1]} and ({v.negated(oks[0])} or {same.code}))"
    return path.test(equal if symbol == "==" else v.negated(equal))


def identical(path: Path, a: Value, b: Value) -> Bool:
    """`is`, with None, True or False on one side."""
    if isinstance(b, Nothing):
        return path.test(v.negated(v.ok_of(a)))
    if isinstance(a, Nothing):
        return identical(path, b, a)
    if isinstance(b, Bool) and b.code in ("True", "False") and isinstance(a, Bool | Int | Float):
        if not isinstance(a, Bool) or a.numpy:
            return Bool("False")
        return path.test(a.code if b.code == "True" else v.negated(a.code))
    raise Unsupported("`is` is supported with None, True and False only")


def contains(path: Path, container: Value, item: Value) -> Bool:
    """`item in container`, for a tuple or a set of numbers."""
    if isinstance(container, Object) and isinstance(container.object, frozenset):
        constants = sorted(container.object, key=repr)
        container = Items(tuple(v.constant(one) for one in constants))
    if not isinstance(container, Items):
        raise Unsupported(f"`in` {v.described(container)} is not supported")
    if any(not isinstance(one, Scalar | Nothing) for one in container.values):
        raise Unsupported("`in` a tuple or a set of other things than numbers is not supported")
    if isinstance(item, Float) and any(map(_may_be_nan, container.values)):
        path.bail_when(f"{item.code} != {item.code}")  # `in` finds the very same NaN
    tests = [compare(path, "==", item, one).code for one in container.values]
    return path.test(" or ".join(f"({test})" for test in tests) or "False")


def _may_be_nan(value: Value) -> bool:
    """Whether it is a float, but not a constant other than NaN."""
    try:
        return isinstance(value, Float) and math.isnan(float(value.code))
    except ValueError:
        return True


_COMPARISONS: Final[dict[Any, str]] = {
    operator.eq: "==",
    operator.ne: "!=",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
}

_COMPARED: Final = {symbol: function for function, symbol in _COMPARISONS.items()}

_BINARY: Final[dict[Any, Operator]] = {
    operator.add: _arithmetic("+"),
    operator.sub: _arithmetic("-"),
    operator.mul: _arithmetic("*"),
    operator.truediv: divide,
    operator.floordiv: floor_divide,
    operator.mod: modulo,
    operator.pow: power,
    operator.and_: _bitwise("&"),
    operator.or_: _bitwise("|"),
    operator.xor: _bitwise("^"),
    operator.lshift: shift_left,
    operator.rshift: shift_right,
    operator.is_: identical,
    operator.is_not: lambda path, a, b: path.test(v.negated(identical(path, a, b).code)),
    operator.contains: contains,
}
