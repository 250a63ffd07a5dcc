"""What columns bring to a model: arrays as matrices, texts as byte strings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pyflare.errors import Unsupported
from pyflare.io.arrow import to_record_batch
from pyflare.io.columns import Array, Batch, Column, Dictionary
from pyflare.io.memory import view
from pyflare.types import BINARY

if TYPE_CHECKING:
    from pyflare.tensorflow.models import ModelStep, Slot


def fed(step: ModelStep, buffers: Sequence[Array], columns: Sequence[Column], rows: int) -> list[Array]:
    """What a step runs on: the buffers that a kernel has filled, and what `columns` hold for the other slots.

    Raises `Unsupported` for arrays that do not have the model's length: Spark has the error for it.
    """
    counts = [len(slot.arguments) if slot.is_columnar else 0 for slot in step.slots]
    parts = [columns[start:stop] for start, stop in pairwise((0, *accumulate(counts)))]
    triples = zip(step.slots, buffers, parts, strict=True)
    return [_of_columns(slot, part, rows) if slot.is_columnar else buffer for slot, buffer, part in triples]


def column_of(values: Array, ok: Array | None, storage: np.dtype[Any]) -> Column:
    """A model's values as a column."""
    if not values.dtype.hasobject:
        return Column(values.astype(storage, copy=False), ok)
    _, offsets, texts = pa.array(values, pa.binary()).cast(pa.utf8()).buffers()
    ends = view(offsets, np.int32, len(values) + 1)
    return Column(ends, ok, view(texts, np.uint8, int(ends[-1])))


def _of_columns(slot: Slot, columns: Sequence[Column], rows: int) -> Array:
    if not slot.is_array:
        return slot.of_texts([_texts(column, rows) for column in columns])
    (column,) = columns
    if column.ok is not None and not column.ok.any():  # arrays of no known length
        return np.zeros((rows, *slot.shape), slot.dtype)
    try:
        return slot.of_arrays(column.data)
    except ValueError as error:
        raise Unsupported(str(error)) from None


def _texts(column: Column, rows: int) -> Array:
    """Byte strings; anything where the row is null."""
    if column.dictionary is None:
        return _objects(column, rows)
    known = _objects(_entries(column.dictionary), max(len(column.dictionary), 1))
    return known[column.data]


def _entries(dictionary: Dictionary) -> Column:
    """A dictionary's values as a column; code 0 stands for a null where there are none."""
    offsets = dictionary.offsets if len(dictionary) else np.zeros(2, np.int32)
    return Column(offsets, None, dictionary.bytes)


def _objects(column: Column, rows: int) -> Array:
    array = to_record_batch(Batch(rows, (column,)), [("text", BINARY, True)]).column(0)
    objects: Array = array.to_numpy(zero_copy_only=False)
    return objects
