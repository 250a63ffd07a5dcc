"""Files that Spark writes, and columns read as another type: `pyflare.io` gives what Spark's own reader gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pyflare.errors import Unsupported
from pyflare.io.chunks import ChunkReader
from pyflare.io.pages import kernels
from pyflare.types import DataType, parse_type
from tests.io_support import expected, listed, rows, same, scan

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

_INTS: Final = [None, 0, 1, -1, 100, -128, 127, 300, -32768, 40000, -(2**31), 2**31 - 1]
_LONGS: Final = [*_INTS, -(2**63), 2**63 - 1, 2**40, 10**15]
_DAYS: Final = [None, 0, -1, 20_000, -141_427, 100_000]
_MICROS: Final = [None, 0, -1, 1_700_000_000_123_456, -62_135_596_800_000_000, 253_402_300_799_999_999]


def unscaled(values: list[int | None], precision: int, scale: int) -> pa.Array:
    """Decimals of a precision and a scale."""
    whole = pa.array(values, pa.int64()).cast(pa.decimal128(38, scale))
    return whole.cast(pa.decimal128(precision, scale))


SOURCES: Final[dict[str, pa.Array]] = {
    "boolean": pa.array([True, None, False]),
    "int8": pa.array([None, 0, -128, 127, 5], pa.int8()),
    "int16": pa.array([None, 0, -32768, 32767, 300], pa.int16()),
    "int32": pa.array(_INTS, pa.int32()),
    "int64": pa.array(_LONGS, pa.int64()),
    "uint8": pa.array([None, 0, 255, 128], pa.uint8()),
    "uint16": pa.array([None, 0, 65535, 40000], pa.uint16()),
    "uint32": pa.array([None, 0, 2**32 - 1, 2**31, 7], pa.uint32()),
    "uint64": pa.array([None, 0, 2**64 - 1, 2**63, 7], pa.uint64()),
    "float": pa.array([None, 0.0, -0.0, 1.1, float("nan"), float("inf"), 3e38], pa.float32()),
    "double": pa.array([None, 0.0, -0.0, 1.1, float("nan"), -float("inf"), 1e300], pa.float64()),
    "date": pa.array(_DAYS, pa.int32()).cast(pa.date32()),
    "millis": pa.array(_DAYS, pa.int64()).cast(pa.timestamp("ms")),
    "millis utc": pa.array([*_DAYS, 2**53], pa.int64()).cast(pa.timestamp("ms", "UTC")),
    "micros": pa.array(_MICROS, pa.int64()).cast(pa.timestamp("us")),
    "micros utc": pa.array(_MICROS, pa.int64()).cast(pa.timestamp("us", "UTC")),
    "nanos": pa.array(_MICROS[:4], pa.int64()).cast(pa.timestamp("ns")),
    "time": pa.array([None, 0, 10**6], pa.int64()).cast(pa.time64("us")),
    "string": pa.array([None, "", "é", "long enough"]),
    "binary": pa.array([None, b"", b"\xff\x00", b"12"], pa.binary()),
    "fixed": pa.array([None, b"1234567", b"\xff\x00\x01\x02\x03\x04\x05"], pa.binary(7)),
    "decimal(7,2)": pa.array([None, 0, 1, -1, 99999, -99999], pa.int64())
    .cast(pa.decimal128(28, 2))
    .cast(pa.decimal128(7, 2)),
    "decimal(15,2)": pa.array([None, 0, -1, 10**13 - 1], pa.int64())
    .cast(pa.decimal128(28, 2))
    .cast(pa.decimal128(15, 2)),
    "decimal(25,3)": pa.array([None, 0, -1, 10**18], pa.int64()).cast(pa.decimal128(25, 3)),
    "void": pa.nulls(3),
}

WRITERS: Final[dict[str, dict[str, Any]]] = {
    "dictionary": {},
    "plain": {"use_dictionary": False},
    "integer decimals": {"store_decimal_as_integer": True},
    "int96": {"use_deprecated_int96_timestamps": True, "use_dictionary": False},
}

_FROM_INT32: Final = (
    "byte short integer long double decimal(10,0) decimal(12,2) decimal(15,2) decimal(18,4) decimal(20,0) "
    "decimal(22,2) decimal(25,3) decimal(38,10)"
)

ACCEPTED: Final[dict[str, str]] = {
    "boolean": "boolean",
    "int8": _FROM_INT32,
    "int16": _FROM_INT32,
    "int32": f"{_FROM_INT32} date",
    "int64": "long decimal(20,0) decimal(22,2) decimal(25,3) decimal(38,10)",
    "uint8": "byte short integer long",
    "uint16": "byte short integer long",
    "uint32": "long",
    "uint64": "decimal(20,0)",
    "float": "float double",
    "double": "double",
    "date": "date timestamp_ntz",
    "millis": "long timestamp timestamp_ntz",
    "millis utc": "long timestamp timestamp_ntz",
    "micros": "long timestamp timestamp_ntz",
    "micros utc": "long timestamp timestamp_ntz",
    "nanos": "long",
    "time": "",
    "string": "string binary",
    "binary": "string binary",
    "fixed": "binary",
    "decimal(7,2)": "decimal(7,2) decimal(9,4) decimal(12,2) decimal(15,2) decimal(18,4) decimal(22,2) decimal(25,3) "
    "decimal(38,10)",
    "decimal(15,2)": "decimal(15,2) decimal(18,4) decimal(22,2) decimal(25,3) decimal(38,10)",
    "decimal(25,3)": "decimal(25,3) decimal(38,10)",
    "void": "",
}

TARGETS: Final = [
    *(
        [
            "boolean",
            "byte",
            "short",
            "integer",
            "long",
            "float",
            "double",
            "date",
            "timestamp",
            "timestamp_ntz",
            "string",
            "binary",
        ]
    ),
    *(
        [
            "decimal(5,2)",
            "decimal(7,2)",
            "decimal(9,4)",
            "decimal(10,0)",
            "decimal(12,2)",
            "decimal(15,2)",
            "decimal(18,4)",
        ]
    ),
    *(["decimal(20,0)", "decimal(22,2)", "decimal(25,3)", "decimal(38,10)"]),
]


@pytest.fixture(scope="module", autouse=True)
def page_decoder() -> None:
    """What our own decoder can read, it reads."""
    kernels.prepare()


@pytest.fixture(scope="module")
def plain_spark(spark: SparkSession) -> SparkSession:
    """A session in which PyFlare is switched off."""
    session = spark.newSession()
    session.conf.set("spark.pyflare.enabled", "false")
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("source", SOURCES)
def test_conversions(plain_spark: SparkSession, tmp_path: Path, source: str, writer: str) -> None:
    """One copy of the column for each type that it is read as, so that Spark needs one job."""
    targets = [parse_type(name) for name in _accepted(source, writer)]
    columns = {f"c{number}": type_ for number, type_ in enumerate(targets)}
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table(dict.fromkeys(columns, SOURCES[source])), path, store_schema=False, row_group_size=4, **WRITERS[writer]
    )
    if not columns:
        return
    schema = ", ".join(f"{name} {_ddl(type_)}" for name, type_ in columns.items())
    theirs = plain_spark.read.schema(schema).parquet(str(path)).toArrow()
    for (name, type_), ours in zip(columns.items(), rows(scan(path, columns)), strict=True):
        assert same(ours, expected(theirs.column(name), type_)), f"{source} as {type_}"


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_not_known_to_be_right_is_refused(tmp_path: Path, source: str) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"c": SOURCES[source]}), path)
    for target in TARGETS:
        if target not in ACCEPTED[source].split():
            with pytest.raises(Unsupported, match="column c"):
                scan(path, {"c": parse_type(target)})


SPARKS: Final = """
    select id, cast(id % 100 as tinyint) byte, cast(id as smallint) short, cast(id as int) integer, id * 1e-3d double,
        cast(if(id % 7 = 0, null, id) as float) float, id % 2 = 0 boolean, cast(id as decimal(9,2)) decimal9,
        cast(id * 1000 as decimal(18,3)) decimal18, cast(id as decimal(30,4)) decimal30,
        if(id % 3 = 0, null, concat('kind ', id % 5)) few, concat('row ', id * 1234567) many,
        cast(concat('b', id) as binary) binary, date_add(date'2020-01-01', cast(id as int)) date,
        timestamp_micros(id * 123456789) timestamp, cast(timestamp_micros(id) as timestamp_ntz) timestamp_ntz
    from range(0, 30000, 1, 1)
