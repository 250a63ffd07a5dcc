"""One table of types: Spark's names, Arrow's types, NumPy's buffers and what a kernel computes with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pyflare.errors import Unsupported


class Kind(Enum):
    """What a value is inside a kernel."""

    BOOL = "bool"
    INT = "int"  # every integral value, dates, timestamps and decimals of up to 18 digits: one int64
    F32 = "float32"
    F64 = "float64"
    WIDE = "int128"  # decimals of more than 18 digits: a (low, high) pair of 64-bit words
    STR = "str"  # strings and binaries: address and length in bytes
    NULL = "null"
    ARRAY = "array"  # what models and functions of whole columns take or return: no kernel reads them
    STRUCT = "struct"  # what a model of several outputs returns, in a fragment's result only


@dataclass(frozen=True)
class DataType:
    """A Spark SQL type. `name` is Spark's own JSON name; precision and scale are a decimal's, `element` an array's.

    `has_nulls` says whether an array may have nulls in it, as far as Spark knows; `fields` are a struct's, which is
    `marked` if a column after those of its fields says whether it is there.
    """

    name: str
    precision: int = 0
    scale: int = 0
    element: DataType | None = None
    has_nulls: bool = field(default=True, compare=False)
    fields: tuple[tuple[str, DataType], ...] = ()
    marked: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        if self.fields:
            return f"struct<{','.join(f'{name}:{type_}' for name, type_ in self.fields)}>"
        if self.element is not None:
            return f"array<{self.element}>"
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name

    @property
    def kind(self) -> Kind:
        """How kernels represent a value of this type."""
        if self.name == "decimal":
            return Kind.INT if self.precision <= MAX_LONG_DIGITS else Kind.WIDE
        if self.element is not None:
            return Kind.ARRAY
        if self.fields:
            return Kind.STRUCT
        if self.name not in _ROWS:
            raise Unsupported(f"values of type {self} are not supported")
        return _ROWS[self.name].kind

    @property
    def storage(self) -> np.dtype[Any]:
        """The element type of a plain column buffer (for `Kind.WIDE` int64 words, two a value; for strings offsets).

        An array column is a matrix of its elements, one row a value.
        """
        if self.element is not None:
            return self.element.storage
        if self.name == "decimal":
            return np.dtype(np.int64)
        return _ROWS[self.name].storage

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type that Spark's `ArrowUtils` uses for this type; timestamps are tagged with UTC."""
        if self.element is not None:
            return pa.list_(pa.field("element", self.element.arrow, self.has_nulls))
        if self.fields:
            return pa.struct([pa.field(name, type_.arrow) for name, type_ in self.fields])
        if self.name == "decimal":
            return pa.decimal128(self.precision, self.scale)
        return _ROWS[self.name].arrow

    @property
    def is_integral(self) -> bool:
        return self.name in INTEGRAL_BOUNDS

    @property
    def is_decimal(self) -> bool:
        return self.name == "decimal"

    @property
    def is_floating(self) -> bool:
        return self.name in ("float", "double")

    @property
    def is_year_month(self) -> bool:
        """An interval of months."""
        return self.name in _YEAR_MONTH

    @property
    def is_stringlike(self) -> bool:
        return self.kind is Kind.STR

    @property
    def bounds(self) -> tuple[int, int] | None:
        """Smallest and largest value a `Kind.INT` or `Kind.WIDE` value of this type can hold; None for other kinds."""
        if self.name == "decimal":
            top = 10**self.precision - 1
            return -top, top
        if self.name == "date" or self.is_year_month:
            return INTEGRAL_BOUNDS["integer"]
        if self.kind is Kind.INT:
            return INTEGRAL_BOUNDS.get(self.name, INTEGRAL_BOUNDS["long"])
        return None


@dataclass(frozen=True)
class _Row:
    kind: Kind
    storage: np.dtype[Any]
    arrow: pa.DataType


MAX_LONG_DIGITS: Final = 18
MAX_PRECISION: Final = 38

# Intervals of one kind differ in what they print only: an int of months, a long of microseconds.
_YEAR_MONTH: Final = ("interval year", "interval year to month", "interval month")
_DAY_TIME: Final = (
    *(f"interval {unit}" for unit in ("day", "hour", "minute", "second")),
    *(f"interval day to {unit}" for unit in ("hour", "minute", "second")),
    *(f"interval hour to {unit}" for unit in ("minute", "second")),
    "interval minute to second",
)

