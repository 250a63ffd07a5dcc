"""How Spark's vectorized reader turns the values of a Parquet column into those of the type that a query asks for.

Each function below answers for one Spark type: the `Reading`, if Spark's result can be matched exactly. Everything
else is `Unsupported`, also what Spark itself refuses, so that Spark raises its own error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pyflare.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from pyflare.io.footers import Footer
    from pyflare.io.schema import Field
    from pyflare.io.settings import ReadSettings
    from pyflare.types import DataType

DATE_SWITCH: Final = -141427  # 1582-10-15, the first day that reads the same in both calendars
TIMESTAMP_SWITCH: Final = -2208988800000000  # 1900-01-01T00:00:00Z, from where on it does so in every time zone

_MICROS_PER_DAY: Final = 86_400_000_000
_INT_DIGITS: Final = 10
_LONG_DIGITS: Final = 20


@dataclass(frozen=True)
class Reading:
    """How one file's column is read as a Spark type.

    `cast` is an Arrow type to convert to first, `factor` multiplies every value, and a value below `floor` belongs to a
    calendar that needs converting, which is left to Spark.
    """

    field: Field
    cast: pa.DataType | None = None
    factor: int = 1
    floor: int | None = None


@dataclass(frozen=True)
class Calendar:
    """Which values of a file need their calendar converted: those below the floors."""

    date_floor: int | None
    timestamp_floor: int | None
    int96_floor: int | None

    @classmethod
    def of(cls, footer: Footer, settings: ReadSettings) -> Calendar:
        """What the file says of its writer, and the settings where it says nothing."""
        dates = _is_corrected(footer, settings.datetime_rebase_mode, "3.0.0", b"org.apache.spark.legacyDateTime")
        int96 = _is_corrected(footer, settings.int96_rebase_mode, "3.1.0", b"org.apache.spark.legacyINT96")
        return cls(
            None if dates else DATE_SWITCH,
            None if dates else TIMESTAMP_SWITCH,
            None if int96 else TIMESTAMP_SWITCH,
        )


def reading(field: Field, type_: DataType, calendar: Calendar) -> Reading:
    """How `field` is read as `type_`. Raises `Unsupported` if it cannot be read as Spark does."""
    convert = _CONVERSIONS.get(type_.name) if field.is_list == (type_.element is not None) else None
    found = None if convert is None else convert(field, type_, calendar)
    if found is None:
        raise Unsupported(f"column {field} is not read as {type_}")
    return found


def _is_corrected(footer: Footer, mode: str, since: str, legacy: bytes) -> bool:
    version = footer.properties.get(b"org.apache.spark.version")
    if version is not None:
        return version.decode() >= since and legacy not in footer.properties
    return mode == "CORRECTED"


def _boolean(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    return Reading(field) if field.physical == "BOOLEAN" else None


def _small(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    is_small = field.logical == "Int" and field.parameter("bitWidth") < 32
    return Reading(field) if field.physical == "INT32" and (is_small or _is_signed(field)) else None


def _long(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    if field.physical == "INT64":
        return Reading(field) if field.logical == "Timestamp" or _is_signed(field) else None
    return Reading(field) if field.physical == "INT32" and field.logical in ("None", "Int") else None


def _float(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    return Reading(field) if field.physical == "FLOAT" else None


def _double(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    signed = field.physical == "INT32" and _is_signed(field)
    return Reading(field) if signed or field.physical in ("FLOAT", "DOUBLE") else None


def _decimal(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    if field.logical == "Decimal":
        return _rescaled(field, type_)
    if field.logical == "Int" and field.parameter("bitWidth") == 64 and not _is_signed(field):
        return Reading(field, cast=type_.arrow) if (type_.precision, type_.scale) == (20, 0) else None
    needed = {"INT32": _INT_DIGITS, "INT64": _LONG_DIGITS}.get(field.physical)
    if needed is None or not _is_signed(field) or type_.precision - type_.scale < needed:
        return None
    return Reading(field, cast=type_.arrow)


def _rescaled(field: Field, type_: DataType) -> Reading | None:
    more_scale = type_.scale - field.parameter("scale")
    more_precision = type_.precision - field.parameter("precision")
    if more_scale == 0 and more_precision == 0:
        return Reading(field)
    if more_scale < 0 or more_precision < more_scale:
        return None
    return Reading(field, cast=type_.arrow)


def _date(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    if field.physical == "INT32" and field.logical in ("None", "Date"):
        return Reading(field, floor=calendar.date_floor)
    return None


def _timestamp(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    if field.physical == "INT96":
        return Reading(field, floor=calendar.int96_floor)
    factor = _micros(field)
    return Reading(field, factor=factor, floor=calendar.timestamp_floor) if factor else None


def _timestamp_ntz(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    if field.physical == "INT96":
        return Reading(field)
    if field.logical == "Date":
        floor = None if calendar.date_floor is None else calendar.date_floor * _MICROS_PER_DAY
        return Reading(field, factor=_MICROS_PER_DAY, floor=floor)
    factor = _micros(field)
    return Reading(field, factor=factor) if factor else None


def _string(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    return Reading(field) if field.physical == "BYTE_ARRAY" and field.logical in _TEXT else None


def _binary(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    if field.physical == "FIXED_LEN_BYTE_ARRAY" and field.logical in ("None", "UUID"):
        return Reading(field)
    return _string(field, type_, calendar)


def _array(field: Field, type_: DataType, calendar: Calendar) -> Reading | None:
    """Arrays whose elements need no conversion beyond a wider type."""
    assert type_.element is not None
    element = reading(replace(field, is_list=False), type_.element, calendar)
    plain = Reading(element.field)
    return Reading(field) if element == plain else None


def _micros(field: Field) -> int | None:
    if field.logical != "Timestamp":
        return None
    return {"microseconds": 1, "milliseconds": 1000}.get(field.parameter("timeUnit"))


def _is_signed(field: Field) -> bool:
    return field.logical == "None" or (field.logical == "Int" and bool(field.parameter("isSigned")))


_TEXT: Final = frozenset({"None", "String", "Enum", "JSON", "BSON"})

_CONVERSIONS: Final[dict[str, Callable[[Field, DataType, Calendar], Reading | None]]] = {
    "boolean": _boolean,
    "byte": _small,
    "short": _small,
    "integer": _small,
    "long": _long,
    "float": _float,
    "double": _double,
    "decimal": _decimal,
    "date": _date,
    "timestamp": _timestamp,
    "timestamp_ntz": _timestamp_ntz,
    "string": _string,
    "binary": _binary,
    "array": _array,
}
