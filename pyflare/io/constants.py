"""Columns that hold one value: partition values, and columns that a file does not have."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyflare.io.columns import Array, Column, Encoding, Layout
from pyflare.types import Kind

if TYPE_CHECKING:
    from pyflare.io.dictionaries import GrowingDictionary

MAX_COLUMNS: Final = 16

_WORD: Final = 2**64 - 1


class Constants:
    """Constant columns, shared between the morsels that need the same one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._columns: OrderedDict[tuple[Any, ...], Column] = OrderedDict()

    def column(self, value: Any, layout: Layout, dictionary: GrowingDictionary | None, length: int) -> Column:
        """A column of `length` rows that all hold `value` (None: null)."""
        key = (repr(value), layout.type, layout.encoding, dictionary and dictionary.uid, length)
        with self._lock:
            column = self._columns.get(key)
            if column is None:
                column = self._columns[key] = _fill(value, layout, dictionary, length)
                if len(self._columns) > MAX_COLUMNS:
                    self._columns.popitem(last=False)
            self._columns.move_to_end(key)
            return column


def _fill(value: Any, layout: Layout, dictionary: GrowingDictionary | None, length: int) -> Column:
    ok = np.zeros(length, np.uint8) if value is None else None
    if layout.encoding is Encoding.CODES:
        assert dictionary is not None
        code = 0 if value is None else dictionary.encode([value])[0]
        return Column(np.full(length, code, np.int32), ok, dictionary=dictionary.snapshot())
    if layout.type.kind is Kind.STR:
        return Column(np.zeros(length + 1, np.int32), ok, np.empty(0, np.uint8))
    if layout.type.kind is Kind.ARRAY:
        return Column(np.empty((length, 0), layout.type.storage), ok)
    return Column(_numbers(0 if value is None else value, layout, length), ok)


def _numbers(value: Any, layout: Layout, length: int) -> Array:
    if layout.type.kind is not Kind.WIDE:
        return np.full(length, value, layout.type.storage)
    words = np.empty((length, 2), np.uint64)
    words[:] = (value & _WORD, (value >> 64) & _WORD)
    return words.reshape(-1).view(np.int64)
