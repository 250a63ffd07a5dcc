"""Where a pipeline ends in rows, or in what a model gets. A sink writes the innermost statements of the kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pyflare.codegen.arena import keep_texts
from pyflare.codegen.kernel import Kernel
from pyflare.codegen.values import Frame, Source, Value, buffer, scalar
from pyflare.codegen.writer import CAPACITY, COUNTER
from pyflare.io.columns import Encoding, Layout
from pyflare.plan.expressions import Cast, Expr
from pyflare.types import DOUBLE, Kind


@dataclass(frozen=True)
class OutputColumn:
    """One column that the kernel writes.

    `source` names the column whose dictionary its codes belong to, or, for arrays, whose rows its numbers are.
    """

    layout: Layout
    source: Source | None


@dataclass(frozen=True)
class RowsSpec:
    """What the runtime must provide for, and take from, a kernel that writes rows."""

    columns: tuple[OutputColumn, ...]


def emit_rows(kernel: Kernel, columns: Sequence[Expr]) -> RowsSpec:
    """Append the row to the output buffers."""
    values = [kernel.emit(expr) for expr in columns]
    kernel.fixed_param(COUNTER, buffer("int64"), lambda frame: frame.states[COUNTER])
    kernel.prologue.append("n_out = uint64(0)")
    kernel.epilogue.append(f"{COUNTER}[0] = int64(n_out)")
    if kernel.multiplies:
        kernel.fixed_param(CAPACITY, scalar("uint64"), lambda frame: frame.states[CAPACITY])
        with kernel.block(f"if n_out == {CAPACITY}"):
            kernel.stop()
    specs = tuple(_store(kernel, index, value) for index, value in enumerate(values))
    if any(spec.layout.encoding is Encoding.VIEWS for spec in specs):
        keep_texts(kernel)
    kernel.line("n_out += uint64(1)")
    return RowsSpec(specs)


def _buffer(kernel: Kernel, index: int, part: str, element: str) -> str:
    return kernel.param(
        ("out", index, part), f"out{index}_{part}", buffer(element), lambda frame: frame.states[f"out{index}_{part}"]
    )


def _store(kernel: Kernel, index: int, value: Value) -> OutputColumn:
    type_ = value.type
    if value.ok is not None:
        kernel.line(f"{_buffer(kernel, index, 'ok', 'uint8')}[n_out] = uint8({value.ok})")
    nullable = value.ok is not None
    if type_.kind is Kind.ARRAY:
        assert value.codes is not None
        kernel.line(f"{_buffer(kernel, index, 'data', 'int64')}[n_out] = int64({value.codes.name})")
        return OutputColumn(Layout(type_, Encoding.PLAIN, nullable), value.codes.column)
    if type_.kind is Kind.STR and value.codes is not None:
        kernel.line(f"{_buffer(kernel, index, 'data', 'int32')}[n_out] = int32({value.codes.name})")
        return OutputColumn(Layout(type_, Encoding.CODES, nullable), value.codes.column)
    if type_.kind is Kind.STR:
        address, length = kernel.text(value)
        kernel.line(f"{_buffer(kernel, index, 'data', 'uint64')}[n_out] = {address}")
        kernel.line(f"{_buffer(kernel, index, 'lengths', 'int32')}[n_out] = int32({conditional(length, value.ok)})")
        return OutputColumn(Layout(type_, Encoding.VIEWS, nullable), None)
    if type_.kind is Kind.WIDE:
        put = kernel.use("int128.wide_put")
        kernel.line(f"{put}({_buffer(kernel, index, 'data', 'int64')}, n_out, {kernel.wide(value)})")
    elif type_.kind is not Kind.NULL:
        element = type_.storage.name
        kernel.line(f"{_buffer(kernel, index, 'data', element)}[n_out] = {element}({value.code})")
    low, high = (value.low, value.high) if value.kind in (Kind.INT, Kind.WIDE) else (None, None)
    return OutputColumn(Layout(type_, Encoding.PLAIN, nullable, low, high), None)


@dataclass(frozen=True)
class ModelSpec:
    """A kernel that writes rows and, beside them, a model's inputs. `nullable` if an argument may be null.

    The rows are those that go on, `width` columns, followed by the arguments that reach the model as columns.
    """

    rows: RowsSpec
    step: Any
    nullable: bool
    width: int


def emit_model(kernel: Kernel, columns: Sequence[Expr], args: Sequence[Expr], step: Any) -> ModelSpec:
    """Write the row, and its arguments: numbers into the buffers that become the model's tensors, others as columns."""
    values = [_as_number(kernel, arg) for arg in args]
    ok = kernel.all_ok(*values)
    for number, slot in enumerate(step.slots):
        if slot.is_columnar:
            continue
        element = "boolean" if slot.dtype.name == "bool" else slot.dtype.name
        fed = kernel.param(("feed", number), f"feed{number}", buffer(element), _feed(number))
        width = len(slot.arguments)
        for place, argument in enumerate(slot.arguments):
            at = "n_out" if width == 1 else f"n_out * uint64({width}) + uint64({place})"
            kernel.line(f"{fed}[{at}] = {element}({values[argument].code})")
    if ok is not None:
        valid = kernel.param("feed ok", "feed_ok", buffer("uint8"), lambda frame: frame.states["feed_ok"])
        kernel.line(f"{valid}[n_out] = uint8({ok})")
    columnar = [args[argument] for slot in step.slots if slot.is_columnar for argument in slot.arguments]
    return ModelSpec(emit_rows(kernel, [*columns, *columnar]), step, ok is not None, len(columns))


def _as_number(kernel: Kernel, arg: Expr) -> Value:
    """An argument as a number; decimals as doubles."""
    if not arg.type.is_decimal:
        return kernel.emit(arg)
    return kernel.emit(
        Cast(type=DOUBLE, nullable=arg.nullable, child=arg, dataType=DOUBLE, timeZoneId=None, evalMode="LEGACY")
    )


def _feed(number: int) -> Callable[[Frame], Any]:
    return lambda frame: frame.states["feeds"][number].reshape(-1)


def conditional(length: str, ok: str | None) -> str:
    return length if ok is None else f"{length} if {ok} else 0"
