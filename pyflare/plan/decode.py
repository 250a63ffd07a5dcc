"""Wire expressions → `plan.expressions`. Whatever is not declared there is refused, here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from pyflare.errors import Unsupported
from pyflare.plan.expressions import EXPRESSIONS, AttributeReference, Expr, In, Literal
from pyflare.plan.wire import Opaque, Record, column_type, kernel_value, literal_value, wire_type
from pyflare.types import CALENDAR_INTERVAL, DataType

Json = Mapping[str, Any]
SubqueryHandler = Callable[[Json], Expr]

_RENAMED = {"children_": "children", "label": "name"}
_NOT_ON_THE_WIRE = ("type", "nullable")


class Decoder:
    """Decodes one plan's expressions; `subquery` answers for scalar subqueries and for fields of them."""

    def __init__(self, subquery: SubqueryHandler) -> None:
        self._special: dict[str, Callable[[Json], Expr]] = {
            "AttributeReference": attribute,
            "Literal": _literal,
            "ScalarSubquery": subquery,
            "GetStructField": subquery,
            "InSet": self._in_set,
        }

    def expression(self, json: Json) -> Expr:
        """The expression behind a wire EXPR. Raises `Unsupported`."""
        name = json["e"]
        special = self._special.get(name)
        if special is not None:
            return special(json)
        cls = EXPRESSIONS.get(name)
        if cls is None:
            raise Unsupported("this expression is not supported", name)
        declared = _declared(name)
        values = {field: self._field(json, field, wire, name) for field, wire in declared}
        undeclared = set(json["f"]) - {wire for _, wire in declared} - set(cls.ignored)
        if undeclared:
            raise Unsupported(f"unknown field {', '.join(sorted(undeclared))}", name)
        return cls(type=wire_type(json["t"]), nullable=json["n"], **values)

    def _in_set(self, json: Json) -> Expr:
        """`InSet` is `In` with many literals, of which the wire has only the values."""
        child = self.expression(json["f"]["child"])
        literals = tuple(_literal_of(child.type, cell) for cell in json["f"]["hset"])
        return In(type=wire_type(json["t"]), nullable=json["n"], value=child, list=literals)

    def expressions(self, json: Any) -> tuple[Expr, ...]:
        """The expressions of a wire list."""
        return tuple(self.expression(item) for item in json)

    def _field(self, json: Json, field: str, wire: str, name: str) -> Any:
        if wire not in json["f"]:
            raise Unsupported(f"field {wire} is missing", name)
        value = self.value(json["f"][wire])
        if isinstance(value, Opaque):
            raise Unsupported(f"field {wire} is opaque ({value.class_name})", name)
        return value

    def value(self, json: Any) -> Any:
        """Any wire VALUE as Python data."""
        if isinstance(json, list):
            return tuple(self.value(item) for item in json)
        if not isinstance(json, Mapping):
            return json
        if "e" in json:
            return self.expression(json)
        if "?" in json:
            return Opaque(json["?"])
        if "o" in json:
            return self._object(json)
        if "t" in json:
            return wire_type(json["t"])
        return tuple((self.value(k), self.value(v)) for k, v in json["m"])

    def _object(self, json: Json) -> Any:
        if "f" not in json:
            return json["o"]
        items = tuple((key, self.value(value)) for key, value in json["f"].items())
        if json["o"] == "Tuple2":
            return tuple(value for _, value in items)
        return Record(json["o"], items)


@cache
def _declared(name: str) -> tuple[tuple[str, str], ...]:
    """A class's fields with their names on the wire."""
    declared = (f.name for f in fields(EXPRESSIONS[name]) if f.name not in _NOT_ON_THE_WIRE)
    return tuple((field, _RENAMED.get(field, field)) for field in declared)


def attribute(json: Json) -> AttributeReference:
    """A wire ATTR."""
    return AttributeReference(type=column_type(json["t"]), nullable=json["n"], label=json["name"], id=json["id"])


def _literal_of(type_: DataType, cell: Any) -> Expr:
    raw = literal_value(cell if isinstance(cell, Mapping) else {"v": cell})
    return Literal(type=type_, nullable=raw is None, value=kernel_value(type_, raw))


def _literal(json: Json) -> Expr:
    if json["t"] == CALENDAR_INTERVAL.name:
        value = literal_value(json)
        return Literal(type=CALENDAR_INTERVAL, nullable=json["n"], value=None if value is None else tuple(value))
    type_ = wire_type(json["t"])
    return Literal(type=type_, nullable=json["n"], value=kernel_value(type_, literal_value(json)))
