"""The command `pyflare`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pyflare import cli, doctor, jar, submit

JOB = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("arguments", sys.argv[1:], "plugins", spark.conf.get("spark.plugins"))
sys.exit(7)
"""


@pytest.fixture
def no_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A jar that need not be built, and no settings of this machine."""
    monkeypatch.setattr(jar, "jar_path", lambda: Path("/jars/shim.jar"))
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))


@pytest.mark.parametrize("command", [[], ["jar"], ["conf"], ["submit"], ["doctor"], ["cache"]])
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([*command, "--help"])
    assert exit_.value.code == 0
    assert "usage: pyflare" in capsys.readouterr().out


@pytest.mark.usefixtures("no_build")
def test_conf_prints_lines_for_spark_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["conf"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "spark.plugins org.pyflare.PyFlarePlugin" in lines
    assert "spark.jars /jars/shim.jar" in lines


def test_a_jar_that_cannot_be_built(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Path:
        raise jar.JarError("no Java")

    monkeypatch.setattr(jar, "jar_path", fail)
    assert cli.main(["jar"]) == 1
    assert capsys.readouterr().err == "pyflare: no Java\n"


def test_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PYFLARE_CACHE_DIR", str(tmp_path))
    kernel = tmp_path / "kernels" / "k.py"
    foreign = tmp_path / "mine.txt"
    kernel.parent.mkdir()
    for file in (kernel, foreign):
        file.write_text("x")
    assert cli.main(["cache"]) == 0
    assert f"{kernel.parent}: 1 files" in capsys.readouterr().out
    assert cli.main(["cache", "clear"]) == 0
    assert not kernel.exists()
    assert foreign.exists()


def test_options_end_where_the_job_begins() -> None:
    options, job = submit.split(["--master", "local[2]", "-v", "--conf=a=b", "job.py", "--jars", "x", "--conf", "y"])
    assert [option.words for option in options] == [["--master", "local[2]"], ["-v"], ["--conf", "a=b"]]
    assert job == ["job.py", "--jars", "x", "--conf", "y"]


@pytest.mark.usefixtures("no_build")
def test_settings_are_merged() -> None:
    given = ["--jars", "a.jar", "-c", "spark.plugins=x.Plugin", "--conf", "spark.x=1", "job.py"]
    words = submit.with_pyflare(given)
    assert words[:2] == ["--conf", "spark.x=1"]
    assert "spark.jars=a.jar,/jars/shim.jar" in words
    assert "spark.plugins=x.Plugin,org.pyflare.PyFlarePlugin" in words
    assert words[-1] == "job.py"
    assert "--jars" not in words


@pytest.mark.usefixtures("no_build")
def test_a_properties_file_replaces_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "spark-defaults.conf").write_text("spark.plugins default.Plugin")
    (tmp_path / "other.conf").write_text("spark.plugins other.Plugin")
    words = submit.with_pyflare(["--properties-file", str(tmp_path / "other.conf"), "job.py"])
    assert "spark.plugins=other.Plugin,org.pyflare.PyFlarePlugin" in words


def test_submit_is_spark_submit(tmp_path: Path) -> None:
    job = tmp_path / "job.py"
    job.write_text(JOB)
    command = [sys.executable, "-m", "pyflare", "submit", "--master", "local[1]", "--conf", "spark.ui.enabled=false"]
    done = subprocess.run([*command, str(job), "--jars", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert "arguments ['--jars', 'x'] plugins org.pyflare.PyFlarePlugin" in done.stdout


def test_doctor_finds_everything() -> None:
    done = subprocess.run([sys.executable, "-m", "pyflare", "doctor"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * len(doctor.CHECKS)


def test_doctor_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> str:
        raise doctor.Problem("Java 8 is too old", "install Java 17")

    def note() -> str:
        raise doctor.Problem("not installed", "pip install it", required=False)

    def crash() -> str:
        raise OSError("disk on fire")

    checks = [doctor.Check("Java", fail), doctor.Check("extra", note), doctor.Check("disk", crash)]
    monkeypatch.setattr(doctor, "CHECKS", checks[1:2])
    assert doctor.run()
    monkeypatch.setattr(doctor, "CHECKS", checks)
    assert not doctor.run()
    out = capsys.readouterr().out
    assert "FAIL  Java            Java 8 is too old\n                      -> install Java 17" in out
    assert "note  extra" in out
    assert "FAIL  disk            OSError: disk on fire" in out


def test_doctor_without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(jar.JarError, match="no Java"):
        doctor._java()
