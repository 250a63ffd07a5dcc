"""Leaves, names, and wrappers that Spark's planner puts around values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pyflare.codegen.kernel import Kernel, emits, null_value
from pyflare.codegen.values import Value, fits_long, scalar
from pyflare.plan import expressions as e
from pyflare.types import DataType, Kind


@emits(e.AttributeReference)
def attribute(kernel: Kernel, expr: e.AttributeReference) -> Value:
    return kernel.attribute(expr.id)


@emits(e.Literal)
def literal(kernel: Kernel, expr: e.Literal) -> Value:
    """Literals are parameters, so that a kernel serves queries which differ in them only."""
    value, type_ = expr.value, expr.type
    if value is None:
        return null_value(type_)
    if type_.kind is Kind.BOOL:
        return Value(type_, Kind.BOOL, str(bool(value)))
    if type_.kind is Kind.STR:
        return _text_literal(kernel, type_, value)
    if type_.is_floating:
        return Value(type_, type_.kind, kernel.constant(value, "literal", type_.kind.value))
    if fits_long(value, value):
        return Value(type_, Kind.INT, kernel.constant(value, "literal", "int64"), None, value, value)
    return _wide_literal(kernel, type_, value)


def _text_literal(kernel: Kernel, type_: DataType, value: bytes) -> Value:
    buffer = np.frombuffer(value + bytes(8), np.uint8)
    address = kernel.param(
        ("text literal", value, len(kernel.params)), "text", scalar("uint64"), lambda _frame: int(buffer.ctypes.data)
    )
    return Value(type_, Kind.STR, address, length=kernel.constant(len(value), "text_n", "int64"))


def _wide_literal(kernel: Kernel, type_: DataType, value: int) -> Value:
    words = [kernel.constant(word, "literal", "int64") for word in signed_words(value)]
    return Value(type_, Kind.WIDE, f"({words[0]}, {words[1]})", None, value, value)


@emits(e.Subquery)
def subquery(kernel: Kernel, expr: e.Subquery) -> Value:
    """The value of a scalar subquery, handed in as parameters once it is known."""
    index, column, kind = expr.index, expr.column, expr.type.kind
    prefix = f"subquery{index}" + (f"_{column}" if column else "")

    def part(get: Callable[[Any], Any], name: str, element: str) -> str:
        return kernel.param(
            ("subquery", index, column, name),
            f"{prefix}_{name}",
            scalar(element),
            lambda frame: get(frame.subqueries[index][column]),
        )

    ok = kernel.let(f"{prefix}_is", f"{part(lambda v: int(v is not None), 'ok', 'int64')} != 0")
    if kind is Kind.STR:
        address = part(lambda v: 0 if v is None else int(v.ctypes.data), "text", "uint64")
        return Value(expr.type, kind, address, ok, length=part(lambda v: 0 if v is None else len(v), "length", "int64"))
    if kind is Kind.WIDE:
        low = part(lambda v: signed_words(v or 0)[0], "low", "int64")
        high = part(lambda v: signed_words(v or 0)[1], "high", "int64")
        return Value(expr.type, kind, f"({low}, {high})", ok)
    if kind is Kind.BOOL:
        return kernel.boolean(f"{part(lambda v: int(bool(v)), 'value', 'int64')} != 0", ok)
    element = {Kind.F32: "float32", Kind.F64: "float64"}.get(kind, "int64")
    return Value(expr.type, kind, part(lambda v: 0 if v is None else v, "value", element), ok)


def signed_words(value: int) -> tuple[int, int]:
    """The low and the high 64-bit word of a 128-bit integer, both signed."""
    low = value & (2**64 - 1)
    return low - ((low >> 63) << 64), value >> 64


@emits(e.Alias, e.KnownNotNull, e.KnownNullable, e.KnownFloatingPointNormalized, e.UnaryPositive)
def transparent(kernel: Kernel, expr: e.Unary) -> Value:
    return kernel.emit(expr.child)


@emits(e.NormalizeNaNAndZero)
def normalize(kernel: Kernel, expr: e.NormalizeNaNAndZero) -> Value:
    """Grouping and joining treat all NaNs as one and -0.0 as 0.0."""
    value = kernel.emit(expr.child)
    function = kernel.use("floats.normalize32" if value.kind is Kind.F32 else "floats.normalize64")
    return replace(value, code=kernel.let("normal", f"{function}({value.code})"))
