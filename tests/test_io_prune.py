"""Pruning: a row group is dropped only if its statistics prove that no row satisfies a predicate."""

from __future__ import annotations

import decimal as decimals
import math
import operator
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflare.io.parquet import Prune, ScanColumn
from pyflare.types import DataType, decimal
from tests.io_support import listed, rows, scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda row, value: row in value,
}


def kept(path: Path, type_: DataType, *predicates: tuple[str, Any]) -> list[Any]:
    """The values in the row groups that survive."""
    opened = scan(path, {"c": type_}, *(Prune(0, op, value) for op, value in predicates))
    assert opened.row_groups_total == opened.row_groups_pruned + len(opened.morsels)
    return rows(opened)[0]


def write(path: Path, groups: list[list[Any]], type_: pa.DataType, **options: Any) -> Path:
    """A file with one row group for each list."""
    schema = pa.schema([("c", type_)])
    with pq.ParquetWriter(path / "t.parquet", schema, **options) as writer:
        for group in groups:
            writer.write_table(pa.table([pa.array(group, type_)], schema=schema))
    return path / "t.parquet"


@pytest.mark.parametrize(
    ("op", "value", "left"),
    [
        ("=", 5, [4, 5]),
        ("=", 3, []),
        ("<", 2, [1, 2]),
        ("<", 1, []),
        ("<=", 1, [1, 2]),
        (">", 8, [8, 9]),
        (">", 9, []),
        (">=", 9, [8, 9]),
        ("in", (0, 3), []),
        ("in", (2, 9), [1, 2, 8, 9]),
        ("in", (), []),
        ("is null", None, []),
        ("is not null", None, [1, 2, 4, 5, 8, 9]),
        ("=", None, [1, 2, 4, 5, 8, 9]),
        ("no such operator", 1, [1, 2, 4, 5, 8, 9]),
    ],
)
def test_bounds(tmp_path: Path, op: str, value: Any, left: list[int]) -> None:
    path = write(tmp_path, [[1, 2], [4, 5], [8, 9]], pa.int64())
    assert kept(path, DataType("long"), (op, value)) == left


def test_layouts_describe_only_what_is_left(tmp_path: Path) -> None:
    path = write(tmp_path, [[1, None], [4, 5], [100, 200]], pa.int64())
    layout = scan(path, {"c": DataType("long")}, Prune(0, ">", 3), Prune(0, "<", 50)).layouts[0]
    assert (layout.nullable, layout.low, layout.high) == (False, 4, 5)


def test_nulls(tmp_path: Path) -> None:
    path = write(tmp_path, [[1, None], [None, None], [2, 3]], pa.int64())
    assert kept(path, DataType("long"), ("is null", None)) == [1, None, None, None]
    assert kept(path, DataType("long"), ("is not null", None)) == [1, None, 2, 3]
    assert kept(path, DataType("long"), ("<", 100)) == [1, None, 2, 3]


def test_nan_hides_from_statistics(tmp_path: Path) -> None:
    path = write(tmp_path, [[1.0, math.nan], [2.0, 3.0]], pa.float64())
    assert len(kept(path, DataType("double"), (">", 100.0))) == 4
    assert len(kept(path, DataType("double"), (">=", 100.0))) == 4
    assert len(kept(path, DataType("double"), ("=", math.nan))) == 4
    assert len(kept(path, DataType("double"), ("<", math.nan))) == 4
    assert kept(path, DataType("double"), ("<", 1.0)) == []
    assert kept(path, DataType("double"), ("=", 2.5)) == [2.0, 3.0]


def test_zeros_are_equal(tmp_path: Path) -> None:
    path = write(tmp_path, [[0.0], [-0.0]], pa.float32())
    assert kept(path, DataType("float"), ("=", -0.0)) == [0.0, 0.0]
    assert kept(path, DataType("float"), ("<", 0.0)) == []
    assert kept(path, DataType("float"), ("<=", -0.0)) == [0.0, 0.0]


