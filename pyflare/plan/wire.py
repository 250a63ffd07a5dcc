"""The wire plan's values as Python data: `docs/wire.md`, section 2."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyflare.errors import Unsupported
from pyflare.types import DataType, parse_type


@dataclass(frozen=True)
class Opaque:
    """Something the shim could not write; whoever needs it refuses."""

    class_name: str


@dataclass(frozen=True)
class Record:
    """A case class that is neither an expression nor an operator, for example `NumericEvalContext`."""

    name: str
    fields: tuple[tuple[str, Any], ...]

    def __getitem__(self, key: str) -> Any:
        return dict(self.fields)[key]


def literal_value(json: Mapping[str, Any]) -> Any:
    """The raw value of a wire literal: None, bool, int, str (text), bytes or a digit string. Raises `Unsupported`."""
    if "b64" in json:
        return base64.b64decode(json["b64"])
    if "v" not in json:
        raise Unsupported(f"literal of type {json.get('t')} is not supported", "Literal")
    return json["v"]


def kernel_value(type_: DataType, raw: Any) -> Any:
    """A literal in kernel form: int for `Kind.INT`/`WIDE` (unscaled), float, bool, bytes for strings, None for null."""
    if raw is None:
        return None
    if type_.is_decimal:
        return int(raw)
    if type_.is_stringlike:
        return raw if isinstance(raw, bytes) else raw.encode()
    if type_.name == "double":
        return _from_bits(raw, 8)
    if type_.name == "float":
        return _from_bits(raw, 4)
    return raw


def _from_bits(raw: int, width: int) -> float:
    code, integer = ("<d", "<q") if width == 8 else ("<f", "<i")
    return float(struct.unpack(code, struct.pack(integer, raw))[0])


def wire_type(json: Any) -> DataType:
    """The type of an expression. Raises `Unsupported` for types outside the contract."""
    return parse_type(json)


def column_type(json: Any) -> DataType:
    """The type of an attribute: intervals of months are not among them, pyarrow cannot write Spark's form of these."""
    type_ = wire_type(json)
    if type_.is_year_month:
        raise Unsupported(f"columns of type {type_} are not supported")
    return type_
