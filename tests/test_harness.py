"""The differential harness finds what it is there to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import sqlfiles
from tests.differential import Answer, Raised, Row, compare, normal_message

NAN = float("nan")


def _answer(*rows: Row, ordered: bool = False, schema: str = "x") -> Answer:
    return Answer(schema, rows, (1,), ordered)


def test_rows_in_any_order_unless_the_query_sorts() -> None:
    compare(_answer(("a", 1.0), ("b", NAN)), _answer(("b", NAN), ("a", 1.0)))
    with pytest.raises(AssertionError, match="2 of 2 rows differ"):
        compare(_answer(("a", 1.0), ("b", NAN), ordered=True), _answer(("b", NAN), ("a", 1.0), ordered=True))


@pytest.mark.parametrize("wrong", [0.0, None, NAN, 1e-300])
def test_exact(wrong: float | None) -> None:
    with pytest.raises(AssertionError, match="1 of 1 rows differ"):
        compare(_answer(("a", -0.0)), _answer(("a", wrong)))


def test_close() -> None:
    compare(_answer(("a", 1.0), ("b", NAN)), _answer(("b", NAN), ("a", 1.0 + 1e-12)), "close")
    for wrong in (1.0 + 1e-8, None, NAN):
        with pytest.raises(AssertionError, match="1 of 1 rows differ"):
            compare(_answer(("a", 1.0)), _answer(("a", wrong)), "close")


def test_what_else_differs() -> None:
    with pytest.raises(AssertionError):
        compare(_answer(("a", 1.0)), _answer(("a", 1.0), schema="y"))
    with pytest.raises(AssertionError, match="0 rows instead of 1"):
        compare(_answer(("a", 1.0)), _answer())
    with pytest.raises(AssertionError):
        compare(_answer(), Raised("ArithmeticException", "DIVIDE_BY_ZERO", "22012", "division by zero"))


def test_messages_do_not_depend_on_where_it_ran() -> None:
    first = "[X] bad value\nDriver stacktrace:\n\tat org.apache.spark.A(B.scala:1)"
    assert normal_message(first) == "[X] bad value"
    assert normal_message("Task 0 in stage 12.0 failed") == normal_message("Task 1 in stage 3.0 failed")


def test_sql_files(tmp_path: Path) -> None:
    file = tmp_path / "some.sql"
    file.write_text(
        "-- data: extreme\n-- ansi: both\n-- free text\n\n"
        "CREATE TEMP VIEW v AS SELECT 1;\n\n-- raises: DIVIDE_BY_ZERO\nSELECT\n  1;\n\n-- conf: a=b=c\nSELECT 2;\n"
    )
    read = sqlfiles.read(file)
    assert read.preparations == ("CREATE TEMP VIEW v AS SELECT 1",)
    first, second = read.cases
    assert (first.line, first.sql, first.options.raises) == (8, "SELECT\n  1", "DIVIDE_BY_ZERO")
    assert second.options.raises == ""
    assert [settings["spark.sql.ansi.enabled"] for _, settings in second.options.modes()] == ["true", "false"]
    assert all(settings["a"] == "b=c" for _, settings in second.options.modes())
    assert second.options.accelerated is True


def test_a_directive_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "some.sql"
    file.write_text("-- fallbak: allowed\n\nSELECT 1;\n")
    with pytest.raises(KeyError, match="fallbak"):
        sqlfiles.read(file)
