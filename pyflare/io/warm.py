"""Having the kernels of this package compiled, or loaded from the disk cache, before the first query needs them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pyflare.io import arrow, decode, thrift
from pyflare.io.columns import Batch, Column, Dictionary
from pyflare.io.dictionaries import GrowingDictionary
from pyflare.types import DATE, LONG, STRING, decimal


def warm() -> None:
    """Run each kernel on a row or two. Safe on any thread."""
    thrift.flatten(np.zeros(1, np.uint8))
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
