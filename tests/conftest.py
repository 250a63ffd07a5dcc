"""One Spark session with PyFlare for all tests, the typed tables in it, small TPC-H data and golden files."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from pyspark.sql import DataFrame, SparkSession

import pyflare
from tests import tables
from tpch import generate

GOLDENS: Final = Path(__file__).parent / "goldens"
SETTINGS: Final = {
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={Path(__file__).parent / 'log4j2.properties'}",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.session.timeZone": "America/Los_Angeles",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` writes the golden files again."""
    parser.addoption("--update", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session on `local[2]` that has PyFlare loaded and switched on."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    builder = SparkSession.builder.master("local[2]").appName("pyflare tests").config(map=SETTINGS)
    builder = builder.config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
    session = pyflare.enable(builder).getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def typed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], DataFrame]:
    """The tables of `tests/tables.py` by (data, files), each also a view named `<data>_<files>`."""
    root = tmp_path_factory.mktemp("tables")
    tables.write_all(root)
    spark.conf.set("spark.pyflare.enabled", "false")
    for data in tables.DATA:
        spark.read.parquet(str(root / data / "one")).write.parquet(str(root / data / "spark"))
    spark.conf.unset("spark.pyflare.enabled")
    frames = {(d, f): spark.read.parquet(str(root / d / f)) for d in tables.DATA for f in tables.FILES}
    for (data, files), frame in frames.items():
        frame.createOrReplaceTempView(f"{data}_{files}")
    return frames


@pytest.fixture(scope="session")
def tpch_small(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TPC-H at scale factor 0.01 as temporary views; returns the directory of the files."""
    directory = generate.generate(0.01, tmp_path_factory.mktemp("tpch") / "sf0.01")
    for table in generate.TABLES:
        spark.read.parquet(str(directory / f"{table}.parquet")).createOrReplaceTempView(table)
    return directory


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the golden file of that name; a difference is left beside it as `<name>.actual`."""

    def check(name: str, text: str) -> None:
        file = GOLDENS / name
        actual = file.with_name(file.name + ".actual")
        if request.config.getoption("update"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            actual.parent.mkdir(parents=True, exist_ok=True)
            actual.write_text(text)
            pytest.fail(f"{file} is not what came out, see {actual} (pytest --update accepts it)")
        actual.unlink(missing_ok=True)

    return check