_ROWS: Final[dict[str, _Row]] = {
    "boolean": _Row(Kind.BOOL, np.dtype(np.uint8), pa.bool_()),
    "byte": _Row(Kind.INT, np.dtype(np.int8), pa.int8()),
    "short": _Row(Kind.INT, np.dtype(np.int16), pa.int16()),
    "integer": _Row(Kind.INT, np.dtype(np.int32), pa.int32()),
    "long": _Row(Kind.INT, np.dtype(np.int64), pa.int64()),
    "float": _Row(Kind.F32, np.dtype(np.float32), pa.float32()),
    "double": _Row(Kind.F64, np.dtype(np.float64), pa.float64()),
    "date": _Row(Kind.INT, np.dtype(np.int32), pa.date32()),
    "timestamp": _Row(Kind.INT, np.dtype(np.int64), pa.timestamp("us", "UTC")),
    "timestamp_ntz": _Row(Kind.INT, np.dtype(np.int64), pa.timestamp("us")),
    **dict.fromkeys(_YEAR_MONTH, _Row(Kind.INT, np.dtype(np.int32), pa.null())),
    **dict.fromkeys(_DAY_TIME, _Row(Kind.INT, np.dtype(np.int64), pa.duration("us"))),
    "string": _Row(Kind.STR, np.dtype(np.int32), pa.utf8()),
    "binary": _Row(Kind.STR, np.dtype(np.int32), pa.binary()),
    "void": _Row(Kind.NULL, np.dtype(np.uint8), pa.null()),
}

INTEGRAL_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
}

BOOLEAN: Final = DataType("boolean")
INTEGER: Final = DataType("integer")
LONG: Final = DataType("long")
FLOAT: Final = DataType("float")
DOUBLE: Final = DataType("double")
DATE: Final = DataType("date")
TIMESTAMP: Final = DataType("timestamp")
TIMESTAMP_NTZ: Final = DataType("timestamp_ntz")
CALENDAR_INTERVAL: Final = DataType("interval")  # of literals only: no column has it
STRING: Final = DataType("string")
BINARY: Final = DataType("binary")
VOID: Final = DataType("void")

_ELEMENTS: Final = ("boolean", *INTEGRAL_BOUNDS, "float", "double")
_DECIMAL: Final = re.compile(r"decimal\((\d+),\s*(-?\d+)\)")


def parse_type(json: Any) -> DataType:
    """The type behind Spark's `DataType.json` value.

    Raises `Unsupported` for unknown types, and for nested ones that are no arrays of numbers or booleans.
    """
    if not isinstance(json, str):
        if isinstance(json, Mapping) and json.get("type") == "array" and json.get("elementType") in _ELEMENTS:
            return array_of(DataType(json["elementType"]), bool(json.get("containsNull", True)))
        name = json["type"] if isinstance(json, Mapping) and "type" in json else json
        raise Unsupported(f"type {name} is not supported")
    if json in _ROWS:
        return DataType(json)
    match = _DECIMAL.fullmatch(json)
    if match is None:
        raise Unsupported(f"type {json} is not supported")
    precision, scale = int(match[1]), int(match[2])
    if scale < 0:
        raise Unsupported(f"type {json} has a negative scale")
    return DataType("decimal", precision, scale)


def array_of(element: DataType, has_nulls: bool = True) -> DataType:
    """The type of arrays of such elements."""
    return DataType("array", element=element, has_nulls=has_nulls)


def struct_of(fields: Iterable[tuple[str, DataType]], *, marked: bool = False) -> DataType:
    """The type of structs of such fields."""
    return DataType("struct", fields=tuple(fields), marked=marked)


def decimal(precision: int, scale: int) -> DataType:
    """The decimal type of that precision and scale."""
    return DataType("decimal", precision, scale)


def sum_type(type_: DataType) -> DataType:
    """The type of the sum of which Spark makes an average."""
    return decimal(min(MAX_PRECISION, type_.precision + 10), type_.scale) if type_.is_decimal else DOUBLE
