"""Strings beyond `tests/sql/strings`: every character, malformed UTF-8, random patterns, arenas that grow and end."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from pyflare.runtime import letters
from pyflare.runtime.arena import Arena, arena_keep, arena_rewind, arena_take
from tests.differential import assert_same, configured

CASES: Final = {"upper": letters.upper, "lower": letters.lower, "initcap": letters.title}
MALFORMED: Final = (
    b"\xff", b"a\xff", b"\xc3", b"ab\xc3", b"\xe2\x82", b"\xe2\x82a", b"\xf0\x9f\x98", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xf5\x80\x80\x80", b"\x80\x80", b"a\x80b", b"\xe0\x80\x80", b"x\xe2 y\xc3\xa9", b"\xf4\x90\x80\x80", b"ok", b"",
)  # fmt: skip
ON_MALFORMED: Final = (
    "length(s), octet_length(s), length(upper(s)), instr(s, 'a'), locate('b', s, 2), ascii(s)",
    "hex(substring(s, 2, 1)), hex(substring(s, -1)), hex(left(s, 1)), hex(substring_index(s, 'a', 1))",
    "hex(upper(s)), hex(lower(s)), hex(initcap(s)), hex(reverse(s)), hex(trim(s)), hex(ltrim('a', s))",
    "hex(lpad(s, 3, 'é')), hex(rpad(s, 1)), hex(repeat(s, 2)), hex(replace(s, 'a', 'é')), hex(translate(s, 'ab', 'x'))",
    "hex(s || 'a'), hex(concat_ws(s, 'x', 'y', s)), s LIKE '%a%', s LIKE '_%', s LIKE 'a_', s LIKE '%\ufffd%'",
    "is_valid_utf8(s), hex(make_valid_utf8(s)), hex(try_validate_utf8(s)), hex(encode(s, 'UTF-8')), contains(s, 'b')",
    "s RLIKE 'a', s RLIKE '^a', try_cast(s AS INT), try_cast(s AS DOUBLE), try_cast(s AS DECIMAL(5, 2)), s < 'b'",
)
_ALPHABET: Final = ("a", "b", "é", "日", "😀", "%", "_", "\\", "\n")
_PIECES: Final = ("a", "b", "é", "日", "😀", "%", "%", "_", "_", "\\%", "\\_", "\\\\", "ab")


def _bytes(part: tuple[int, int]) -> bytes | None:
    """The text at an (address, length) pair; None for a row that needs Spark."""
    return ctypes.string_at(int(part[0]), part[1]) if part[1] >= 0 else None


def _text(value: bytes) -> tuple[Any, tuple[np.uint64, int]]:
    buffer = np.frombuffer(value + bytes(8), np.uint8)
    return buffer, (np.uint64(buffer.ctypes.data), len(value))


@pytest.fixture(scope="module")
def characters(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A view of all characters, alone and between others."""
    path = tmp_path_factory.mktemp("strings") / "characters.parquet"
    alone = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    pq.write_table(pa.table({"s": [*alone, *(f"a{c} {c}B" for c in alone[:0x3000])]}), path)
    spark.read.parquet(str(path)).createOrReplaceTempView("characters")
    return "characters"


@pytest.mark.parametrize("function", CASES)
@pytest.mark.parametrize("icu", ["true", "false"])
def test_case_of_every_character(spark: SparkSession, characters: str, function: str, icu: str) -> None:
    """Whatever the kernels' letters change, they change as Spark does; and that is most of the letters in use."""
    with configured(spark, {"spark.pyflare.enabled": "false", "spark.sql.icu.caseMappings.enabled": icu}):
        table = spark.sql(f"SELECT s, {function}(s) changed FROM {characters}").toArrow()
    change, arena, answered = CASES[function].ready(), Arena(), 0
    for s, expected in zip(table["s"].to_pylist(), table["changed"].to_pylist(), strict=True):
        buffer, text = _text(s.encode())
        arena_rewind(arena.words)
        actual = _bytes(change(arena.words, *text))
        assert actual is None or actual == expected.encode(), (s, actual, expected)
        answered += actual is not None and len(buffer) == 10
    assert answered > 1700


@pytest.fixture(scope="module")
def malformed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A view of strings that are not UTF-8, one in each row."""
    path = tmp_path_factory.mktemp("strings") / "malformed.parquet"
    binary = pa.array(MALFORMED, pa.binary())
    text = pa.Array.from_buffers(pa.utf8(), len(binary), binary.buffers())
    pq.write_table(pa.table({"id": pa.array(range(len(MALFORMED))), "s": text}), path)
    spark.read.parquet(str(path)).createOrReplaceTempView("malformed")
    return "malformed"


@pytest.mark.parametrize("columns", ON_MALFORMED)
@pytest.mark.parametrize("row", ["0 <= id", *(f"id = {row}" for row in range(len(MALFORMED)))])
def test_malformed(spark: SparkSession, malformed: str, columns: str, row: str) -> None:
    """Malformed strings give what Spark gives, which may be an error, if only because Spark is asked."""
    if row == "0 <= id" or columns in ON_MALFORMED[:3]:
        query = f"SELECT id, {columns} FROM {malformed} WHERE {row}"
        assert_same(spark, query, accelerated=False, raises="ANY")


def _random_texts(pieces: tuple[str, ...], count: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(count):
        yield "".join(rng.choice(pieces) for _ in range(rng.randrange(8)))


@pytest.fixture(scope="module")
def patterns(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A view of random texts beside random patterns."""
    path: Path = tmp_path_factory.mktemp("strings") / "patterns.parquet"
    texts, wanted = list(_random_texts(_ALPHABET, 5000, 1)), list(_random_texts(_PIECES, 5000, 2))
    pq.write_table(pa.table({"s": texts, "p": wanted}), path, use_dictionary=False)
    spark.read.parquet(str(path)).createOrReplaceTempView("patterns")
    return "patterns"


def test_like_a_column(spark: SparkSession, patterns: str) -> None:
    """Each text against its own pattern."""
    assert_same(spark, f"SELECT s, p, s LIKE p FROM {patterns}")


@pytest.mark.parametrize("seed", range(3))
def test_like_constants(spark: SparkSession, patterns: str, seed: int) -> None:
    """All texts against constant patterns, both by pieces and by the matcher."""
    wanted = _random_texts(_PIECES, 12, 10 + seed)
    tests = ", ".join("s LIKE '{}'".format(p.replace("\\", "\\\\")) for p in wanted)
    assert_same(spark, f"SELECT s, {tests} FROM {patterns}")


def test_arena_grows_and_takes_back() -> None:
    """Rows reuse what nobody keeps; blocks grow; the limit is kept."""
    arena = Arena(limit=10**6)
    first = arena_take(arena.words, 1000)
    arena_rewind(arena.words)
    assert arena_take(arena.words, 10) == first
    arena_keep(arena.words)
    for _ in range(100):
        arena_rewind(arena.words)
        assert arena_take(arena.words, 60_000) > 0
    assert arena.size < 400_000
    assert arena_take(arena.words, 10**6) == 0
    assert arena_take(arena.words, 2**31) == 0


def test_results_beyond_an_arena(spark: SparkSession) -> None:
    """More text than an arena may hold goes to Spark, which can."""
    query = "SELECT sum(length(repeat('x', CAST(id AS INT)))) FROM range(70, 100)"
    assert_same(spark, query, accelerated=False)
