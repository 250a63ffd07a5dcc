"""Random queries that join the tables of `tests/join_tables.py`, as hypothesis strategies that make SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.join_tables import COLUMNS

VIEWS: Final = ("a", "b", "c")

_SAME: Final = tuple(f"{{x}}.{name} = {{y}}.{name}" for name in COLUMNS)
_NULL_SAFE: Final = tuple(f"{{x}}.{name} <=> {{y}}.{name}" for name in COLUMNS)
_MIXED: Final = (
    "{x}.k16 = {y}.k32",
    "{x}.k32 = {y}.k64",
    "{x}.k64 = {y}.k16",
    "{x}.k32 = {y}.dec",
    "{x}.dec = {y}.wide",
    "{x}.wide = {y}.k64",
    "{x}.k32 = {y}.dbl",
    "{x}.dec = {y}.dbl",
    "{x}.text = cast({y}.k32 AS string)",
    "{x}.ts = {y}.day",
)
_COMPUTED: Final = (
    "{x}.k32 + 1 = {y}.k32",
    "{x}.k64 % 3 = {y}.k64 % 3",
    "{x}.k32 + {x}.k16 = {y}.k32",
    "upper({x}.text) = concat({y}.text, '')",
    "substring({x}.text, 1, 1) = substring({y}.text, 1, 1)",
    "coalesce({x}.dec, 1.00) = {y}.dec",
    "{x}.dec * 2 = {y}.dec + {y}.dec",
    "{x}.day = date_add({y}.day, 1)",
    "year({x}.day) = year({y}.day)",
    "{x}.dbl * 2 = {y}.dbl",
    "{x}.dbl * 0 = {y}.dbl",
    "({x}.v > 2) = {y}.flag",
)
_RESIDUALS: Final = (
    "{x}.v < {y}.v",
    "{x}.v + {y}.v > 3",
    "{x}.id <> {y}.id",
    "{x}.text <> {y}.text",
    "({x}.v IS NULL OR {y}.v > 3)",
    "({x}.flag OR {y}.flag)",
    "{x}.dbl > {y}.dbl",
    "coalesce({x}.dec + {y}.wide, 0) >= 1",
    "{x}.v > 2",
    "{y}.v > 2",
    "{y}.text IS NULL",
)
_FILTERS: Final = ("{x}.v > 2", "{x}.id % 3 = 0", "{x}.text IS NOT NULL", "({x}.v IS NULL OR {x}.flag)", "{x}.id < 0")
_KINDS: Final = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN")
_NARROWING: Final = ("LEFT SEMI JOIN", "LEFT ANTI JOIN")
_HINTS: Final = ("", "", "BROADCAST", "MERGE", "SHUFFLE_HASH")
_CALLS: Final = (
    "count(*)",
    "count({c})",
    "count(DISTINCT {c})",
    "min({e})",
    "max({e})",
    "sum({x}.v)",
    "avg({x}.v)",
    "sum(DISTINCT {x}.v)",
    "sum({x}.dec)",
    "sum({x}.k64) FILTER (WHERE {x}.flag)",
    "count(DISTINCT {c}, {x}.v)",
)
_EXACT: Final = tuple(name for name in COLUMNS if name != "dbl")
"""What `min` and `max` may take: of -0.0 and 0.0 Spark keeps the one that it sees first."""
_COMPUTED_GROUPS: Final = ("{x}.k32 % 3", "year({x}.day)", "{x}.dbl * 2", "upper({x}.text)", "{x}.flag AND {x}.v > 1")


def queries() -> SearchStrategy[str]:
    """A query over the views `a`, `b` and `c`: joins, and what is done with their rows."""
    return _relations().flatmap(
        lambda found: st.one_of(_rows(*found), _groups(*found), _groups(*found)),
    )


# Relations ------------------------------------------------------------------------------------------------------------


@st.composite
def _relations(draw: st.DrawFn) -> tuple[str, str, tuple[str, ...]]:
    """A hint, what follows FROM, and the views whose columns are visible after it."""
    shape = draw(st.sampled_from(("join", "join", "join", "two joins", "not in", "exists or", "exists")))
    if shape == "not in":
        return "", _not_in(draw), ("a",)
    if shape.startswith("exists"):
        return "", _exists(draw, shape), ("a",)
    kind = draw(st.sampled_from(_KINDS))
    text, visible = f"a {_joined(draw, kind, ('a',), 'b')}", _visible(("a",), kind, "b")
    hints = [draw(st.sampled_from(_HINTS)) + f"({draw(st.sampled_from('ab'))})"]
    if shape == "two joins":
        kind = draw(st.sampled_from(_KINDS[:-1]))
        text, visible = f"{text} {_joined(draw, kind, visible, 'c')}", _visible(visible, kind, "c")
        hints.append(draw(st.sampled_from(_HINTS)) + "(c)")
    where = [draw(_of(_FILTERS, x)) for x in visible if draw(st.integers(0, 3)) == 0]
    written = ", ".join(hint for hint in hints if not hint.startswith("("))
    return (f"/*+ {written} */ " if written else ""), text + _where(where), visible


def _visible(before: tuple[str, ...], kind: str, view: str) -> tuple[str, ...]:
    return before if kind in _NARROWING else (*before, view)


def _joined(draw: st.DrawFn, kind: str, left: Sequence[str], right: str) -> str:
    if kind == "CROSS JOIN":
        return f"CROSS JOIN {right}"
    return f"{kind} {right} ON {draw(_conditions(left, right))}"


@st.composite
def _conditions(draw: st.DrawFn, left: Sequence[str], right: str) -> str:
    """One to three equal keys, seldom none, and sometimes a condition more."""
    keys = draw(st.lists(_keys(left, right), min_size=draw(st.sampled_from((0, 1, 1, 1, 1))), max_size=3))
    residuals = draw(st.lists(_pairs(_RESIDUALS, left, right), max_size=draw(st.sampled_from((0, 1, 2)))))
    return " AND ".join((*keys, *residuals)) or "true"


def _keys(left: Sequence[str], right: str) -> SearchStrategy[str]:
    kinds = (_SAME, _SAME, _NULL_SAFE, _MIXED, _COMPUTED)
    return st.sampled_from(kinds).flatmap(lambda templates: _pairs(templates, left, right))


def _pairs(templates: Sequence[str], left: Sequence[str], right: str) -> SearchStrategy[str]:
    """A condition between a view of the left side and the right one, either way round."""
    sides = st.sampled_from(left).flatmap(lambda view: st.sampled_from(((view, right), (right, view))))
    return st.tuples(st.sampled_from(templates), sides).map(lambda p: p[0].format(x=p[1][0], y=p[1][1]))


def _of(templates: Sequence[str], view: str) -> SearchStrategy[str]:
    return st.sampled_from(templates).map(lambda template: template.format(x=view))


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _not_in(draw: st.DrawFn) -> str:
    """NOT IN: nothing is kept if the list has a null, and a null is kept only if the list is empty."""
    columns = draw(st.lists(st.sampled_from((*COLUMNS, "v")), min_size=1, max_size=draw(st.sampled_from((1, 1, 1, 2)))))
    inner = [draw(_of((*_FILTERS, *(f"{{x}}.{column} IS NOT NULL" for column in columns)), "b"))]
    inner = inner if draw(st.booleans()) else []
    outer = draw(st.sampled_from(("", " AND a.id % 2 = 0")))
    left, right = ", ".join(f"a.{c}" for c in columns), ", ".join(f"b.{c}" for c in columns)
    return f"a WHERE ({left}) NOT IN (SELECT {right} FROM b{_where(inner)}){outer}"


def _exists(draw: st.DrawFn, shape: str) -> str:
    condition = draw(_conditions(("a",), "b"))
    negated = draw(st.sampled_from(("", "NOT ")))
    other = f" OR {draw(_of(_FILTERS, 'a'))}" if shape == "exists or" else ""
    return f"a WHERE {negated}EXISTS (SELECT 1 FROM b WHERE {condition}){other}"


# What is selected -----------------------------------------------------------------------------------------------------


@st.composite
def _rows(draw: st.DrawFn, hint: str, relation: str, visible: tuple[str, ...]) -> str:
    """The joined rows. In full, they are told apart by their ids: an order by these leaves no choice."""
    ids = ", ".join(f"{view}.id AS id_{view}" for view in visible)
    columns = draw(st.lists(st.tuples(st.sampled_from(visible), st.sampled_from((*COLUMNS, "v"))), max_size=4))
    named = "".join(f", {view}.{column} AS c{index}" for index, (view, column) in enumerate(columns))
    if draw(st.integers(0, 4)) == 0 and columns:
        return f"SELECT {hint}DISTINCT {named[2:]} FROM {relation}"
    order = " ORDER BY " + ", ".join(f"id_{view}" for view in visible)
    ending = draw(st.sampled_from(("", "", order, f"{order} LIMIT 9")))
    return f"SELECT {hint}{ids}{named} FROM {relation}{ending}"


@st.composite
def _groups(draw: st.DrawFn, hint: str, relation: str, visible: tuple[str, ...]) -> str:
    keys = draw(st.lists(_group_keys(visible), max_size=3, unique=True))
    calls = draw(st.lists(_calls(visible), min_size=1, max_size=3))
    how = draw(st.sampled_from(("{}", "{}", "{}", "ROLLUP ({})", "CUBE ({})"))) if keys else ""
    marks = ", grouping_id() AS gid" if how.endswith(")") else ""
    named = [f"{text} AS g{index}" for index, text in enumerate(keys)]
    named += [f"{text} AS n{index}" for index, text in enumerate(calls)]
    grouped = f" GROUP BY {how.format(', '.join(keys))}" if keys else ""
    having = draw(st.sampled_from(("", "", " HAVING count(*) > 1")))
    order = ", ".join((*(f"g{index}" for index in range(len(keys))), *(("gid",) if marks else ())))
    ending = draw(st.sampled_from(("", "", f" ORDER BY {order} LIMIT 5"))) if keys else ""
    return f"SELECT {hint}{', '.join(named)}{marks} FROM {relation}{grouped}{having}{ending}"


def _group_keys(visible: Sequence[str]) -> SearchStrategy[str]:
    plain = tuple(f"{{x}}.{column}" for column in (*COLUMNS, "v"))
    return st.sampled_from(visible).flatmap(lambda view: _of((*plain, *plain, *_COMPUTED_GROUPS), view))


def _calls(visible: Sequence[str]) -> SearchStrategy[str]:
    view, column, exact = st.sampled_from(visible), st.sampled_from(tuple(COLUMNS)), st.sampled_from(_EXACT)
    return st.tuples(st.sampled_from(_CALLS), view, column, exact).map(
        lambda p: p[0].format(x=p[1], c=f"{p[1]}.{p[2]}", e=f"{p[1]}.{p[3]}")
    )
