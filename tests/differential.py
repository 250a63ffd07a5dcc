"""Every query twice, with PyFlare and without: same schema, same rows, same errors."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

import pyflare
from pyflare.explanation import Explanation

Query: TypeAlias = str | Callable[[SparkSession], DataFrame]
Row: TypeAlias = tuple[Any, ...]

CLOSE: Final = 1e-9
ANY: Final = "any error"
_WHERE_IT_RAN: Final = re.compile(r"(stage|task|TID|executor|RDD Block)[ _]?[\d.]+|\(\S+ executor \S+\)", re.IGNORECASE)
_TRACES: Final = re.compile(r"\n*(Driver stacktrace:|JVM stacktrace:|\tat ).*", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What a query gave: the schema as Spark writes it down, and the rows."""

    schema: str
    rows: tuple[Row, ...]
    floats: tuple[int, ...]
    ordered: bool


@dataclass(frozen=True)
class Raised:
    """What a query raised: Python's class, Spark's error condition and state, and the message."""

    kind: str
    condition: str
    state: str
    message: str


def assert_same(
    spark: SparkSession,
    query: Query,
    *,
    accelerated: bool | str = True,
    floats: str = "exact",
    raises: str = "",
    conf: Mapping[str, str] | None = None,
) -> Answer | Raised:
    """Assert that the query is the same with PyFlare as without, and return what it gave.

    `accelerated`: True asserts that all of the plan runs in PyFlare, a text that some of it does not and that a reason
    contains the text; False asserts neither. `floats="close"` lets floating-point values differ by 1e-9 of their size,
    for sums. `raises` is the error condition that the query may end with (or `ANY`); another is a mistake in the test.
    """
    with configured(spark, {**(conf or {}), "spark.pyflare.enabled": "false"}):
        expected = _outcome(spark, query)
    if isinstance(expected, Raised):
        assert raises in (expected.condition, ANY), f"Spark itself raises {expected.condition}: {expected.message}"
    with configured(spark, {**(conf or {}), "spark.pyflare.enabled": "true"}):
        actual = _outcome(spark, query, accelerated)
    compare(expected, actual, floats)
    return actual


def assert_same_rows(expected: Answer, actual: Answer, floats: str = "exact") -> None:
    """Assert that two answers are the same; see `assert_same` for `floats`."""
    assert actual.schema == expected.schema
    assert len(actual.rows) == len(expected.rows), f"{len(actual.rows)} rows instead of {len(expected.rows)}"
    same = _same_value if floats == "exact" else _close_value
    left, right = (_arranged(answer, expected.ordered, floats) for answer in (expected, actual))
    different = [(e, a) for e, a in zip(left, right, strict=True) if not all(map(same, e, a))]
    shown = "\n".join(f"  Spark   {e}\n  PyFlare {a}" for e, a in different[:5])
    assert not different, f"{len(different)} of {len(left)} rows differ:\n{shown}"


def compare(expected: Answer | Raised, actual: Answer | Raised, floats: str = "exact") -> None:
    """Assert that both engines gave the same rows or raised the same error."""
    if isinstance(expected, Answer) and isinstance(actual, Answer):
        assert_same_rows(expected, actual, floats)
    else:
        assert actual == expected


@contextmanager
def configured(spark: SparkSession, conf: Mapping[str, str]) -> Iterator[None]:
    """Set runtime settings for a while."""
    before = {key: spark.conf.get(key, None) for key in conf}
    for key, value in conf.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, value in before.items():
            spark.conf.unset(key) if value is None else spark.conf.set(key, value)


def _outcome(spark: SparkSession, query: Query, accelerated: bool | str = False) -> Answer | Raised:
    try:
        frame = spark.sql(query) if isinstance(query, str) else query(spark)
        taken = _assert_accelerated(frame, accelerated) if accelerated else False
        found = answer(frame)
        assert not taken or ran_in_pyflare(frame), "PyFlare gave the query back to Spark while it ran"
        return found
    except PySparkException as error:
        return _raised(error)
    except Py4JJavaError as error:
        return _raised_by_java(error)


