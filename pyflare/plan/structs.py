"""Structs that models and functions return: inside a plan each field is a column of its own, and only at its root they
are put together again, for Spark.

A model's struct is null where its fields are. That of a function may have fields that are null, so a column after them
marks the structs that are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyflare.errors import Unsupported
from pyflare.plan.decode import Json, attribute
from pyflare.plan.expressions import AttributeReference
from pyflare.plan.operators import Named
from pyflare.plan.wire import column_type
from pyflare.types import DataType, struct_of

_FIRST_ID = -(10**7)  # below every other id that is made up
_MOST_FIELDS = 1000
_MARK = {"name": "exists", "type": "boolean"}

Attributes = tuple[AttributeReference, ...]


def is_struct(type_: Any) -> bool:
    """Whether a wire type is a struct."""
    return isinstance(type_, Mapping) and type_.get("type") == "struct"


class Structs:
    """The fields of each struct that a plan knows, by the struct's id."""

    def __init__(self) -> None:
        self._fields: dict[int, Attributes] = {}

    def made(self, json: Json, *, marked: bool = False) -> Attributes:
        """The attributes for a new column: of a struct those of its fields, and a last one if it is to be marked.

        Raises `Unsupported` for other types.
        """
        if not is_struct(json["t"]):
            return (attribute(json),)
        fields = json["t"]["fields"]
        if not 0 < len(fields) < _MOST_FIELDS:
            raise Unsupported(f"a struct of {len(fields)} fields")
        found = tuple(
            AttributeReference(
                type=column_type(field["type"]),
                nullable=True,
                label=field["name"],
                id=_FIRST_ID - _MOST_FIELDS * json["id"] - place,
            )
            for place, field in enumerate([*fields, _MARK] if marked else fields)
        )
        self._fields[json["id"]] = found
        return found

    def known(self, json: Json) -> Attributes | None:
        """The fields of the struct that an expression is; None if it is none of those that are known."""
        return self._fields.get(json["id"]) if json.get("e", "AttributeReference") == "AttributeReference" else None

    def named(self, json: Json) -> tuple[Named, ...] | None:
        """The fields of a struct that goes on under its name or another one; None if that is no struct."""
        source = json["f"]["child"] if json["e"] == "Alias" else json
        fields = self.known(source)
        if fields is None:
            return None
        if source is json:
            return tuple(Named(field, field) for field in fields)
        marked = len(fields) > len(json["t"]["fields"])
        attrs = self.made({"t": json["t"], "id": json["f"]["exprId"]}, marked=marked)
        return tuple(Named(attr, field) for attr, field in zip(attrs, fields, strict=True))

    def all(self, json: Any) -> Attributes:
        """The attributes of an operator's output."""
        return tuple(attr for item in json for attr in self.known(item) or (attribute(item),))

    def outputs(self, json: Any) -> tuple[tuple[str, DataType], ...]:
        """Names and types of an operator's output as Spark sees it."""
        return tuple(self._output(item) for item in json)

    def _output(self, json: Json) -> tuple[str, DataType]:
        fields = self.known(json)
        if fields is None:
            attr = attribute(json)
            return attr.label, attr.type
        count = len(json["t"]["fields"])
        shown = ((field.label, field.type) for field in fields[:count])
        return json["name"], struct_of(shown, marked=len(fields) > count)
