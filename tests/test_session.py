"""The settings that load PyFlare, alone and beside those of others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import pyflare
from pyflare import jar, session


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A jar that need not be built, no interpreter chosen by the environment, no settings of this machine."""
    monkeypatch.setattr(jar, "jar_path", lambda: Path("/jars/shim.jar"))
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))


@pytest.fixture
def no_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no Spark application ran in this process."""
    monkeypatch.setattr(session, "_runs_without_us", lambda: False)


def test_alone() -> None:
    settings = pyflare.conf()
    assert settings["spark.jars"] == "/jars/shim.jar"
    assert settings["spark.plugins"] == "org.pyflare.PyFlarePlugin"
    assert settings["spark.sql.extensions"] == "org.pyflare.PyFlareExtensions"
    assert settings["spark.pyflare.python"] == sys.executable


def test_beside_others() -> None:
    others = {"spark.jars": "a.jar, b.jar", "spark.plugins": "x.Plugin", "spark.pyspark.python": "/opt/python"}
    settings = session.conf(others)
    assert settings["spark.jars"] == "a.jar,b.jar,/jars/shim.jar"
    assert settings["spark.plugins"] == "x.Plugin,org.pyflare.PyFlarePlugin"
    assert "spark.pyflare.python" not in settings


def test_twice_is_once() -> None:
    settings = session.conf(session.conf())
    assert settings["spark.plugins"] == "org.pyflare.PyFlarePlugin"
    assert settings["spark.jars"] == "/jars/shim.jar"


@pytest.mark.usefixtures("no_application")
def test_enable_keeps_what_the_builder_and_the_defaults_say(tmp_path: Path) -> None:
    (tmp_path / "spark-defaults.conf").write_text("# comment\nspark.sql.extensions   io.delta.Extension\n\nspark.x=1\n")
    builder = SparkSession.Builder().config("spark.jars", "mine.jar")
    options = pyflare.enable(builder)._options
    assert options["spark.jars"] == "mine.jar,/jars/shim.jar"
    assert options["spark.sql.extensions"] == "io.delta.Extension,org.pyflare.PyFlareExtensions"


def test_a_remote_server_cannot_be_told() -> None:
    builder = SparkSession.Builder().config("spark.remote", "sc://somewhere")
    with pytest.warns(UserWarning, match="Connect server"):
        assert "spark.plugins" not in pyflare.enable(builder)._options


def test_a_running_application_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_runs_without_us", lambda: True)
    with pytest.warns(UserWarning, match="runs already"):
        assert "spark.plugins" not in pyflare.enable(SparkSession.Builder())._options


def test_properties(tmp_path: Path) -> None:
    file = tmp_path / "some.conf"
    file.write_text("a 1\nb=2\nc : 3 4\n! comment\nd\n")
    assert session.read_properties(file) == {"a": "1", "b": "2", "c": "3 4", "d": ""}
