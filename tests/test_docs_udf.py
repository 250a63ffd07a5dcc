"""The examples of docs/udf.md."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

PAGE: Final = Path(__file__).parent.parent / "docs" / "udf.md"


def test_examples(spark: SparkSession) -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, globs={"spark": spark})
    assert found.attempted > 10
    assert found.failed == 0
