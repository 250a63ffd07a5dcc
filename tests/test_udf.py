"""Plain Python functions in queries, with PyFlare and without."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pytest
from pyspark.errors import IllegalArgumentException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

import pyflare
from pyflare.errors import NotCompiled
from tests.differential import ANY, Answer, Raised, assert_same, configured

RATE: Final = 0.19
LIMITS: Final = (1, 5, 2.5)
TABLE: Final = {1: 2}


def clamp(value: float, low: float = 0.0, high: float = 10.0) -> float:
    return min(max(value, low), high)


def with_tax(price: float) -> float:
    return price * (1.0 + RATE)


def steps(n: int) -> int:
    """A loop whose length depends on the data."""
    count = 0
    while n > 1 and count < 200:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count


def weighted(n: int) -> float:
    """An integer first, a float from the second round on."""
    total: Any = 0
    for k in range(1, 6):
        if k == n:
            continue
        total += k * 0.5
    return float(total)


def described(x: Any) -> Any:
    """A value for null, and nothing for some."""
    if x is None:
        return -1.0
    return None if x < 0 else x


def mixed(x: Any) -> Any:
    """1 is no double to Spark."""
    return 1 if x is not None and x > 0 else x


def both(a: Any, b: Any) -> bool:
    return a is not None and b is not None and a > b


def classified(x: float) -> int:
    if x != x:
        return -1
    if x in LIMITS:
        return 0
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        if middle * middle < x:
            low = middle + 1
        else:
            high = middle
    return low


def checked(x: float) -> float:
    if x > 1e300:
        raise ValueError(f"{x} is too large")
    return x


@dataclass(frozen=True)
class Case:
    """A function, its declared type, and the query that calls it as `f`."""

    function: Callable[..., Any]
    returns: str
    query: str
    raises: str = ""


CASES: Final = [
    Case(with_tax, "double", "SELECT id, f(f64) FROM {t} WHERE f64 IS NOT NULL"),
    Case(with_tax, "float", "SELECT id, f(f32) FROM {t} WHERE f32 IS NOT NULL"),
    Case(clamp, "double", "SELECT id, f(f64) FROM {t} WHERE f64 IS NOT NULL"),
    Case(clamp, "double", "SELECT id, f(i32, 1, 7.5D) FROM {t} WHERE i32 IS NOT NULL"),
    Case(steps, "int", "SELECT id, f(i16) FROM {t} WHERE i16 IS NOT NULL"),
    Case(steps, "long", "SELECT g, count(f(g)), max(f(g)) FROM {t} WHERE g > 0 GROUP BY g"),
    Case(weighted, "double", "SELECT id, f(g) FROM {t}"),
    Case(described, "double", "SELECT id, f(f64) FROM {t}"),
    Case(described, "double", "SELECT id, f(i32) FROM {t}"),
    Case(described, "long", "SELECT id, f(i64) FROM {t}"),
    Case(mixed, "double", "SELECT id, f(f64) FROM {t}"),
    Case(mixed, "int", "SELECT id, f(i8) FROM {t}"),
    Case(mixed, "boolean", "SELECT id, f(b) FROM {t}"),
    Case(both, "boolean", "SELECT id FROM {t} WHERE f(f64, f32)"),
    Case(both, "boolean", "SELECT id, f(i64, i32), f(b, g) FROM {t}"),
    Case(classified, "int", "SELECT id, f(f64) FROM {t} WHERE f64 IS NOT NULL"),
    Case(lambda x: x, "byte", "SELECT id, f(i64) FROM {t}"),
    Case(lambda x: x, "short", "SELECT id, f(i64) FROM {t}"),
    Case(lambda x: x, "int", "SELECT id, f(i64) FROM {t}"),
    Case(lambda x: x, "double", "SELECT id, f(i64), f(f32), f(b), f(NULL) FROM {t}"),
    Case(lambda x: x, "float", "SELECT id, f(f64), f(f32) FROM {t}"),
    Case(lambda x: -x if x is not None else True, "boolean", "SELECT id, f(f64), f(i8) FROM {t}"),
    Case(lambda x, y: (x or 0) + (y or 0), "long", "SELECT id, f(i32, i16) FROM {t}"),
    Case(lambda x, y: (x or 0) + (y or 0), "double", "SELECT id, f(f64, i16) FROM {t}"),
    Case(lambda x: math.sin(x) if abs(x) < 1e6 else math.floor(1.5), "double", "SELECT f(f64) FROM {t} WHERE id < 99"),
    Case(lambda x: float(np.sqrt(abs(x))), "double", "SELECT f(f64) FROM {t} WHERE f64 IS NOT NULL"),
    Case(lambda x: 3, "long", "SELECT sum(f(g)) FROM {t}"),
]


def _named(case: Case) -> str:
    return f"{case.function.__name__}-{case.returns}"


@pytest.mark.parametrize("data", ["moderate", "extreme"])
@pytest.mark.parametrize("case", CASES, ids=_named)
def test_same(spark: SparkSession, typed: Any, case: Case, data: str) -> None:
    """The same rows; the table of extremes holds values for which Spark has to be asked."""
    spark.udf.register("f", F.udf(case.function, case.returns, useArrow=False))
    query = case.query.format(t=f"{data}_many")
    if data == "moderate" and "sin" not in query:
        assert_same(spark, query, raises=ANY)
    else:
        _assert_same_or_asked(spark, query)


def _assert_same_or_asked(spark: SparkSession, query: str) -> None:
    """The same rows or errors, whether PyFlare has them or gives the query back."""
    from tests.differential import _outcome, compare

    explanation = pyflare.explain(query, spark)
    assert explanation.fully_accelerated, str(explanation)
    answers = []
    for enabled in ("false", "true"):
        with configured(spark, {"spark.pyflare.enabled": enabled}):
            answers.append(_outcome(spark, query))
    compare(answers[0], answers[1])


@pytest.mark.parametrize("returns", ["double", "float", "long", "int", "byte", "boolean"])
def test_arrow(spark: SparkSession, typed: Any, returns: str) -> None:
    """`useArrow` converts results; PyFlare takes those that need no conversion."""
    spark.udf.register("f", F.udf(lambda x: x, returns, useArrow=True))
    column = {"double": "f64", "float": "f32", "long": "i64", "int": "i16", "byte": "i8", "boolean": "b"}[returns]
    assert_same(spark, f"SELECT id, f({column}) FROM extreme_many")
    assert_same(spark, "SELECT id, f(i64) FROM extreme_many", accelerated=False, raises=ANY)


def test_several_and_nested(spark: SparkSession, typed: Any) -> None:
    """Functions of functions hand over what Python gives, not what the inner one is declared to return."""
    spark.udf.register("one", F.udf(lambda x: 1 if x > 0 else x, "double", useArrow=False))
    spark.udf.register("half", F.udf(lambda x: x / 2, "double", useArrow=False))
    spark.udf.register("positive", F.udf(lambda x: x > 0, "boolean", useArrow=False))
    where = "WHERE f64 IS NOT NULL AND positive(f64)"
    assert_same(spark, f"SELECT half(one(f64)), one(f64), half(half(f64)) FROM moderate_many {where}")
    assert_same(spark, f"SELECT sum(half(f64) + one(g)) FROM moderate_many {where} AND g > 0", floats="close")


def test_in_one_kernel(spark: SparkSession, typed: Any) -> None:
    """A filter, a function and a sum are one loop."""
    spark.udf.register("f", F.udf(lambda a, b: a * b, "double", useArrow=False))
    spark.udf.register("g", F.udf(lambda a: a - 1, "double", useArrow=False))
    query = "SELECT sum(f(f64, i16)) FROM moderate_one WHERE g(f64) > 0 AND i16 IS NOT NULL"
    assert_same(spark, query, floats="close")
    assert pyflare.flare(query, spark).kernels().count("def kernel(") == 1


@pytest.mark.parametrize(
    "function",
    [lambda x: 1.0 / x, lambda x: x + None, lambda x: math.sqrt(x), lambda x: int(x) + 0.5, lambda x: x % 0, checked],
)
def test_errors_are_python_s(spark: SparkSession, typed: Any, function: Callable[..., Any]) -> None:
    """What raises in Python raises in Spark, with the same exception."""
    spark.udf.register("f", F.udf(function, "double", useArrow=False))
    found = assert_same_error(spark, "SELECT f(f64) FROM extreme_one")
    assert found


def assert_same_error(spark: SparkSession, query: str) -> bool:
    """Assert that both ways end with the same Python exception."""
    last = []
    for enabled in ("false", "true"):
        with configured(spark, {"spark.pyflare.enabled": enabled}), pytest.raises(Exception, match="Error") as caught:
            spark.sql(query).collect()
        last.append(_last_line(str(caught.value)))
    return last[0] == last[1]


def _last_line(message: str) -> str:
    return next(line for line in message.splitlines() if "Error:" in line)


def test_a_function_runs_for_every_row(spark: SparkSession, typed: Any) -> None:
    """Spark calls functions before it looks at conditions around them: so their exceptions count."""
    spark.udf.register("f", F.udf(lambda x: 1 / x, "double", useArrow=False))
    assert assert_same_error(spark, "SELECT CASE WHEN i32 > 0 THEN f(i32) END FROM extreme_one WHERE i32 IS NOT NULL")


REFUSED: Final[list[tuple[Callable[..., Any], str, str]]] = [
    (lambda x: str(x), "string", "its declared type is string"),
    (lambda x: [x], "double", "it makes a list"),
    (lambda x: TABLE[x], "double", "it reads TABLE, a dict"),
    (lambda x: np.sqrt(x), "double", "numpy.float64"),
    (lambda x: float(np.exp(x)), "double", "math.exp is supported"),
    (lambda x: random.random(), "double", "random"),
    (lambda x: print(x), "double", "print"),
    (lambda x: round(x, 2), "double", "digits"),
    (lambda x: sum(k for k in range(3)), "double", "function"),
    (lambda x: (x, x), "double", "it returns tuple"),
]


@pytest.mark.parametrize(("function", "returns", "reason"), REFUSED, ids=[reason for _, _, reason in REFUSED])
def test_refused(spark: SparkSession, typed: Any, function: Callable[..., Any], returns: str, reason: str) -> None:
    """Spark runs the function, and the explanation names it and the cause."""
    frame = spark.table("moderate_one").select(F.udf(function, returns, useArrow=False)("f64"))
    found = str(pyflare.explain(frame))
    assert "the Python function <lambda> is not compiled" in found
    assert reason in found


def _catching(x: float) -> float:
    try:
        return 1.0 / x
    except ZeroDivisionError:
        return 0.0


def _counting(x: float) -> float:
    global CALLS
    CALLS += 1
    return x + CALLS


CALLS = 0


def test_what_is_not_pure_is_refused(spark: SparkSession, typed: Any) -> None:
    """Exceptions that are caught, variables that change, what the user calls nondeterministic, broadcast variables."""
    broadcast = spark.sparkContext.broadcast(3.0)
    seen = spark.sparkContext.accumulator(0)

    def adding(x: float) -> float:
        seen.add(1)
        return x

    functions = {
        "try": F.udf(_catching, "double", useArrow=False),
        "assigns the global variable": F.udf(_counting, "double", useArrow=False),
        "nondeterministic": F.udf(lambda x: x, "double", useArrow=False).asNondeterministic(),
        "cannot be loaded here|broadcast": F.udf(lambda x: x + broadcast.value, "double", useArrow=False),
        "of the type Accumulator|cannot be loaded": F.udf(adding, "double", useArrow=False),
    }
    for reason, function in functions.items():
        found = str(pyflare.explain(spark.table("moderate_one").select(function("f64"))))
        assert any(part in found for part in reason.split("|")), found


@pytest.mark.parametrize(
    ("attribute", "other", "text"),
    [
        ("environment", {"MODE": "x"}, "MODE set in their environment"),
        ("_python_includes", ["more.py"], "with files of Python code"),
        ("pythonVer", "3.1", "it was made by Python 3.1"),
    ],
)
def test_functions_that_may_mean_something_else_in_sparks_workers(
    spark: SparkSession, typed: Any, monkeypatch: pytest.MonkeyPatch, attribute: str, other: Any, text: str
) -> None:
    context = spark.sparkContext
    if isinstance(other, dict):
        other = {**context.environment, **other}
    monkeypatch.setattr(context, attribute, other)
    frame = spark.table("moderate_one").select(F.udf(lambda x: x, "double", useArrow=False)("f64"))
    found = str(pyflare.explain(frame))
    assert "the Python function <lambda> is not compiled" in found
    assert text in found


def _flipped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(y: Any, x: Any) -> Any:
        return function(x, y)

    return inner


def _minus(x: int, y: int) -> int:
    return x - y


def _kept_or_gone(x: int) -> int:
    y = x + 1
    if x > 0:
        del y
    return y


def test_arguments_of_a_function_that_wraps_another(spark: SparkSession, typed: Any) -> None:
    spark.udf.register("f", F.udf(_flipped(_minus), "long", useArrow=False))
    spark.udf.register("g", F.udf(lambda x, y: _flipped_minus(x, y) + 1, "long", useArrow=False))
    assert_same(spark, "SELECT id, f(i32, i16), g(i32, i16) FROM moderate_one WHERE i32 + i16 IS NOT NULL")


_flipped_minus = _flipped(_minus)


def test_a_variable_that_is_deleted(spark: SparkSession, typed: Any) -> None:
    frame = spark.table("moderate_one").select(F.udf(_kept_or_gone, "long", useArrow=False)("i32"))
    assert "deletes the variable y" in str(pyflare.explain(frame))


def _ranged(x: float) -> float:
    for k in range(1, 5, 1, 9):  # type: ignore[call-overload]
        x += k
    return x


@pytest.mark.parametrize("function", [lambda x: max(x), lambda x: min(x), _ranged])
def test_what_python_does_not_take_is_an_error(spark: SparkSession, typed: Any, function: Callable[..., Any]) -> None:
    spark.udf.register("f", F.udf(function, "double", useArrow=False))
    outcome = assert_same(spark, "SELECT f(f64) FROM moderate_one WHERE f64 > 0", accelerated=False, raises=ANY)
    assert isinstance(outcome, Raised)


def test_the_very_same_nan_is_in_a_tuple(spark: SparkSession, typed: Any) -> None:
    spark.udf.register("f", F.udf(lambda a, b: a in (b, 0.0), "boolean", useArrow=False))
    assert_same(spark, "SELECT id, f(x, x) FROM (SELECT id, double('NaN') AS x FROM moderate_one)", accelerated=False)


def test_a_name_explains(spark: SparkSession, typed: Any) -> None:
    frame = spark.table("moderate_one").select(F.udf(_catching, "double", useArrow=False)("f64"))
    assert "the Python function _catching is not compiled" in str(pyflare.explain(frame))


# pyflare.udf ----------------------------------------------------------------------------------------------------------


@pyflare.udf("double")
def squared(x: float) -> float:
    return x * x


@pyflare.udf(returnType="long")
def increased(x: int) -> int:
    return x + 1


def test_compiled_on_demand(spark: SparkSession, typed: Any) -> None:
    def query(spark: SparkSession) -> DataFrame:
        return spark.table("moderate_many").where("f64 IS NOT NULL AND g > 0").select(squared("f64"), increased("g"))

    assert isinstance(assert_same(spark, query), Answer)


def test_a_demand_that_cannot_be_met(spark: SparkSession, typed: Any) -> None:
    """At the definition where types do not matter, else when the query is planned."""
    with pytest.raises(NotCompiled, match=r"_catching is not compiled: .*try"):
        pyflare.udf(_catching, "double")
    with pytest.raises(NotCompiled, match="its declared type is string"):
        pyflare.udf(lambda x: x)
    rounded = pyflare.udf(lambda x: round(x, 2), "double")
    frame = spark.table("moderate_many").where("f64 IS NOT NULL").select(rounded("f64"))
    with pytest.raises(IllegalArgumentException, match="<lambda> is not compiled: round"):
        frame.collect()
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        assert spark.table("moderate_many").where("f64 IS NOT NULL").select(rounded("f64")).collect()


def test_a_demand_with_a_wrong_argument(spark: SparkSession, typed: Any) -> None:
    with pytest.raises(IllegalArgumentException, match="an argument is of the type string"):
        spark.table("moderate_many").select(squared("s")).collect()
