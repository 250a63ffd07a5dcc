"""The typed Parquet tables that every differential test may read.

Two sets of rows share one schema: `moderate` stays far away from every overflow, `extreme` holds the ends of each type
and every value that is known to be treated specially. Each is stored in several ways (`FILES`), so that a query sees
one file or many, one row group or many, with and without nulls, statistics and dictionaries.
"""

from __future__ import annotations

import datetime
import random
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

DATA: Final = ("moderate", "extreme")
FILES: Final = ("one", "many", "spark", "empty", "row")

UTC: Final = datetime.UTC
SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("g", pa.int32()),
        pa.field("k", pa.string()),
        pa.field("b", pa.bool_()),
        pa.field("i8", pa.int8()),
        pa.field("i16", pa.int16()),
        pa.field("i32", pa.int32()),
        pa.field("i64", pa.int64()),
        pa.field("f32", pa.float32()),
        pa.field("f64", pa.float64()),
        pa.field("d9", pa.decimal128(9, 2)),
        pa.field("d18", pa.decimal128(18, 4)),
        pa.field("d38", pa.decimal128(38, 10)),
        pa.field("dt", pa.date32()),
        pa.field("ts", pa.timestamp("us", "UTC")),
        pa.field("tn", pa.timestamp("us")),
        pa.field("s", pa.string()),
        pa.field("num", pa.string()),
        pa.field("day", pa.string()),
        pa.field("bin", pa.binary()),
    ]
)

_KEYS: Final = ("", "a", "b", "B", "aa", "äö", "zz top")
_WORDS: Final = ("spark", "Flare", "numba", "JVM", "arrow", "ünï", "x_y", "50%", "a\\b", " pad ", "", "tensor flow")
_NAN_WITH_PAYLOAD: Final = struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\xff")[0]

_EXTREMES: Final[dict[str, Sequence[Any]]] = {
    "g": (0, 1, 2),
    "k": ("", "a", "A", "ä", "\U0001f600", "a" * 100),
    "b": (True, False),
    "i8": (-128, -127, -1, 0, 1, 126, 127),
    "i16": (-(2**15), -(2**15) + 1, -1, 0, 1, 2**15 - 1),
    "i32": (-(2**31), -(2**31) + 1, -1, 0, 1, 2**31 - 2, 2**31 - 1),
    "i64": (-(2**63), -(2**63) + 1, -(2**53) - 1, -1, 0, 1, 2**53 + 1, 2**63 - 2, 2**63 - 1),
    "f32": (
        float("nan"),
        float("inf"),
        float("-inf"),
        0.0,
        -0.0,
        1e-45,
        -1e-45,
        3.4028235e38,
        -3.4028235e38,
        1.5,
        16777217.0,
    ),
    "f64": (
        float("nan"),
        _NAN_WITH_PAYLOAD,
        float("inf"),
        float("-inf"),
        0.0,
        -0.0,
        5e-324,
        1.7976931348623157e308,
        -1.7976931348623157e308,
        0.1,
        1e15,
        9.007199254740993e15,
        -2.5,
    ),
    "d9": (
        Decimal("-9999999.99"),
        Decimal("9999999.99"),
        Decimal("0.00"),
        Decimal("0.01"),
        Decimal("-0.01"),
        Decimal("0.05"),
    ),
    "d18": (
        Decimal("-99999999999999.9999"),
        Decimal("99999999999999.9999"),
        Decimal("0.0000"),
        Decimal("0.0001"),
        Decimal("2.5000"),
    ),
    "d38": (
        Decimal("-9999999999999999999999999999.9999999999"),
        Decimal("9999999999999999999999999999.9999999999"),
        Decimal("0E-10"),
        Decimal("0.0000000001"),
        Decimal("-1.5000000000"),
        Decimal("18446744073709551616.0000000000"),
    ),
    "dt": (
        datetime.date(1, 1, 1),
        datetime.date(1000, 2, 28),
        datetime.date(1582, 10, 4),
        datetime.date(1582, 10, 15),
        datetime.date(1900, 2, 28),
        datetime.date(1969, 12, 31),
        datetime.date(1970, 1, 1),
        datetime.date(2000, 2, 29),
        datetime.date(2020, 12, 31),
        datetime.date(9999, 12, 31),
    ),
    "ts": (
        datetime.datetime(1, 1, 3, tzinfo=UTC),
        datetime.datetime(1582, 10, 10, 1, 2, 3, 4, tzinfo=UTC),
        datetime.datetime(1883, 11, 18, 19, 50, tzinfo=UTC),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime.datetime(1970, 1, 1, tzinfo=UTC),
        datetime.datetime(2024, 3, 10, 9, 59, 59, tzinfo=UTC),
        datetime.datetime(2024, 3, 10, 10, 0, 0, tzinfo=UTC),
        datetime.datetime(2024, 11, 3, 8, 30, 0, tzinfo=UTC),
        datetime.datetime(2024, 11, 3, 9, 30, 0, tzinfo=UTC),
        datetime.datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
    ),
    "tn": (
        datetime.datetime(1, 1, 1),
        datetime.datetime(1582, 10, 10, 12),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
        datetime.datetime(2024, 3, 10, 2, 30),
        datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
    ),
    "s": (
        "",
        " ",
        "a",
        "A",
        "aB%c",
        "a_c",
        "%",
        "_",
        "\\",
        "ß",
        "İ",
        "e\u0301",
        "\U0001f600x",
        "\x00",
        " tab\t ",
        "z" * 300,
        "\uffff",
    ),
    "num": (
        "0",
        "-0",
        " 12 ",
        "+7",
        "1e3",
        "abc",
        "",
        "127",
        "128",
        "2147483648",
        "9223372036854775808",
        "1.5",
        ".5",
        "NaN",
        "-Infinity",
        "1e400",
    ),
    "day": (
        "2020-02-30",
        "2020-2-9",
        "1582-10-10",
        "0001-01-01",
        " 2021-01-01 ",
        "2021",
        "2021-07",
        "x",
        "",
        "2021-01-01 10:11:12.123456",
        "+12345-01-01",
    ),
    "bin": (b"", b"\x00", b"\xff\xfe", b"abc", b"\xc3\x28", b"a" * 200),
}

