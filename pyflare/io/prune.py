"""Which row groups cannot have a row that satisfies a predicate: decided from bounds and null counts only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyflare.types import DataType, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflare.io.chunktable import ChunkInfo
    from pyflare.io.conversions import Reading


@dataclass(frozen=True)
class Facts:
    """What is known of one column of one row group, in kernel form; None is unknown.

    `low` and `high` bound every value that is neither null nor NaN.
    """

    rows: int
    nulls: int | None
    low: Any = None
    high: Any = None
    has_nan: bool = False

    @property
    def is_all_null(self) -> bool:
        """Whether no row has a value."""
        return self.nulls == self.rows


def facts(chunk: ChunkInfo, reading: Reading, type_: DataType) -> Facts:
    """A footer's statistics in the form in which kernels hold the values."""
    low = _kernel_form(chunk.low, reading, type_)
    high = _kernel_form(chunk.high, reading, type_)
    if low is None or high is None or low > high:
        low = high = None
    return Facts(chunk.rows, chunk.nulls, low, high, has_nan=type_.is_floating)


def constant(value: Any, rows: int) -> Facts:
    """The facts of a column that holds one value throughout."""
    is_nan = isinstance(value, float) and math.isnan(value)
    known = None if is_nan else value
    return Facts(rows, rows if value is None else 0, known, known, has_nan=is_nan)


def excludes(found: Facts, op: str, value: Any) -> bool:
    """Whether no row satisfies `column op value`. Unknown operators exclude nothing."""
    if op == "is null":
        return found.nulls == 0
    if op not in _TESTS:
        return False
    if found.is_all_null:
        return True
    if op == "is not null" or found.low is None:
        return False
    return _TESTS[op](found, value)


def _kernel_form(raw: Any, reading: Reading, type_: DataType) -> Any:
    if raw is None:
        return None
    match type_.kind:
        case Kind.INT | Kind.WIDE:
            return _integer(raw, reading, type_)
        case Kind.F32 | Kind.F64:
            return None if math.isnan(raw) else float(raw)
        case Kind.STR:
            return bytes(raw)
        case _:
            return raw


def _integer(raw: Any, reading: Reading, type_: DataType) -> int | None:
    field = reading.field
    number = int.from_bytes(raw, "big", signed=True) if isinstance(raw, bytes) else int(raw)
    if field.logical == "Int" and not field.parameter("isSigned"):
        number &= 2**64 - 1 if field.physical == "INT64" else 2**32 - 1
    number *= reading.factor
    if type_.is_decimal:
        number *= 10 ** (type_.scale - (field.parameter("scale") or 0))
    bounds = type_.bounds
    return number if bounds and bounds[0] <= number <= bounds[1] else None


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _equal(found: Facts, value: Any) -> bool:
    if value is None or _is_nan(value):
        return False
    return bool(value < found.low or value > found.high)


def _less(found: Facts, value: Any) -> bool:
    return value is not None and not _is_nan(value) and bool(found.low >= value)


def _at_most(found: Facts, value: Any) -> bool:
    return value is not None and not _is_nan(value) and bool(found.low > value)


def _greater(found: Facts, value: Any) -> bool:
    return value is not None and not found.has_nan and bool(found.high <= value)


def _at_least(found: Facts, value: Any) -> bool:
    return value is not None and not found.has_nan and bool(found.high < value)


def _any_of(found: Facts, values: Any) -> bool:
    return all(value is None or _equal(found, value) for value in values)


def _prefix(found: Facts, value: Any) -> bool:
    return value is not None and bool(found.high < value or found.low[: len(value)] > value)


_TESTS: Final[dict[str, Callable[[Facts, Any], bool]]] = {
    "is not null": lambda found, value: False,
    "=": _equal,
    "<": _less,
    "<=": _at_most,
    ">": _greater,
    ">=": _at_least,
    "in": _any_of,
    "startswith": _prefix,
}
