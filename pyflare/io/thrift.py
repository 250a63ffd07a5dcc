"""Thrift's compact protocol, flattened: the structs of a Parquet footer as arrays of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflare.io.columns import Array

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "boundscheck": False}
_MAX_DEPTH: Final = 9
_BOOL_TRUE, _BOOL_FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 6, 7, 8, 9, 10, 12


@dataclass(frozen=True)
class Events:
    """What a struct holds, in the order of the file: one event for each value, and one where each inner struct starts.

    `paths` says which field an event is about (see `path`), `values` holds numbers, and for binaries where their bytes
    start, with `lengths`.
    """

    paths: Array
    values: Array
    lengths: Array

    def at(self, *fields: int) -> Array:
        """The positions of the events of a field."""
        return np.flatnonzero(self.paths == path(*fields))

    def owners(self, structs: Array, positions: Array) -> Array:
        """Which of the structs that start at some positions the events at others belong to."""
        return np.searchsorted(structs, positions, side="right") - 1

    def table(self, struct: tuple[int, ...], fields: Sequence[tuple[int, ...]]) -> Array:
        """A row for each struct of a list: for each field its value and length, -1 where a struct lacks it."""
        rows = np.full((int(np.count_nonzero(self.paths == path(*struct))), len(fields), 2), -1, np.int64)
        wanted = np.array([path(*field) for field in fields], np.int64)
        _collect(self.paths, self.values, self.lengths, path(*struct), wanted, rows)
        return rows

    def binaries(self, *fields: int) -> list[tuple[int, int]]:
        """Where the binaries in a field start, and their lengths."""
        positions = self.at(*fields)
        return list(zip(self.values[positions].tolist(), self.lengths[positions].tolist(), strict=True))

    def below(self, field: int) -> list[tuple[tuple[int, ...], int, int]]:
        """All events of a field of the outermost struct: the fields from there on, value and length."""
        outermost = self.paths
        for _ in range(_MAX_DEPTH):
            outermost = np.where(outermost >= 64, outermost >> 6, outermost)
        found = np.flatnonzero(outermost == field)
        return [
            (_fields(number)[1:], value, length)
            for number, value, length in zip(
                self.paths[found].tolist(), self.values[found].tolist(), self.lengths[found].tolist(), strict=True
            )
        ]


def path(*fields: int) -> int:
    """The number of a field, given by its ids from the outermost struct inwards; lists have no level of their own.

    Fields with ids from 64 on, of which Parquet has none, are -1.
    """
    number = 0
    for field in fields:
        number = number * 64 + field
    return number


def _fields(number: int) -> tuple[int, ...]:
    """The field ids in a path."""
    fields = []
    while number:
        fields.append(number % 64)
        number //= 64
    return tuple(reversed(fields))


def flatten(data: Array) -> Events | None:
    """The events of the struct that starts at the first of some bytes; None if they are not one."""
    paths, values, lengths = (np.empty(len(data), np.int64) for _ in range(3))
    path_of, last_of, left_of, kind_of = (np.full(_MAX_DEPTH + 2, start, np.int64) for start in (0, 0, -1, 0))
    count = _flatten(data, paths, values, lengths, path_of, last_of, left_of, kind_of)
    return None if count < 0 else Events(paths[:count].copy(), values[:count].copy(), lengths[:count].copy())


@njit(**_OPTIONS)
def _varint(data: Array, position: int) -> Any:
    """An unsigned number and where it ends; the end is -1 if it is malformed."""
    number = np.uint64(0)
    for shift in range(0, 70, 7):
        if position >= data.size:
            return number, np.int64(-1)
        byte = np.uint64(data[position])
        position += 1
        number |= (byte & np.uint64(127)) << np.uint64(shift)
        if byte < 128:
            return number, np.int64(position)
    return number, np.int64(-1)


@njit(**_OPTIONS)
def _zigzag(number: Any) -> Any:
    return np.int64(number >> np.uint64(1)) ^ -np.int64(number & np.uint64(1))


@njit(**_OPTIONS)
def _value(data: Array, kind: int, in_list: bool, position: int) -> Any:
    """A value other than a struct or a list: itself, its length if it is binary, where it ends (-1: malformed)."""
    bad = np.int64(0), np.int64(0), np.int64(-1)
    if kind <= _BOOL_FALSE and not in_list:
        return np.int64(kind == _BOOL_TRUE), np.int64(0), position
    if kind <= _BYTE:
        if position >= data.size:
            return bad
        return np.int64(np.int8(data[position])), np.int64(0), position + 1
    if kind == _DOUBLE:
        return position, np.int64(8), (position + 8 if position + 8 <= data.size else np.int64(-1))
    if kind > _BINARY:
        return bad
    number, end = _varint(data, position)
    if end < 0 or kind <= _I64:
        return _zigzag(number), np.int64(0), end
    if number > np.uint64(data.size - end):
        return bad
    return end, np.int64(number), end + np.int64(number)


@njit(**_OPTIONS)
def _list_header(data: Array, position: int) -> Any:
    """The type of a list's elements, their number and where they start (-1: malformed)."""
    if position >= data.size:
        return np.int64(0), np.int64(0), np.int64(-1)
    header = np.int64(data[position])
    size, start = np.uint64(header >> 4), position + 1
    if size == np.uint64(15):
        size, start = _varint(data, start)
    return header & 15, np.int64(size), start if size <= np.uint64(data.size) else np.int64(-1)


