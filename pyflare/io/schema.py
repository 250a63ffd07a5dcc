"""The columns that a Parquet footer declares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyflare.io.thrift import Events

PHYSICAL: Final = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")

_SCHEMA: Final = 2
_TYPE, _LENGTH, _REPETITION, _NAME, _CHILDREN, _CONVERTED, _SCALE, _PRECISION = 1, 2, 3, 4, 5, 6, 7, 8
_LOGICAL: Final = 10
_LIST: Final = 3  # as an annotation, in its new and in its old form
_REQUIRED: Final = 0
_REPEATED: Final = 2
_UNITS: Final = {1: "milliseconds", 2: "microseconds", 3: "nanoseconds"}
_LOGICAL_NAMES: Final = {1: "String", 4: "Enum", 6: "Date", 7: "Time", 11: "Null", 12: "JSON", 13: "BSON", 14: "UUID"}
_DECIMAL, _TIMESTAMP, _INTEGER = 5, 8, 10
_CONVERTED_NAMES: Final = {0: "String", 4: "Enum", 6: "Date", 7: "Time", 8: "Time", 19: "JSON", 20: "BSON"}
_CONVERTED_UNITS: Final = {9: "milliseconds", 10: "microseconds"}
_CONVERTED_DECIMAL: Final = 5
_CONVERTED_INTEGERS: Final = range(11, 19)  # unsigned of 8, 16, 32, 64 bits, then signed

Parameters = tuple[tuple[str, Any], ...]
Event = tuple[tuple[int, ...], int, int]


@dataclass(frozen=True)
class Field:
    """A flat top-level column of a file. `logical` is its annotation, with `parameters` such as scale and unit.

    With `is_list` it is a column of lists, and everything but the name is said of their elements.
    """

    name: str
    leaf: int
    physical: str
    length: int
    logical: str
    parameters: Parameters
    required: bool
    is_list: bool = False

    def parameter(self, name: str) -> Any:
        """A parameter of the annotation; None if it has none of that name."""
        return dict(self.parameters).get(name)

    def __str__(self) -> str:
        return f"{self.name}: {self.physical} ({self.logical})"


@dataclass(frozen=True, eq=False)
class Schema:
    """A file's columns: the flat ones and lists of flat ones, the names of others, the physical types of all leaves."""

    fields: tuple[Field, ...]
    nested: frozenset[str]
    leaves: tuple[str, ...]


@dataclass(frozen=True)
class _Element:
    """One element of the schema's tree, by field id; `inner` holds what is inside its annotation."""

    raw: dict[int, Any]
    inner: dict[tuple[int, ...], int]

    @property
    def is_group(self) -> bool:
        return _CHILDREN in self.raw

    @property
    def is_repeated(self) -> bool:
        return self.raw.get(_REPETITION) == _REPEATED

    @property
    def physical(self) -> str:
        return PHYSICAL[self.raw[_TYPE]]


def read_schema(events: Events, data: bytes) -> Schema:
    """The schema in a footer; files that agree on it share one object.

    Raises ValueError, LookupError, RuntimeError or StopIteration if it makes no sense.
    """
    found = events.below(_SCHEMA)
    names = [value + length for fields, value, length in found if fields == (_NAME,)]
    return _read(data[: max(names, default=0)], tuple(found))


@lru_cache(maxsize=1024)
def _read(data: bytes, events: tuple[Event, ...]) -> Schema:
    elements = iter(_elements(events, data))
    root = next(elements)
    fields: list[Field] = []
    nested: list[str] = []
    leaves: list[str] = []
    for _ in range(root.raw[_CHILDREN]):
        tree = list(_tree(next(elements), elements))
        column, innermost = tree[0], tree[-1]
        if not column.is_group and not column.is_repeated:
            fields.append(_field(column, len(leaves)))
        elif _is_list(tree):
            element = _field(innermost, len(leaves))
            fields.append(replace(element, name=column.raw[_NAME], required=False, is_list=True))
        else:
            nested.append(column.raw[_NAME])
        leaves.extend(part.physical for part in tree if not part.is_group)
    return Schema(tuple(fields), frozenset(nested), tuple(leaves))


def _tree(element: _Element, rest: Iterator[_Element]) -> Iterator[_Element]:
    """An element and its descendants, which follow it."""
    yield element
    for _ in range(element.raw.get(_CHILDREN, 0)):
        yield from _tree(next(rest), rest)


def _is_list(tree: Sequence[_Element]) -> bool:
    """Whether this is a list of flat values in the form that the standard asks for: list, entries, element.

    What readers agree to take for an older form, where the entry is the element, is not.
    """
    if len(tree) != 3 or [part.raw.get(_CHILDREN) for part in tree] != [1, 1, None]:
        return False
    column, entry, element = tree
    annotated = (_LIST,) in column.inner or column.raw.get(_CONVERTED) == _LIST
    older = entry.raw[_NAME] in ("array", f"{column.raw[_NAME]}_tuple")
    repeated = [part.is_repeated for part in (column, entry, element)]
    return annotated and not older and repeated == [False, True, False]


def _elements(events: tuple[Event, ...], data: bytes) -> list[_Element]:
    elements: list[_Element] = []
    for fields, value, length in events:
        if not fields:
            elements.append(_Element({}, {}))
        elif fields[0] == _LOGICAL:
            elements[-1].inner[fields[1:]] = value
        else:
            elements[-1].raw[fields[0]] = data[value : value + length].decode() if fields[0] == _NAME else value
    return elements


def _field(element: _Element, leaf: int) -> Field:
    logical, parameters = _annotation(element)
    raw = element.raw
    required = raw.get(_REPETITION) == _REQUIRED
    return Field(raw[_NAME], leaf, element.physical, raw.get(_LENGTH, 0), logical, parameters, required)


def _annotation(element: _Element) -> tuple[str, Parameters]:
    """The annotation; the old form of it counts only without the new one."""
    kinds = [fields[0] for fields in element.inner if len(fields) == 1]
    if not kinds:
        return _converted(element.raw)
    kind = kinds[0]
    if kind == _DECIMAL:
        return "Decimal", (("precision", element.inner[kind, 2]), ("scale", element.inner[kind, 1]))
    if kind == _TIMESTAMP:
        units = [fields[2] for fields in element.inner if fields[:2] == (kind, 2) and len(fields) == 3]
        return "Timestamp", (("timeUnit", _UNITS.get(units[0]) if units else None),)
    if kind == _INTEGER:
        return "Int", (("bitWidth", element.inner[kind, 1]), ("isSigned", bool(element.inner[kind, 2])))
    return _LOGICAL_NAMES.get(kind, f"annotation {kind}"), ()


def _converted(raw: dict[int, Any]) -> tuple[str, Parameters]:
    kind = raw.get(_CONVERTED)
    if kind is None:
        return "None", ()
    if kind == _CONVERTED_DECIMAL:
        return "Decimal", (("precision", raw[_PRECISION]), ("scale", raw.get(_SCALE, 0)))
    if kind in _CONVERTED_UNITS:
        return "Timestamp", (("timeUnit", _CONVERTED_UNITS[kind]),)
    if kind in _CONVERTED_INTEGERS:
        number = _CONVERTED_INTEGERS.index(kind)
        return "Int", (("bitWidth", 8 << number % 4), ("isSigned", number >= 4))
    return _CONVERTED_NAMES.get(kind, f"annotation {kind}"), ()
