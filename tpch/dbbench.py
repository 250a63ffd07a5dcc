"""The group-by and join tasks of db-benchmark (H2O, now DuckDB) on several engines: `python -m tpch.dbbench --help`.

The tables are made as db-benchmark makes them: `g` for the group-by task (100 groups and large ones of a hundredth of
the rows), `x`, `small`, `medium` and `big` for the joins, in which nine keys of ten have a partner. Where the answer of
a question has many rows, the query ends with their number and the sums of their columns: what is measured is the
operator, not how millions of rows get into Python.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tpch import generate
from tpch.report import Report
from tpch.run import RESULTS, Measurement, add_runs, available, measure, write
from tpch.workload import Task

ROWS: Final = 1e7
GROUPS: Final = 100
_ROWS_OF_SF1: Final = 6e6
_ROW_GROUP: Final = 2**17
_MATCHING: Final = 0.9

_GROUP_BY: Final = (
    "select id1, sum(v1) as v1 from g group by id1",
    "select id1, id2, sum(v1) as v1 from g group by id1, id2",
    "select count(*) as n, sum(v1) as v1, sum(v3) as v3"
    " from (select id3, sum(v1) as v1, avg(v3) as v3 from g group by id3) as answer",
    "select id4, avg(v1) as v1, avg(v2) as v2, avg(v3) as v3 from g group by id4",
    "select count(*) as n, sum(v1) as v1, sum(v2) as v2, sum(v3) as v3"
    " from (select id6, sum(v1) as v1, sum(v2) as v2, sum(v3) as v3 from g group by id6) as answer",
    "select id4, id5, median(v3) as median_v3, stddev_samp(v3) as sd_v3 from g group by id4, id5",
    "select count(*) as n, sum(span) as span"
    " from (select id3, max(v1) - min(v2) as span from g group by id3) as answer",
    "select count(*) as n, sum(v3) as v3 from (select id6, v3, row_number() over (partition by id6 order by v3 desc)"
    " as place from g where v3 is not null) as answer where place <= 2",
    "select id2, id4, regr_r2(v1, v2) as r2 from g group by id2, id4",
    "select count(*) as n, sum(v3) as v3, sum(size) as size from (select id1, id2, id3, id4, id5, id6, sum(v3) as v3,"
    " count(*) as size from g group by id1, id2, id3, id4, id5, id6) as answer",
)
_SUMS: Final = "select count(*) as n, sum(x.v1) as v1, sum({0}.v2) as v2 from x {1} {0} on x.{2} = {0}.{2}"
_JOIN: Final = (
    _SUMS.format("small", "join", "id1"),
    _SUMS.format("medium", "join", "id2"),
    _SUMS.format("medium", "left join", "id2"),
    _SUMS.format("medium", "join", "id5"),
    _SUMS.format("big", "join", "id3"),
)
TASKS: Final = {"groupby": _GROUP_BY, "join": _JOIN}

Array = npt.NDArray[Any]


def tasks(names: str) -> list[Task]:
    """The questions of the tasks with these names, as `groupby1` and so on. Raises SystemExit for any other name."""
    chosen = [name.strip() for name in names.split(",")]
    if unknown := [name for name in chosen if name not in TASKS]:
        raise SystemExit(f"no task {unknown[0]!r}; there are {', '.join(TASKS)}")
    return [Task(f"{name}{number}", sql) for name in chosen for number, sql in enumerate(TASKS[name], 1)]


def directory(rows: int) -> Path:
    """Where the tables of that many rows are kept."""
    return generate.DATA / "dbbench" / f"rows{rows}"


def data(rows: int, target: Path | None = None) -> Path:
    """Make the tables unless they are complete already. Returns their directory."""

    def fill(folder: Path) -> None:
        for name, columns in (("g", group_by_columns(rows)), *join_columns(rows)):
            print(f"making {name} …", file=sys.stderr, flush=True)
            pq.write_table(pa.table(dict(columns)), folder / f"{name}.parquet", row_group_size=_ROW_GROUP)

    return generate.once(target or directory(rows), fill)


def group_by_columns(rows: int) -> Mapping[str, Any]:
    """The table of the group-by task."""
    rng = np.random.default_rng(108)
    many = max(rows // GROUPS, 1)

    def drawn(high: int) -> Array:
        return rng.integers(1, high, rows, dtype=np.int32, endpoint=True)

    return {
        "id1": _named(drawn(GROUPS), 3),
        "id2": _named(drawn(GROUPS), 3),
        "id3": _named(drawn(many), 10),
        "id4": drawn(GROUPS),
        "id5": drawn(GROUPS),
        "id6": drawn(many),
        "v1": drawn(5),
        "v2": drawn(15),
        "v3": np.round(rng.random(rows) * 100, 6),
    }


def join_columns(rows: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables of the join task: each key has a millionth, a thousandth or all of the rows as values."""
    rng = np.random.default_rng(109)
    sizes = (max(rows // 10**6, 10), max(rows // 10**3, 10), rows)
    left, right = zip(*(_keys(rng, size) for size in sizes), strict=True)

    def table(levels: tuple[Array, ...], value: str, count: int) -> Mapping[str, Any]:
        """Rows with a number and a text for each key, and a value."""
        keys = [_spread(rng, level, count) for level in levels]
        numbers = {f"id{place}": key for place, key in enumerate(keys, 1)}
        texts = {f"id{place}": _named(key, 1) for place, key in enumerate(keys, 4)}
        return {**numbers, **texts, value: np.round(rng.random(count) * 100, 6)}

    yield "x", table(left, "v1", rows)
    for number, name in enumerate(("small", "medium", "big"), 1):
        yield name, table(right[:number], "v2", sizes[number - 1])


def _keys(rng: np.random.Generator, size: int) -> tuple[Array, Array]:
    """The values of a key on either side: they have nine of ten in common."""
    only = size - int(size * _MATCHING)
    values = rng.permutation(size + only).astype(np.int32) + 1
    return values[:size], values[only:]


def _spread(rng: np.random.Generator, levels: Array, count: int) -> Array:
    """`count` of the levels in a random order, each at least once if there is room."""
    more = rng.choice(levels, max(count - len(levels), 0))
    return rng.permutation(np.concatenate([levels, more]))[:count]


def _named(numbers: Array, digits: int) -> pa.Array:
    """Texts such as `id042`."""
    values, codes = np.unique(numbers, return_inverse=True)
    texts = pa.array([f"id{value:0{digits}}" for value in values.tolist()])
    return texts.take(pa.array(codes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tpch.dbbench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engines", default="spark,pyflare,duckdb", help="as of tpch.run; the first is the reference (%(default)s)"
    )
    parser.add_argument("--tasks", default="groupby,join", help="one or both (%(default)s)")
    parser.add_argument("--rows", type=float, default=ROWS, help="rows of the large tables (%(default)g)")
    add_runs(parser, repeat=7, warmup=2, cold_repeat=1)
    parser.add_argument("--out", type=Path, help="the JSON file; by default tpch/results/dbbench-<ROWS>.json")
    return parser.parse_args()


def main() -> int:
    """The command line. The exit status is 1 when two engines gave different answers or one failed."""
    arguments = _arguments()
    rows = int(arguments.rows)
    chosen, folder = list(available(arguments.engines)), data(rows)
    with tempfile.TemporaryDirectory() as scratch:
        measurement = Measurement(chosen, tasks(arguments.tasks), rows / _ROWS_OF_SF1, Path(scratch), folder)
        measure(measurement, arguments)
    document = {"title": f"db-benchmark, {rows:.0e} rows", "rows": rows, **measurement.document()}
    print(Report(document).markdown())
    write(document, arguments.out or RESULTS / f"dbbench-{rows:.0e}.json")
    return int(any(result.error or result.difference for result in measurement.results))


if __name__ == "__main__":
    sys.exit(main())