@njit(**_OPTIONS)
def _field_header(data: Array, position: int, last: int) -> Any:
    """The type of the next field (0: the struct ends), its id and where it starts (-1: malformed)."""
    if position >= data.size:
        return np.int64(0), np.int64(0), np.int64(-1)
    header = np.int64(data[position])
    field, start = last + (header >> 4), position + 1
    if header >> 4 == 0 and header != 0:
        number, start = _varint(data, start)
        field = _zigzag(number)
    return header & 15, field, start if header == 0 or field > 0 else np.int64(-1)


@njit(**_OPTIONS)
def _inner(outer: int, field: int) -> Any:
    return outer * 64 + field if outer >= 0 and field < 64 else np.int64(-1)


@njit(**_OPTIONS)
def _flatten(
    data: Array,
    paths: Array,
    values: Array,
    lengths: Array,
    path_of: Array,
    last_of: Array,
    left_of: Array,
    kind_of: Array,
) -> Any:
    """Fill `paths`, `values` and `lengths` and return the number of events; -1 if `data` is malformed.

    The other arrays are a stack: a frame's path; of a struct the id of its last field; of a list the number of elements
    to come (-1 for a struct) and their type.
    """
    depth, position, count = 0, np.int64(0), 0
    while 0 <= depth <= _MAX_DEPTH and position >= 0 and count < data.size:
        in_list = left_of[depth] >= 0
        if in_list:
            kind, place = kind_of[depth], path_of[depth]
            left_of[depth] -= 1
        else:
            kind, field, position = _field_header(data, position, last_of[depth])
            if position < 0:
                return -1
            place = _inner(path_of[depth], field)
            last_of[depth] = field
        if (in_list and left_of[depth] < 0) or kind == 0:
            depth -= 1
        elif kind in (_LIST, _SET):
            depth += 1
            path_of[depth] = place
            kind_of[depth], left_of[depth], position = _list_header(data, position)
        else:
            paths[count], values[count], lengths[count] = place, 0, 0
            if kind == _STRUCT:
                depth += 1
                path_of[depth], last_of[depth], left_of[depth] = place, 0, -1
            else:
                values[count], lengths[count], position = _value(data, kind, in_list, position)
            count += 1
    return count if depth < 0 and position >= 0 else -1


@njit(**_OPTIONS)
def _collect(paths: Array, values: Array, lengths: Array, struct: int, wanted: Array, rows: Array) -> None:
    row = -1
    for i in range(paths.size):
        if paths[i] == struct:
            row += 1
        for column in range(wanted.size):
            if paths[i] == wanted[column] and row >= 0:
                rows[row, column, 0] = values[i]
                rows[row, column, 1] = lengths[i]
