"""Every query of `tests/sql` with PyFlare and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.differential import Raised, assert_same, configured
from tests.sqlfiles import Case, SqlFile, read

ROOT: Final = Path(__file__).parent / "sql"
PREPARING: Final = {"spark.pyflare.enabled": "false", "spark.sql.ansi.enabled": "false"}
"""Tables are written by Spark alone, with nulls where a value does not fit."""
Tables: TypeAlias = dict[tuple[str, str], DataFrame]


def _cases() -> Iterator[Any]:
    for path in sorted(ROOT.rglob("*.sql")):
        file = read(path)
        for case in file.cases:
            yield pytest.param(path, file, case, id=f"{path.relative_to(ROOT).with_suffix('')}:{case.line}")


_prepared: set[Path] = set()


@pytest.mark.parametrize(("path", "file", "case"), list(_cases()))
def test_same(spark: SparkSession, typed: Tables, path: Path, file: SqlFile, case: Case) -> None:
    """The query gives the same in each of its modes."""
    options = case.options
    _prepare(spark, path, file)
    raised = False
    for variant, settings in options.modes():
        typed[variant].createOrReplaceTempView("t")
        outcome = assert_same(
            spark,
            case.sql,
            accelerated=options.accelerated,
            floats=options.floats,
            raises=options.raises,
            conf=settings,
        )
        raised = raised or isinstance(outcome, Raised)
    assert raised or not options.raises, f"Spark never raised {options.raises}"


def _prepare(spark: SparkSession, path: Path, file: SqlFile) -> None:
    if path not in _prepared:
        _prepared.add(path)
        with configured(spark, PREPARING):
            for statement in file.preparations:
                spark.sql(statement)
