"""What code generation knows of a value: the names that hold it at run time, its type, and what is proven about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numba import types

from pyflare.io.columns import Batch, Column
from pyflare.runtime import parameters
from pyflare.runtime.arena import Arena
from pyflare.types import DataType, Kind

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1


def fits_long(low: int, high: int) -> bool:
    """Whether every integer between `low` and `high` fits in 64 bits."""
    return low >= LONG_MIN and high <= LONG_MAX


@dataclass(frozen=True)
class Value:
    """A value of the current row.

    `code` is a name or a constant in the kernel's source: the number, the truth value, the `(low, high)` pair or, for
    strings, the address. `ok` names its validity and is None for a value that is never null. A null boolean is False,
    so that `code` alone says "is true". `low` and `high` bound the value where it is not null (`Kind.INT` and
    `Kind.WIDE`). A decimal may be represented by `Kind.INT` whatever its precision, if its bounds fit.
    """

    type: DataType
    kind: Kind
    code: str
    ok: str | None = None
    low: int | None = None
    high: int | None = None
    length: str = ""
    codes: CodesOf | None = None

    @property
    def nullable(self) -> bool:
        return self.ok is not None

    @property
    def bounds(self) -> tuple[int, int]:
        """Proven bounds, else the type's, else those of the representation."""
        by_type = self.type.bounds or (LONG_MIN, LONG_MAX)
        low = by_type[0] if self.low is None else self.low
        high = by_type[1] if self.high is None else self.high
        return low, high

    def with_ok(self, ok: str | None) -> Value:
        return replace(self, ok=ok)


class MadeColumn:
    """A coded column whose dictionary is made of another one's, at `base`."""

    base: Source

    def column(self, base: Column) -> Column:
        """The codes by the codes of `base`, and their dictionary."""
        raise NotImplementedError


Source = int | tuple[int, int] | MadeColumn
"""Where a kernel finds a column: its position in the batch, a joined table and the position in that, or its maker."""


@dataclass(frozen=True)
class CodesOf:
    """A string that is an index into the dictionary of the column at `column`, or an array that is a row of it."""

    name: str
    column: Source


@dataclass
class Frame:
    """What a kernel's parameters are bound to, for one batch on one thread; texts it computes point into `arena`."""

    batch: Batch
    states: dict[str, Any] = field(default_factory=dict)
    subqueries: tuple[Any, ...] = ()
    arena: Arena = field(default_factory=Arena)
    tables: tuple[Any, ...] = ()
    resume: Any = field(default_factory=lambda: np.zeros(1, np.int64))
    made: dict[MadeColumn, Column] = field(default_factory=dict)

    def column(self, source: Source) -> Column:
        """The column at a source."""
        if isinstance(source, int):
            return self.batch.columns[source]
        if isinstance(source, MadeColumn):
            return self._made_column(source)
        table, position = source
        return self.tables[table].batch.columns[position]  # type: ignore[no-any-return]

    def _made_column(self, source: MadeColumn) -> Column:
        """The same one for the whole frame; it lives as long as what may point into its dictionary."""
        found = self.made.get(source)
        if found is None:
            found = self.made[source] = source.column(self.column(source.base))
            self.arena.hold(found.dictionary)
        return found

    def rows(self, source: Source) -> int:
        """The length of the column at a source."""
        if isinstance(source, MadeColumn):
            return self.rows(source.base)
        return self.batch.length if isinstance(source, int) else int(self.tables[source[0]].batch.length)


@dataclass(frozen=True)
class ParamType:
    """What a kernel's parameter is: a number, a `buffer` of numbers, or an `array` (`runtime/parameters.py`)."""

    element: str
    make: Callable[[Any], Any] | None = None

    @property
    def text(self) -> str:
        """The type in a kernel's source."""
        return self.element if self.make is None else f"{self.make.__name__}({self.element})"

    @property
    def numba(self) -> Any:
        """The type in Numba."""
        element = getattr(types, self.element)
        return element if self.make is None else self.make(element)


@dataclass(frozen=True)
class Param:
    """One kernel parameter: its name, its type, and where its argument comes from."""

    name: str
    type: ParamType
    bind: Callable[[Frame], Any] = field(compare=False)


def buffer(element: str) -> ParamType:
    """A contiguous array."""
    return ParamType(element, parameters.buffer)


def array(element: str) -> ParamType:
    """An array that goes on to helpers with a signature of their own."""
    return ParamType(element, parameters.array)


def scalar(element: str) -> ParamType:
    """A number."""
    return ParamType(element)


def address_of(array: Any) -> int:
    """Where an array's first element lies."""
    return int(array.ctypes.data)


def dictionary_address(source: Source) -> Callable[[Frame], Any]:
    """How to find the bytes of a column's dictionary when the kernel runs."""
    return lambda frame: address_of(frame.column(source).dictionary.bytes)  # type: ignore[union-attr]


def dictionary_offsets(source: Source) -> Callable[[Frame], Any]:
    """How to find where the entries of a column's dictionary begin."""
    return lambda frame: frame.column(source).dictionary.offsets  # type: ignore[union-attr]