"""


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"parquet.writer.version": "v2"},
        {"compression": "zstd", "parquet.block.size": "200000", "parquet.page.size": "20000"},
        {"parquet.enable.dictionary": "false", "compression": "gzip"},
    ],
)
@pytest.mark.parametrize("settings", [{}, {"writeLegacyFormat": "true"}, {"outputTimestampType": "TIMESTAMP_MILLIS"}])
def test_what_spark_writes(
    plain_spark: SparkSession, tmp_path: Path, options: dict[str, str], settings: dict[str, str]
) -> None:
    for name, value in settings.items():
        plain_spark.conf.set(f"spark.sql.parquet.{name}", value)
    plain_spark.sql(SPARKS).write.options(**options).parquet(str(tmp_path / "t"))
    for name in settings:
        plain_spark.conf.unset(f"spark.sql.parquet.{name}")
    frame = plain_spark.read.parquet(str(tmp_path / "t"))
    columns = {field.name: parse_type(field.dataType.jsonValue()) for field in frame.schema.fields}
    files = [listed(path) for path in sorted((tmp_path / "t").glob("*.parquet"))]
    theirs = frame.toArrow()
    for (name, type_), ours in zip(columns.items(), rows(scan(files, columns)), strict=True):
        assert same(ours, expected(theirs.column(name), type_)), name


@pytest.mark.parametrize("kind", ["INT96", "TIMESTAMP_MICROS"])
@pytest.mark.parametrize("old", [True, False])
def test_the_old_calendar(plain_spark: SparkSession, tmp_path: Path, kind: str, old: bool) -> None:
    settings = {
        "spark.sql.parquet.outputTimestampType": kind,
        "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
        "spark.sql.parquet.int96RebaseModeInWrite": "LEGACY",
    }
    for name, value in settings.items():
        plain_spark.conf.set(name, value)
    year = "1500" if old else "1950"
    query = f"select date'{year}-02-03' d, timestamp'{year}-02-03 04:05:06' t, timestamp_ntz'{year}-02-03 04:05:06' n"
    plain_spark.sql(query).write.parquet(str(tmp_path / "t"))
    for name in settings:
        plain_spark.conf.unset(name)
    (path,) = (tmp_path / "t").glob("*.parquet")
    theirs = plain_spark.read.parquet(str(path)).toArrow()
    for name, type_ in {"d": DataType("date"), "t": DataType("timestamp"), "n": DataType("timestamp_ntz")}.items():
        if old and name != "n":
            with pytest.raises(Unsupported, match="old calendar"):
                rows(scan(path, {name: type_}))
        else:
            assert rows(scan(path, {name: type_})) == [expected(theirs.column(name), type_)]


def test_files_of_other_writers_follow_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"d": pa.array([-150_000], pa.int32()).cast(pa.date32())}), path)
    columns = {"d": DataType("date")}
    assert rows(scan(path, columns)) == [[-150_000]]
    key = "spark.sql.parquet.datetimeRebaseModeInRead"
    for mode in ("LEGACY", "EXCEPTION"):
        for conf in ({key: mode}, {key: "CORRECTED", "datetimeRebaseMode": mode}):
            with pytest.raises(Unsupported, match="old calendar"):
                scan(path, columns, conf=conf)
    assert rows(scan(path, columns, conf={key: "LEGACY", "datetimeRebaseMode": "CORRECTED"})) == [[-150_000]]


def test_spark_skips_files_without_a_byte(plain_spark: SparkSession, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    (tmp_path / "empty.parquet").touch()
    assert plain_spark.read.schema("a bigint").parquet(str(tmp_path)).collect() == [(1,)]


def test_our_own_decoder_reads_what_spark_writes(plain_spark: SparkSession, tmp_path: Path) -> None:
    written = plain_spark.range(0, 30_000, 1, 1).selectExpr(
        "id",
        "if(id % 3 = 0, null, id) AS maybe",
        "cast(id % 700 AS decimal(12,2)) AS price",
        "date_add(DATE '2001-01-01', cast(id % 900 AS int)) AS day",
        "cast(id % 7 AS string) AS word",
        "if(id % 5 = 0, null, concat('text ', id)) AS text",
    )
    written.write.parquet(str(tmp_path / "t"))
    path = next((tmp_path / "t").glob("*.parquet"))
    columns = {field.name: parse_type(field.dataType.jsonValue()) for field in written.schema}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChunkReader, "_by_pyarrow", None)
        found = rows(scan(path, columns))
    table = pq.read_table(path)
    for name, values in zip(columns, found, strict=True):
        assert values == expected(table[name], columns[name]), name


def _accepted(source: str, writer: str) -> list[str]:
    if writer == "int96" and pa.types.is_timestamp(SOURCES[source].type):
        return ["timestamp", "timestamp_ntz"]
    return ACCEPTED[source].split()


def _ddl(type_: DataType) -> str:
    return {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint"}.get(str(type_), str(type_))