_MODERATE: Final[dict[str, Callable[[random.Random], Any]]] = {
    "g": lambda r: r.randrange(5),
    "k": lambda r: r.choice(_KEYS),
    "b": lambda r: r.random() < 0.5,
    "i8": lambda r: r.randint(-10, 10),
    "i16": lambda r: r.randint(-150, 150),
    "i32": lambda r: r.randint(-20_000, 20_000),
    "i64": lambda r: r.randint(-(10**6), 10**6),
    "f32": lambda r: round(r.uniform(-100, 100), 2),
    "f64": lambda r: round(r.gauss(0, 1000), 3),
    "d9": lambda r: Decimal(r.randint(-(10**5), 10**5)).scaleb(-2),
    "d18": lambda r: Decimal(r.randint(-(10**9), 10**9)).scaleb(-4),
    "d38": lambda r: Decimal(r.randint(-(10**22), 10**22)).scaleb(-10),
    "dt": lambda r: datetime.date(1990, 1, 1) + datetime.timedelta(days=r.randrange(15_000)),
    "ts": lambda r: datetime.datetime(1995, 1, 1, tzinfo=UTC) + datetime.timedelta(microseconds=r.randrange(10**15)),
    "tn": lambda r: datetime.datetime(1995, 1, 1) + datetime.timedelta(microseconds=r.randrange(10**15)),
    "s": lambda r: " ".join(r.choice(_WORDS) for _ in range(r.randrange(4))),
    "num": lambda r: str(r.randint(-100, 100)),
    "day": lambda r: str(datetime.date(2000, 1, 1) + datetime.timedelta(days=r.randrange(5000))),
    "bin": lambda r: r.randbytes(r.randrange(6)),
}


def moderate(rows: int = 1000, nulls: float = 0.1, seed: int = 1) -> pa.Table:
    """Rows on which no operation of usual size overflows."""
    rng = random.Random(seed)
    columns = {
        name: [None if rng.random() < nulls else draw(rng) for _ in range(rows)] for name, draw in _MODERATE.items()
    }
    return pa.table({"id": list(range(rows)), **columns}, schema=SCHEMA)


def extreme(seed: int = 2) -> pa.Table:
    """Every special value of every type beside every kind of neighbour, and nulls."""
    rng = random.Random(seed)
    rows = 200
    columns: dict[str, list[Any]] = {}
    for name, values in _EXTREMES.items():
        several = [*values, None] * (rows // (len(values) + 1) + 1)
        columns[name] = several[:rows]
        rng.shuffle(columns[name])
    return pa.table({"id": list(range(rows)), **columns}, schema=SCHEMA)


def write_all(root: Path) -> None:
    """Write every set of rows in every way that does not need Spark, as `<root>/<data>/<files>/`."""
    for data, table in (("moderate", moderate()), ("extreme", extreme())):
        _write(root / data / "one" / "part-0.parquet", table)
        _write(root / data / "empty" / "part-0.parquet", table.slice(0, 0))
        _write(root / data / "row" / "part-0.parquet", table.slice(3, 1))
        _write_many(root / data / "many", table)


def _write_many(target: Path, table: pa.Table) -> None:
    """Five files that differ in everything a reader may rely on: row groups, nulls, encodings, compression."""
    third = len(table) // 3
    _write(target / "part-0.parquet", table.slice(0, third), row_group_size=7)
    _write(target / "part-1.parquet", _without_nulls(table.slice(third, third)), compression="zstd")
    _write(target / "part-2.parquet", _only_nulls(table.slice(2 * third, 20)))
    _write(target / "part-3.parquet", table.slice(0, 0))
    plain = {"use_dictionary": False, "store_decimal_as_integer": True, "write_statistics": False}
    _write(target / "part-4.parquet", table.slice(2 * third + 20), row_group_size=100, compression="none", **plain)


def _without_nulls(table: pa.Table) -> pa.Table:
    """The rows with each null replaced by a value of its column; the columns are required in the file."""
    filled = [column.fill_null(_first_value(column)) for column in table.columns]
    return pa.table(filled, schema=pa.schema([field.with_nullable(False) for field in table.schema]))


def _first_value(column: pa.ChunkedArray) -> pa.Scalar:
    return column.drop_null()[0]


def _only_nulls(table: pa.Table) -> pa.Table:
    nulls = [pa.nulls(len(table), field.type) for field in table.schema]
    return pa.table([table["id"], *nulls[1:]], schema=table.schema)


def _write(file: Path, table: pa.Table, **options: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file, **options)