def test_strings_are_ordered_by_unsigned_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, [["a", "b"], ["é", "z"], ["\U0001f600"]], pa.string())
    assert kept(path, DataType("string"), (">", b"z")) == ["é".encode(), b"z", "\U0001f600".encode()]
    assert kept(path, DataType("string"), ("=", b"c")) == []
    assert kept(path, DataType("string"), (">=", "\U0001f600".encode())) == ["\U0001f600".encode()]


@pytest.mark.parametrize(
    ("prefix", "left"), [(b"ab", 1), (b"abc", 1), (b"b", 1), (b"aa", 0), (b"", 2), (b"c", 0), (b"abd", 1), (b"a", 1)]
)
def test_prefixes(tmp_path: Path, prefix: bytes, left: int) -> None:
    path = write(tmp_path, [["abc", "abe"], ["b", "bzz"]], pa.string())
    assert len(kept(path, DataType("string"), ("startswith", prefix))) == 2 * left


@pytest.mark.parametrize("integer", [True, False])
@pytest.mark.parametrize("precision", [9, 18, 30])
def test_decimals_are_compared_as_numbers(tmp_path: Path, integer: bool, precision: int) -> None:
    groups = [[decimals.Decimal(-3), decimals.Decimal("-0.01")], [decimals.Decimal("0.01"), decimals.Decimal(3)]]
    path = write(tmp_path, groups, pa.decimal128(precision, 2), store_decimal_as_integer=integer)
    assert kept(path, decimal(precision, 2), ("<", 0)) == [-300, -1]
    assert kept(path, decimal(precision, 2), (">", 0)) == [1, 300]
    assert kept(path, decimal(precision + 2, 4), (">", 0)) == [100, 30000]


def test_unsigned_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, [[1, 2**32 - 1], [2**31]], pa.uint32())
    assert kept(path, DataType("long"), (">", 2**32 - 2)) == [1, 2**32 - 1]
    assert kept(path, DataType("long"), ("<", 0)) == []


def test_partitions_and_missing_columns(tmp_path: Path) -> None:
    files = []
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        files.append(listed(write(tmp_path / str(number), [[number]], pa.int64()), number if number else None))
    columns = [
        ScanColumn("c", DataType("long")),
        ScanColumn("p", DataType("integer"), 0),
        ScanColumn("m", DataType("long")),
    ]
    assert rows(scan(files, columns, Prune(1, "=", 2)))[0] == [2]
    assert rows(scan(files, columns, Prune(1, "is null")))[0] == [0]
    assert rows(scan(files, columns, Prune(1, "<", 100)))[0] == [1, 2]
    assert rows(scan(files, columns, Prune(2, "=", 2)))[0] == []
    assert rows(scan(files, columns, Prune(2, "is null")))[0] == [0, 1, 2]


def test_without_statistics_nothing_is_dropped(tmp_path: Path) -> None:
    path = write(tmp_path, [[1], [2]], pa.int64(), write_statistics=False)
    assert kept(path, DataType("long"), ("=", 100)) == [1, 2]
    layout = scan(path, {"c": DataType("long")}).layouts[0]
    assert (layout.nullable, layout.low, layout.high) == (True, None, None)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=st.lists(st.lists(st.one_of(st.none(), st.integers(-3, 3)), min_size=1, max_size=3), min_size=1, max_size=4),
    op=st.sampled_from(sorted(COMPARISONS)),
    value=st.integers(-4, 4),
)
def test_no_wanted_row_is_lost(tmp_path: Path, groups: list[list[int | None]], op: str, value: int) -> None:
    path = write(tmp_path, groups, pa.int32())
    wanted: Any = (value, value + 2) if op == "in" else value

    def satisfies(row: int | None) -> bool:
        return row is not None and COMPARISONS[op](row, wanted)

    left = kept(path, DataType("integer"), (op, wanted))
    assert [row for row in left if satisfies(row)] == [row for group in groups for row in group if satisfies(row)]
