"""Having what all queries share compiled, or loaded from the disk cache, before the first query needs it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pyflare.io import arrow, decode, thrift
from pyflare.io.columns import Batch, Column, Dictionary
from pyflare.io.dictionaries import GrowingDictionary
from pyflare.runtime import dates, decimals, memory, strings
from pyflare.types import DATE, LONG, STRING, decimal


def warm() -> None:
    """Run each kernel on a row or two. Safe on any thread."""
    thrift.flatten(np.frombuffer(bytes(1), np.uint8))  # footers are read-only, which is another type to Numba
    thrift.Events(*(np.zeros(1, np.int64) for _ in range(3))).table((1,), [(1, 1)])
    ok, codes = np.ones(1, np.uint8), np.zeros(1, np.int32)
    text = np.zeros(1, np.uint8)
    columns = (
        Column(np.zeros(1, np.int64)),
        Column(codes, None, dictionary=Dictionary(np.array([0, 1], np.int32), text)),
        Column(np.array([text.ctypes.data], np.uint64), None, lengths=np.ones(1, np.int32)),
    )
    price = decimal(15, 2)
    batch = arrow.to_record_batch(Batch(1, columns), [("d", price, True), ("c", STRING, True), ("v", STRING, True)])
    numbers = decode.decode(batch.column(0), price)
    for column, type_ in ((numbers, LONG), (Column(codes), DATE)):
        decode.bounds(column, type_)
        decode.bounds(Column(column.data, ok), type_)
    for words in (pa.array(["a"]), pa.array(["a", None])):
        decode.decode_codes([words.dictionary_encode()], GrowingDictionary())


def warm_expressions() -> None:
    """Compile what the commonest expressions over strings, dates and decimals call, the longest first."""
    for helper in (strings.substring, strings.contains, strings.find_behind):
        helper.ready()
    one: Any = np.uint64(1)
    some: Any = np.int64(0)
    decimals.wide_divide_half_up_safe((some, some), (some + 1, some))
    dates.civil(some)
    memory.hash_word(one)
    memory.hash_bytes(one, some)
    memory.bytes_equal(one, some, one, some)
    memory.bytes_compare(one, some, one, some)
    strings.starts_with(one, some, one, some)


def write_sample(path: str) -> None:
    """Write a few rows to the file at `path`, for the shim's rehearsal (`Rehearsal.scala` names the columns, too)."""
    rows = 100
    numbers = range(rows)
    columns = {
        "k": pa.array(numbers, pa.int64()),
        "price": pa.array([Decimal(n) / 4 for n in numbers], pa.decimal128(15, 2)),
        "rate": pa.array([n / rows for n in numbers], pa.float64()),
        "day": pa.array([date(2001, 1, 1) + timedelta(days=3 * n) for n in numbers], pa.date32()),
        "word": pa.array(["xyz"[n % 3] for n in numbers], pa.string()),
    }
    pq.write_table(pa.table(columns), path)
