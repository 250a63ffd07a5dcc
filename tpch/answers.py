"""Independent answers: DuckDB on the same files, and what the specification prints for scale factor 1."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tpch.compare import Row, difference
from tpch.generate import TABLES
from tpch.workload import Task

SPECIFICATION: Final[dict[str, tuple[int, str]]] = {
    "q01": (4, "A|F|37734107.00|56586554400.73|53758257134.87|55909065222.83|25.52|38273.13|0.05|1478493"),
    "q02": (100, "9938.53|Supplier#000005359|UNITED KINGDOM|185358|Manufacturer#4"),
    "q03": (10, "2456423|406181.01|1995-03-05|0"),
    "q04": (5, "1-URGENT|10594"),
    "q05": (5, "INDONESIA|55502041.17"),
    "q06": (1, "123141078.23"),
    "q07": (4, "FRANCE|GERMANY|1995|54639732.73"),
    "q08": (2, "1995|0.03"),
    "q09": (175, "ALGERIA|1998|27136900.18"),
    "q10": (20, "57040|Customer#000057040|734235.25|632.87|JAPAN"),
    "q11": (1048, "129760|17538456.86"),
    "q12": (2, "MAIL|6202|9324"),
    "q13": (42, "0|50005"),
    "q14": (1, "16.38"),
    "q15": (1, "8449|Supplier#000008449"),
    "q16": (18314, "Brand#41|MEDIUM BRUSHED TIN|3|28"),
    "q17": (1, "348406.05"),
    "q18": (57, "Customer#000128120|128120|4722021|1994-04-07|544089.09|323.00"),
    "q19": (1, "3083843.06"),
    "q20": (186, "Supplier#000000020"),
    "q21": (100, "Supplier#000002829|20"),
    "q22": (7, "13|888|6737713.99"),
}


def specification_difference(task: Task, rows: list[Row]) -> str:
    """What differs from the specification at scale factor 1 (number of rows, start of the first), or an empty text."""
    count, first = SPECIFICATION[task.name]
    if len(rows) != count:
        return f"{len(rows)} rows, the specification has {count}"
    printed = "|".join(_printed(value, like) for value, like in zip(rows[0], first.split("|"), strict=False))
    return "" if printed == first else f"{printed}, the specification has {first}"


def _printed(value: Any, like: str) -> str:
    """A value with as many digits as the specification prints."""
    if not isinstance(value, str) and "." in like:
        return f"{value:.{len(like.partition('.')[2])}f}"
    return str(value)


def duckdb_difference(folder: Path, answers: Iterable[tuple[Task, list[Row]]]) -> dict[str, str]:
    """What differs from DuckDB's answers over the same files, by query."""
    import duckdb

    found = {}
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(f"create view {table} as select * from read_parquet('{folder}/{table}.parquet')")
        for task, rows in answers:
            wrong = difference(connection.execute(task.sql).fetchall(), rows, exact=False)
            found.update({task.name: wrong} if wrong else {})
    return found