def _assert_accelerated(frame: DataFrame, accelerated: bool | str) -> bool:
    """Assert what `accelerated` says. Returns whether all of the plan runs in PyFlare."""
    explanation = pyflare.explain(frame)
    if accelerated is not True:
        reasons = [reason.reason for reason in explanation.reasons]
        assert any(str(accelerated) in reason for reason in reasons), f"no reason says {accelerated!r}:\n{explanation}"
    elif not _reads_nothing(explanation):
        assert explanation.fully_accelerated, f"not everything runs in PyFlare:\n{explanation}"
    return explanation.fully_accelerated


def _reads_nothing(explanation: Explanation) -> bool:
    """Whether the optimizer found that the query reads no table, so that PyFlare has no reason to take it."""
    return bool(explanation.reasons) and all(r.op == "LocalTableScanExec" for r in explanation.reasons)


def ran_in_pyflare(frame: DataFrame) -> bool:
    """Whether the backend delivered the rows of a frame that was planned as one fragment and has run."""
    return figure(frame, "handoverNs") > 0


def figure(frame: DataFrame, metric: str) -> int:
    """What a metric says of the last run of a frame that was planned as one fragment."""
    plan = frame._jdf.queryExecution().executedPlan()
    while not plan.nodeName().startswith("PyFlare"):
        plan = _below(plan)
    return int(plan.metrics().apply(metric).value())


def _below(plan: Any) -> Any:
    """The plan inside Spark's wrapper of it."""
    if plan.nodeName() == "AdaptiveSparkPlan":
        return plan.executedPlan()
    return plan.plan() if "QueryStage" in plan.nodeName() else plan.children().head()


def answer(frame: DataFrame) -> Answer:
    """The schema and rows of a frame, fetched as Arrow so that no value is too extreme for Python."""
    table = frame.toArrow()
    floats = tuple(i for i, field in enumerate(table.schema) if pa.types.is_floating(field.type))
    columns = [_values(column) for column in table.columns]
    rows = tuple(zip(*columns, strict=True)) if columns else ((),) * table.num_rows
    return Answer(frame.schema.json(), rows, floats, _is_ordered(frame))


def _values(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_date32(kind):
        return list(column.cast(pa.int32()).to_pylist())
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        return list(column.cast(pa.int64()).to_pylist())
    return list(column.to_pylist())


def _is_ordered(frame: DataFrame) -> bool:
    return bool(frame._jdf.queryExecution().optimizedPlan().outputOrdering().nonEmpty())


def _raised(error: PySparkException) -> Raised:
    condition, state = error.getCondition() or "", error.getSqlState() or ""
    return Raised(type(error).__name__, condition, state, normal_message(str(error)))


def _raised_by_java(error: Py4JJavaError) -> Raised:
    """An error that Spark does not make its own, as of `Math.addExact`: the class of its cause is the condition."""
    cause = error.java_exception
    while cause.getCause() is not None:
        cause = cause.getCause()
    return Raised(type(error).__name__, cause.getClass().getName(), "", normal_message(str(cause.getMessage())))


def normal_message(message: str) -> str:
    """A message without stack traces and without the numbers of stages and tasks."""
    return _WHERE_IT_RAN.sub(r"\1", _TRACES.sub("", message)).strip()


def _arranged(answer: Answer, ordered: bool, floats: str) -> list[Row]:
    if ordered:
        return list(answer.rows)
    return sorted(answer.rows, key=repr if floats == "exact" else lambda row: _rough_key(row, answer.floats))


def _rough_key(row: Row, floats: tuple[int, ...]) -> str:
    """Sorts rows that are close beside each other: floating-point values come last, and rounded."""
    exact = [value for i, value in enumerate(row) if i not in floats]
    rough = [row[i] if row[i] is None else f"{row[i]:.6e}" for i in floats]
    return repr((exact, rough))


def _same_value(expected: Any, actual: Any) -> bool:
    """Equal, NaN included, with the zeros' signs told apart: `repr` of a float is exact."""
    return bool(repr(expected) == repr(actual))


def _close_value(expected: Any, actual: Any) -> bool:
    if isinstance(expected, float) and isinstance(actual, float):
        both_nan = math.isnan(expected) and math.isnan(actual)
        return both_nan or math.isclose(expected, actual, rel_tol=CLOSE, abs_tol=1e-300)
    return _same_value(expected, actual)
