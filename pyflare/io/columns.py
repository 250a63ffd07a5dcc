"""Column buffers: what readers hand to kernels and what kernels hand to one another.

A column is described twice. Its `Layout` is known when the query is compiled (a kernel is generated for it); a `Column`
is one batch's buffers in that layout. Three layouts exist:

* `PLAIN`: `data` has one element a row in `type.storage` (booleans 0/1 bytes; decimals of up to 18 digits unscaled
  int64; wider ones two int64 words a row, low word first). For strings and binaries `data` holds n + 1 int32 offsets
  into `bytes`; the first one need not be 0.
* `CODES`: `data` holds int32 indices into `dictionary`, for strings and binaries only. A column has one growing
  dictionary: values are distinct, never null and keep their code, so the dictionary of one batch is a prefix, or an
  extension, of another's.
* `VIEWS`: `data` holds n uint64 addresses and `lengths` n int32 byte counts; `owners` keeps that memory alive.

Arrays have a matrix as `data`, a row each. A struct, which is in results only, has a column for each field as `parts`.

`ok` is one byte a row, 1 where the row has a value, and None when no row of the batch is null. A row that is null holds
something harmless (any number; code 0, if the dictionary is not empty; a zero length).

Arrays are contiguous and flagged as writable, so that kernels see one NumPy type; they are shared and never written.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pyflare.types import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflare.types import DataType

Array = npt.NDArray[Any]


class Encoding(Enum):
    """How a column's values lie in memory."""

    PLAIN = "plain"
    CODES = "codes"
    VIEWS = "views"


@dataclass(frozen=True)
class Layout:
    """What a kernel must know of a column before it sees a row.

    `nullable` False promises that no row of any batch is null. `low` and `high`, where known, bound every non-null
    value of a `Kind.INT` or `Kind.WIDE` column (unscaled for decimals). `packed` names the NumPy type, narrower than
    the type's own, in which such a column has one element a row.
    """

    type: DataType
    encoding: Encoding = Encoding.PLAIN
    nullable: bool = True
    low: int | None = None
    high: int | None = None
    packed: str | None = None

    @property
    def storage(self) -> np.dtype[Any]:
        """The type of the elements of a column that is no string."""
        return np.dtype(self.packed) if self.packed else self.type.storage

    @property
    def width(self) -> int:
        """The elements that a row has."""
        return 2 if self.type.kind is Kind.WIDE and not self.packed else 1


@dataclass(frozen=True)
class Dictionary:
    """Distinct values of a string or binary column: n + 1 int32 offsets into `bytes`.

    Of two dictionaries with the same `uid` other than 0 one is a prefix of the other.
    """

    offsets: Array
    bytes: Array
    uid: int = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, code: int) -> builtins.bytes:
        return builtins.bytes(self.bytes[self.offsets[code] : self.offsets[code + 1]])


@dataclass(frozen=True)
class Column:
    """The buffers of one column in one batch."""

    data: Array
    ok: Array | None = None
    bytes: Array | None = None
    lengths: Array | None = None
    dictionary: Dictionary | None = None
    owners: tuple[Any, ...] = ()
    parts: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Columns of equal length."""

    length: int
    columns: tuple[Column, ...]
    keep: tuple[Any, ...] = field(default=(), compare=False)


def plain_layouts(layouts: Sequence[Layout]) -> tuple[Layout, ...]:
    """The layouts of the same columns when none is packed."""
    return tuple(replace(layout, packed=None) if layout.packed else layout for layout in layouts)


def view_layouts(layouts: Sequence[Layout]) -> tuple[Layout, ...]:
    """The layouts of a table whose plain strings have become views."""
    return tuple(
        replace(lay, encoding=Encoding.VIEWS) if lay.type.is_stringlike and lay.encoding is Encoding.PLAIN else lay
        for lay in layouts
    )
