"""How a kernel reads the columns of a batch or of a joined table: only what is used, and as it lies."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pyflare.codegen.kernel import Kernel, null_value
from pyflare.codegen.values import (
    CodesOf,
    Frame,
    ParamType,
    Source,
    Value,
    address_of,
    buffer,
    fits_long,
    scalar,
)
from pyflare.io.columns import Column, Encoding, Layout
from pyflare.types import Kind


@dataclass(frozen=True)
class ColumnAt:
    """A column that a kernel reads: where it is, its layout, its name, and the variable that holds the row number."""

    source: Source
    layout: Layout
    label: str
    row: str = "i"

    def data(self, kernel: Kernel, element: str, hint: str | None = None) -> str:
        """The parameter that is the column's main buffer."""
        return self._buffer(kernel, "data", hint or self.label, buffer(element), lambda c: c.data)

    def lengths(self, kernel: Kernel) -> str:
        return self._buffer(kernel, "lengths", f"{self.label}_n", buffer("int32"), lambda c: c.lengths)

    def bytes(self, kernel: Kernel) -> str:
        return self._buffer(kernel, "bytes", self.label, scalar("uint64"), lambda c: address_of(c.bytes))

    def ok(self, kernel: Kernel) -> str:
        """The parameter that is the column's validity: all ones where no row of a batch is null."""
        source = self.source

        def bind(frame: Frame) -> Any:
            ok = frame.column(source).ok
            return np.ones(frame.rows(source), np.uint8) if ok is None else ok

        return kernel.param(("ok", source), f"{self.label}_ok", buffer("uint8"), bind)

    def _buffer(self, kernel: Kernel, part: str, hint: str, type_: ParamType, get: Callable[[Column], Any]) -> str:
        source = self.source
        return kernel.param((part, source), hint, type_, lambda frame: get(frame.column(source)))


def load_column(kernel: Kernel, column: ColumnAt) -> Value:
    """Read a column at its row."""
    ok = None
    if column.layout.nullable:
        ok = kernel.let(f"{column.label}_is", f"{column.ok(kernel)}[{column.row}] != 0")
    value = _load_data(kernel, column)
    if value.kind is Kind.BOOL:
        return kernel.boolean(value.code, ok, column.label)
    return value.with_ok(ok)


def _load_data(kernel: Kernel, column: ColumnAt) -> Value:
    layout, type_, row = column.layout, column.layout.type, column.row
    if type_.kind is Kind.STR:
        return _load_text(kernel, column)
    if type_.kind is Kind.NULL:
        return null_value(type_)
    if type_.kind is Kind.ARRAY:
        kernel.carried.add(column.source)
        return Value(type_, Kind.ARRAY, row, codes=CodesOf(row, column.source))
    data = column.data(kernel, layout.storage.name)
    if type_.kind is Kind.BOOL:
        return Value(type_, Kind.BOOL, f"{data}[{row}] != 0")
    if layout.width == 2:
        return _load_wide(kernel, data, column)
    if type_.is_floating:
        return Value(type_, type_.kind, kernel.let(f"{column.label}_v", f"{data}[{row}]"))
    code = kernel.let(f"{column.label}_v", f"int64({data}[{row}])")
    return Value(type_, Kind.INT, code, None, layout.low, layout.high)


def _load_wide(kernel: Kernel, data: str, column: ColumnAt) -> Value:
    layout, row = column.layout, column.row
    value = Value(layout.type, Kind.WIDE, "", None, layout.low, layout.high)
    low, high = value.bounds
    if fits_long(low, high):
        return replace(value, kind=Kind.INT, code=kernel.let(f"{column.label}_v", f"{data}[uint64(2) * {row}]"))
    pair = f"({data}[uint64(2) * {row}], {data}[uint64(2) * {row} + uint64(1)])"
    return replace(value, code=kernel.let(f"{column.label}_v", pair))


def _load_text(kernel: Kernel, column: ColumnAt) -> Value:
    type_, row, label = column.layout.type, column.row, column.label
    if column.layout.encoding is Encoding.CODES:
        code = kernel.let(f"{label}_code", f"int64({column.data(kernel, 'int32')}[{row}])")
        return Value(type_, Kind.STR, "", length="", codes=CodesOf(code, column.source))
    if column.layout.encoding is Encoding.VIEWS:
        address = kernel.let(f"{label}_p", f"{column.data(kernel, 'uint64')}[{row}]")
        length = kernel.let(f"{label}_len", f"int64({column.lengths(kernel)}[{row}])")
        return Value(type_, Kind.STR, address, length=length)
    offsets = column.data(kernel, "int32", f"{label}_at")
    address = kernel.let(f"{label}_p", f"{column.bytes(kernel)} + uint64({offsets}[{row}])")
    length = kernel.let(f"{label}_len", f"int64({offsets}[{row} + uint64(1)]) - int64({offsets}[{row}])")
    return Value(type_, Kind.STR, address, length=length)


def bind_columns(
    kernel: Kernel,
    attributes: Sequence[tuple[int, str]],
    layouts: Sequence[Layout],
    table: int | None = None,
    row: str = "i",
) -> None:
    """Let `(id, label)` attributes mean the columns of the batch or of a joined table; only what is used is read."""
    for index, ((attribute, label), layout) in enumerate(zip(attributes, layouts, strict=True)):
        source: Source = index if table is None else (table, index)
        kernel.bind(attribute, functools.partial(load_column, kernel, ColumnAt(source, layout, label, row)))
