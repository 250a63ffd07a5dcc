"""The notebooks run, are those of their scripts, and show nothing of the machine that they were made on."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tests import notebooks
from tests.applications import ROOT

pytest.importorskip("tensorflow")


@pytest.mark.parametrize("script", notebooks.SCRIPTS, ids=lambda script: script.stem)
def test_a_notebook_runs(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    kept = nbformat.read(notebooks.notebook_of(script), as_version=4)
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == notebooks.cells(script)
    shown = [output.get("text", "") for cell in kept.cells for output in cell.get("outputs", [])]
    assert not re.search(r"/\w+/|\d+\.\d+\.\d+\.\d+|://", "".join(shown))
    notebooks.run(script)  # raises where a cell fails; the cells assert what they have found
