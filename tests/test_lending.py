"""The memory of large results: used again when a result is gone, never while somebody still reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

import pyflare
from pyflare import frame, lending
from pyflare.lending import Lender, Loan

LARGE = "SELECT id + {0} AS id FROM range(300000)"


@pytest.fixture
def lender() -> Iterator[Lender]:
    lender = Lender()
    yield lender
    lender.forget()


def borrowed(lender: Lender) -> Loan:
    loan = lender.lend()
    assert loan is not None
    return loan


def memory(loan: Loan) -> int:
    return Path(loan.path).stat().st_ino


def write(loan: Loan, data: bytes) -> None:
    Path(loan.path).write_bytes(data)


def test_memory_comes_back_with_the_last_reader(lender: Lender) -> None:
    loan = borrowed(lender)
    first = memory(loan)
    write(loan, b"abcdef")
    part = loan.take().slice(2)
    other = borrowed(lender)
    assert memory(other) != first
    other.give_back()
    assert part.to_pybytes() == b"cdef"
    del part
    assert memory(borrowed(lender)) == first


def test_memory_that_may_still_be_written_to_is_not_lent_again(lender: Lender) -> None:
    loan = borrowed(lender)
    write(loan, b"abcdef")
    with Path(loan.path).open("r+b") as backend:
        first = memory(loan)
        loan.drop()
        other = borrowed(lender)
        assert memory(other) != first
        backend.write(b"late")
        backend.flush()
        assert Path(other.path).stat().st_size == 0
    other.give_back()


def test_a_query_that_fails_loses_its_memory(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    lender = Lender()
    monkeypatch.setattr("pyflare.frame.LENDER", lender)
    kept = borrowed(lender)
    write(kept, b"abcdef")
    number = memory(kept)
    kept.give_back()

    def failing(_df: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyflare.frame.shim", failing)
    with pytest.raises(KeyboardInterrupt):
        frame._delivered(spark.range(3))
    loan = borrowed(lender)
    assert memory(loan) != number
    loan.give_back()


def test_little_is_kept(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "KEEP_BYTES", 3)
    loan = borrowed(lender)
    write(loan, b"abcd")
    loan.give_back()
    assert not Path(loan.path).exists()


def test_nothing_is_kept_for_long(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "KEEP_SECONDS", 0.01)
    loan = borrowed(lender)
    write(loan, b"abcd")
    loan.give_back()
    timer = lender._timer
    if timer is not None:
        timer.join(60)
    assert not Path(loan.path).exists()


def test_results_do_not_overwrite_each_other(spark: SparkSession) -> None:
    tables = [pyflare.flare(LARGE.format(shift), spark).to_arrow() for shift in range(3)]
    for shift, table in enumerate(tables):
        assert table.equals(pa.table({"id": pa.array(range(shift, 300_000 + shift), pa.int64())}, table.schema))


def test_a_smaller_result_in_the_same_memory(spark: SparkSession) -> None:
    assert pyflare.flare(LARGE.format(0), spark).to_arrow().num_rows == 300_000
    table = pyflare.flare("SELECT id AS other FROM range(20000)", spark).to_arrow()
    assert table["other"].to_pylist() == list(range(20_000))


def test_no_descriptor_is_left(spark: SparkSession) -> None:
    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    pyflare.flare(LARGE.format(0), spark).to_arrow()
    before = open_files()
    for shift in range(5):
        pyflare.flare(LARGE.format(shift), spark).to_arrow()
        pyflare.flare("SELECT count(*) FROM range(10)", spark).to_arrow()
    assert open_files() == before
