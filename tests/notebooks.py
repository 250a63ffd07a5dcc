"""The notebooks under docs: each is made of the script beside it, whose cells begin with `# %%`.

python -m tests.notebooks      runs the scripts as notebooks and writes them with what they show
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import nbclient
import nbformat

from tests.applications import ROOT

SCRIPTS: Final = sorted(path for path in (ROOT / "docs").glob("*.py"))
_CELL: Final = re.compile(r"^# %%( \[markdown\])?\n", re.MULTILINE)


def notebook_of(script: Path) -> Path:
    """The notebook beside a script."""
    return script.with_suffix(".ipynb")


def cells(script: Path) -> list[tuple[str, str]]:
    """Kind and text of a script's cells."""
    _, *parts = _CELL.split(script.read_text())
    return [_cell(mark, text.strip()) for mark, text in zip(parts[::2], parts[1::2], strict=True)]


def _cell(mark: str | None, text: str) -> tuple[str, str]:
    if not mark:
        return "code", text
    return "markdown", "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.splitlines())


def run(script: Path) -> Any:
    """The notebook of a script after all of its cells have run. Raises nbclient's CellExecutionError if one fails."""
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    notebook = nbformat.v4.new_notebook(cells=[make[kind](text) for kind, text in cells(script)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata.pop("language_info", None)
    return notebook


def main() -> None:
    """Write all notebooks."""
    for script in SCRIPTS:
        nbformat.write(run(script), notebook_of(script))
        print(notebook_of(script))


if __name__ == "__main__":
    main()
