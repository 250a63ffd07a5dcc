"""Random Python functions, compiled, against Python."""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from pyflare.codegen.writer import Writer
from pyflare.errors import Unsupported
from pyflare.python import values as v
from pyflare.python.result import Argument, translate
from pyflare.types import DataType
from tests import emulated
from tests.functions import Sample, as_spark, samples

_INTEGERS: Final = (0, 1, -1, 2, 3, -7, 10, 100, 2**31, 2**53 + 1, 2**62, 2**63 - 1, -(2**63))
_FLOATS: Final = (0.0, -0.0, 1.0, 0.5, -2.5, 3.0, 1e10, 1e300, 5e-324, math.inf, -math.inf, math.nan)
VALUES: Final[dict[str, Sequence[Any]]] = {"i": _INTEGERS, "f": _FLOATS, "b": (True, False)}
_KINDS: Final[dict[str, Any]] = {"i": v.Int, "f": v.Float, "b": v.Bool}
_GIVEN_UP: Final = ("it becomes too long", "the types of variables change", "it is too long")


class Translated:
    """A function's translation, run by Python. `kinds` are `i`, `f` and `b`, with `?` for what may be None."""

    def __init__(self, function: Any, kinds: Sequence[str], returns: str) -> None:
        self._writer, self._helpers = Writer(), dict[str, str]()
        self._kinds = kinds
        arguments = [self._argument(kind, f"arg{index}") for index, kind in enumerate(kinds)]
        type_ = DataType(returns)
        found = translate("udf", [function], arguments, type_, False, self._writer.fresh, self._use)
        self.text = "\n".join(found.lines)
        self._function = self._made()

    def _made(self) -> Any:
        scope: dict[str, Any] = {**emulated.TYPES}
        scope.update({name: emulated.helper(helper) for helper, name in self._helpers.items()})
        exec(self.text, scope)
        return scope["udf"]

    def _use(self, helper: str) -> str:
        if helper not in self._helpers:
            self._helpers[helper] = self._writer.fresh(helper.partition(".")[2])
        return self._helpers[helper]

    def _argument(self, kind: str, name: str) -> Argument:
        name = self._writer.fresh(name)
        value = _KINDS[kind[0]](name)
        return Argument(v.Maybe(value, f"{name}_ok"), (name, f"{name}_ok")) if "?" in kind else Argument(value, (name,))

    def __call__(self, *arguments: Any) -> tuple[Any, int]:
        """The value, and 1, or 0 for null, or -1 for "Python has to say"."""
        flat: list[Any] = []
        for kind, argument in zip(self._kinds, arguments, strict=True):
            flat.append(VALUES[kind[0]][0] if argument is None else argument)
            flat += [argument is not None] if "?" in kind else []
        value, answer = self._function(*flat)
        return value, answer


class Compiled(Translated):
    """A function as it is in a kernel."""

    def _made(self) -> Any:
        scope: dict[str, Any] = {name: getattr(numba, name) for name in ("int8", "int32", "int64", "float64")}
        for helper, name in self._helpers.items():
            module, _, attribute = helper.partition(".")
            scope[name] = getattr(importlib.import_module(f"pyflare.runtime.{module}"), attribute)
        exec(self.text, scope)
        return numba.njit(error_model="numpy")(scope["udf"])


def expected(function: Any, arguments: Sequence[Any], returns: str) -> tuple[Any, str]:
    """What Spark makes of Python's result, or the exception's name."""
    try:
        return as_spark(function(*arguments), returns), ""
    except (ArithmeticError, TypeError, ValueError, UnboundLocalError) as error:
        return None, type(error).__name__


def assert_same(function: Any, compiled: Translated, arguments: Sequence[Any], returns: str) -> bool:
    """Assert that the function's result is Spark's. Returns whether it has one."""
    wanted, raised = expected(function, arguments, returns)
    value, answer = compiled(*arguments)
    if answer < 0:
        return False
    assert not raised, f"Python raises {raised} for {arguments}\n{compiled.text}"
    shown = (None if answer == 0 else value), wanted
    assert repr(shown[0]) == repr(shown[1]), f"{shown[0]} instead of {shown[1]} for {arguments}\n{compiled.text}"
    return True


kinds = st.lists(st.sampled_from(("i", "f", "b", "i?", "f?")), min_size=3, max_size=3)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sample=samples, kinds=kinds)
def test_random(sample: Sample, kinds: list[str]) -> None:
    """What is written means what Python means."""
    _check(Translated, sample, kinds, every=7)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sample=samples, kinds=kinds)
