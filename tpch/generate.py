"""The tables that are measured, as Parquet files: `python -m tpch.generate --sf 1` fills `data/tpch/sf1` once."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

TABLES: Final = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
DATA: Final = Path(__file__).resolve().parent.parent / "data"
HANDOVER_ROWS: Final = 5_000_000
_STAMP: Final = ".complete"


def directory(sf: float) -> Path:
    """Where the tables of a scale factor are kept, `<table>.parquet` each."""
    return DATA / "tpch" / f"sf{sf:g}"


def generate(sf: float, target: Path | None = None) -> Path:
    """Make the tables of a scale factor unless they are complete already. Returns their directory."""

    def fill(folder: Path) -> None:
        command = [_generator(), "parquet", "--scale-factor", f"{sf:g}", "--output-dir", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return once(target or directory(sf), fill)


def extras() -> Path:
    """Make the tables of the small tasks (`tiny` and `handover`) unless they are there. Returns their directory."""
    return once(DATA / "extras", _fill_extras)


def once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Have `fill` make what belongs in a folder, unless that was done before. Returns the folder."""
    if not (folder / _STAMP).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        fill(folder)
        (folder / _STAMP).touch()
    return folder


def _fill_extras(folder: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"k": list("aabbccddee"), "v": list(range(10))}), folder / "tiny.parquet")
    rng = np.random.default_rng(1)
    cents = rng.integers(0, 10**6, HANDOVER_ROWS)
    prices = pa.array([Decimal(n).scaleb(-2) for n in range(10**6)], pa.decimal128(15, 2)).take(pa.array(cents))
    words = pa.array([f"customer {n:09}" for n in range(10_000)])
    columns = {
        "id": np.arange(HANDOVER_ROWS),
        "score": rng.normal(size=HANDOVER_ROWS),
        "price": prices,
        "name": words.take(pa.array(rng.integers(0, len(words), HANDOVER_ROWS))),
    }
    pq.write_table(pa.table(columns), folder / "handover.parquet", row_group_size=2**17)


def _generator() -> str:
    beside = Path(sys.executable).parent / "tpchgen-cli"
    found = str(beside) if beside.exists() else shutil.which("tpchgen-cli")
    if found is None:
        raise SystemExit("tpchgen-cli is not installed: pip install 'pyflare[bench]'")
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tpch.generate", description=__doc__)
    parser.add_argument("--sf", type=float, default=1.0, help="scale factor; 1 is 350 MB of Parquet")
    parser.add_argument("--target", type=Path, help="another directory than data/tpch/sf<SF>")
    arguments = parser.parse_args()
    print(generate(arguments.sf, arguments.target))


if __name__ == "__main__":
    main()
