"""Random queries over the columns of `tests/tables.py`, as hypothesis strategies that make SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_COLUMNS: Final = {
    "int": ("i8", "i16", "i32", "i64", "id", "g"),
    "double": ("f64", "f32"),
    "decimal": ("d9", "d18"),
    "string": ("s", "k"),
    "date": ("dt",),
    "boolean": ("b",),
}
_LITERALS: Final = {
    "int": ("0", "1", "-3", "100", "32767"),
    "double": ("0.0D", "-0.5D", "1e10D", "double('NaN')"),
    "decimal": ("0.00", "-1.5", "12345.678"),
    "string": ("''", "'a'", "'spark'", "'%a'", "'Ä'"),
    "date": ("DATE'1970-01-01'", "DATE'2001-02-28'", "DATE'1500-06-01'"),
    "boolean": ("true", "false"),
}
_KEYS: Final = ("g", "k", "b", "i8", "dt", "d9", "i32 % 7", "year(dt)", "s")
_TYPES: Final = tuple(_COLUMNS)


@dataclass(frozen=True)
class Query:
    """A query over the view `t`; `sums` says that it adds floating-point numbers, in whatever order."""

    sql: str
    sums: bool


def queries() -> SearchStrategy[Query]:
    """A projection of filtered rows, or an aggregation."""
    return st.one_of(_projections(), _aggregations())


@st.composite
def _projections(draw: st.DrawFn) -> Query:
    columns = draw(st.lists(_any(2), min_size=1, max_size=4))
    named = ", ".join(f"{column} AS c{index}" for index, column in enumerate(columns))
    ending = draw(st.sampled_from(("", " ORDER BY id", " ORDER BY id DESC LIMIT 7")))
    return Query(f"SELECT id, {named} FROM t{draw(_where())}{ending}", sums=False)


@st.composite
def _aggregations(draw: st.DrawFn) -> Query:
    keys = draw(st.lists(st.sampled_from(_KEYS), max_size=2, unique=True))
    calls = draw(st.lists(_calls(), min_size=1, max_size=4))
    selected = ", ".join([*keys, *(f"{call} AS a{index}" for index, (call, _) in enumerate(calls))])
    grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
    having = draw(st.sampled_from(("", " HAVING count(*) > 2")))
    return Query(f"SELECT {selected} FROM t{draw(_where())}{grouped}{having}", sums=any(sums for _, sums in calls))


@st.composite
def _calls(draw: st.DrawFn) -> tuple[str, bool]:
    """An aggregate function over an expression, sometimes with a filter, and whether it adds floating-point numbers."""
    sums = False
    kind = draw(st.sampled_from(("count", "extreme", "sum")))
    if kind == "count":
        call = draw(st.sampled_from(("count(*)", f"count({draw(_any(1))})")))
    elif kind == "extreme":
        call = f"{draw(st.sampled_from(('min', 'max')))}({draw(_any(1))})"
    else:
        function, type_ = draw(
            st.tuples(st.sampled_from(("sum", "avg")), st.sampled_from(("int", "decimal", "double")))
        )
        call = f"{function}({draw(_expressions(type_, 1))})"
        sums = type_ == "double" or (function, type_) == ("avg", "int")
    filtered = draw(st.sampled_from(("", "", f" FILTER (WHERE {draw(_expressions('boolean', 1))})")))
    return call + filtered, sums


def _where() -> SearchStrategy[str]:
    return st.one_of(st.just(""), _expressions("boolean", 2).map(lambda condition: f" WHERE {condition}"))


def _any(depth: int) -> SearchStrategy[str]:
    return st.sampled_from(_TYPES).flatmap(lambda type_: _expressions(type_, depth))


def _expressions(type_: str, depth: int) -> SearchStrategy[str]:
    """SQL of a type. Depth bounds how far expressions nest."""
    leaf = st.sampled_from(_COLUMNS[type_] * 3 + _LITERALS[type_])
    if depth == 0:
        return leaf
    special = {"boolean": _conditions, "string": _strings, "date": _dates}.get(type_, _arithmetic)
    return st.one_of(leaf, _choices(type_, depth - 1), special(type_, depth - 1))


def _choices(type_: str, depth: int) -> SearchStrategy[str]:
    """What every type has: CASE, COALESCE, IF, NULLIF."""
    value, condition = _expressions(type_, depth), _expressions("boolean", depth)
    return st.one_of(
        st.tuples(condition, value, value).map(lambda p: f"CASE WHEN {p[0]} THEN {p[1]} ELSE {p[2]} END"),
        st.tuples(condition, value).map(lambda p: f"CASE WHEN {p[0]} THEN {p[1]} END"),
        st.tuples(value, value).map(lambda p: f"coalesce({p[0]}, {p[1]})"),
        st.tuples(value, value).map(lambda p: f"nullif({p[0]}, {p[1]})"),
    )


def _arithmetic(type_: str, depth: int) -> SearchStrategy[str]:
    value = _expressions(type_, depth)
    binary = st.tuples(value, st.sampled_from("+-*"), value).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    return st.one_of(binary, value.map(lambda x: f"(- {x})"), value.map(lambda x: f"abs({x})"))


def _strings(_: str, depth: int) -> SearchStrategy[str]:
    value = _expressions("string", depth)
    part = st.tuples(value, st.integers(-3, 4), st.integers(0, 5)).map(lambda p: f"substring({p[0]}, {p[1]}, {p[2]})")
    function = st.tuples(st.sampled_from(("upper", "lower", "trim")), value).map(lambda p: f"{p[0]}({p[1]})")
    return st.one_of(part, function, st.tuples(value, value).map(lambda p: f"concat({p[0]}, {p[1]})"))


def _dates(_: str, depth: int) -> SearchStrategy[str]:
    value = _expressions("date", depth)
    return st.tuples(value, st.integers(-400, 400)).map(lambda p: f"date_add({p[0]}, {p[1]})")


def _conditions(_: str, depth: int) -> SearchStrategy[str]:
    condition = _expressions("boolean", depth)
    like = st.tuples(_expressions("string", depth), st.sampled_from(("a%", "%k", "%par%", "_\\_%", "", "%")))
    return st.one_of(
        _comparisons(depth),
        st.tuples(condition, st.sampled_from(("AND", "OR")), condition).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        condition.map(lambda x: f"(NOT {x})"),
        _any(depth).map(lambda x: f"({x} IS NULL)"),
        like.map(lambda p: f"({p[0]} LIKE '{p[1]}')"),
    )


def _comparisons(depth: int) -> SearchStrategy[str]:
    operators = st.sampled_from(("=", "<", "<=", ">", ">=", "<>", "<=>"))
    compared = st.sampled_from(_TYPES).flatmap(
        lambda type_: st.tuples(_expressions(type_, depth), operators, _expressions(type_, depth))
    )
    listed = st.sampled_from(_TYPES).flatmap(
        lambda type_: st.tuples(_expressions(type_, depth), st.lists(st.sampled_from(_LITERALS[type_]), min_size=1))
    )
    return st.one_of(
        compared.map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        listed.map(lambda p: f"({p[0]} IN ({', '.join(p[1])}))"),
    )