def test_random_compiled(sample: Sample, kinds: list[str]) -> None:
    """And still does when Numba has compiled it."""
    _check(Compiled, sample, kinds, every=5)


def _check(make: type[Translated], sample: Sample, kinds: list[str], every: int) -> None:
    reference = sample.reference()
    try:
        made = make(sample.function(), kinds, sample.returns)
    except Unsupported as error:
        if not any(error.reason.startswith(known) for known in _GIVEN_UP):
            raise
        reject()
    choices = [[*VALUES[kind[0]], *([None] if "?" in kind else [])] for kind in kinds]
    for arguments in itertools.islice(itertools.product(*choices), 0, None, every):
        assert_same(reference, made, arguments, sample.returns)


def test_a_sum_is_compiled() -> None:
    compiled = Compiled(lambda a, b: a + b, ["i", "f?"], "double")
    assert compiled(1, 2.5) == (3.5, 1)
    assert compiled(1, None)[1] == -1


_NUMPY: Final[list[tuple[Any, str]]] = [
    (lambda x: float(np.sqrt(x)), "double"),
    (lambda x: float(np.floor(x) * 2 + 1), "double"),
    (lambda x: float(np.float64(x) / 0.0), "double"),
    (lambda x: bool(np.isnan(x)), "boolean"),
    (lambda x: not np.isfinite(x), "boolean"),
    (lambda x: 1 if np.isinf(x) else int(np.ceil(min(np.fabs(x), 9.5))), "long"),
]


@pytest.mark.parametrize(("function", "returns"), _NUMPY)
def test_functions_of_numpy(function: Any, returns: str) -> None:
    compiled = Compiled(function, ["f"], returns)
    with np.errstate(all="ignore"):
        found = [assert_same(function, compiled, (point,), returns) for point in _FLOATS]
    assert any(found)


@pytest.mark.parametrize("call", ["atan2(x, y)", "copysign(x, y)", "fmod(x, y)", "pow(x, y)", "log(x, y)"])
def test_functions_of_two_numbers(call: str) -> None:
    function = eval(f"lambda x, y: math.{call}", {"math": math})
    compiled = Compiled(function, ["f", "f"], "double")
    pairs = itertools.product((*_FLOATS, 2.0, -3.0, 7.25), repeat=2)
    found = [assert_same(function, compiled, pair, "double") for pair in pairs]
    assert any(found)


def test_bits_of_truth_values() -> None:
    def function(a: Any, b: Any) -> Any:
        return (a & b) | (a ^ (not b))

    compiled = Compiled(function, ["b", "b?"], "boolean")
    for arguments in itertools.product((True, False), (True, False, None)):
        assert_same(function, compiled, arguments, "boolean")
    assert compiled(True, True) == (True, 1)


def test_what_is_not_assigned_needs_spark() -> None:
    def function(a: Any) -> Any:
        if a > 0:
            result = a
        return result

    compiled = Compiled(function, ["i"], "long")
    assert compiled(1) == (1, 1)
    assert compiled(-1)[1] == -1


def test_types_that_change_in_a_loop() -> None:
    """The first round has an integer, the others a float."""

    def function(n: Any) -> Any:
        total: Any = 0
        for k in range(n):
            total += k * 0.5
        return total

    compiled = Compiled(function, ["i"], "double")
    assert [compiled(n) for n in (0, 1, 4)] == [(0.0, 0), (0.0, 1), (3.0, 1)]


def test_the_wrong_number_of_arguments_needs_spark() -> None:
    assert Compiled(lambda a, b: a, ["i"], "long")(1)[1] == -1


def test_a_function_that_calls_itself_is_refused() -> None:
    def function(n: Any) -> Any:
        return n if n < 2 else function(n - 1)

    with pytest.raises(Unsupported, match="calls itself"):
        Translated(function, ["i"], "long")


@pytest.mark.parametrize("name", ["acos", "asin", "atan", "cos", "cosh", "exp", "expm1", "fabs", "log", "log10"])
def test_functions_of_math(name: str) -> None:
    _check_math(name)


@pytest.mark.parametrize("name", ["log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh", "degrees", "radians"])
def test_more_functions_of_math(name: str) -> None:
    _check_math(name)


def _check_math(name: str) -> None:
    function = eval(f"lambda x: math.{name}(x)", {"math": math})
    compiled = Compiled(function, ["f"], "double")
    points = [*_FLOATS, *(math.sin(k) * 10.0 ** (k % 9 - 4) for k in range(2000))]
    found = [assert_same(function, compiled, (point,), "double") for point in points]
    assert any(found)
