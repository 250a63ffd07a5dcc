"""What a kernel writes rows to, and the batch that becomes of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyflare.codegen.sinks import OutputColumn, RowsSpec
from pyflare.codegen.values import Frame
from pyflare.io.columns import Array, Batch, Column, Encoding, Layout
from pyflare.run.table import array_rows
from pyflare.types import Kind


def output_buffers(spec: RowsSpec, rows: int) -> dict[str, Any]:
    """Room for some rows."""
    states: dict[str, Any] = {"counter": np.zeros(1, np.int64)}
    for index, column in enumerate(spec.columns):
        layout = column.layout
        width = 2 if layout.type.kind is Kind.WIDE else 1
        states[f"out{index}_data"] = np.empty(rows * width, _element(layout))
        if layout.nullable:
            states[f"out{index}_ok"] = np.empty(rows, np.uint8)
        if layout.encoding is Encoding.VIEWS:
            states[f"out{index}_lengths"] = np.empty(rows, np.int32)
    return states


def _element(layout: Layout) -> Any:
    if layout.encoding is Encoding.CODES:
        return np.int32
    if layout.type.kind is Kind.ARRAY:
        return np.int64
    return np.uint64 if layout.encoding is Encoding.VIEWS else layout.type.storage


def output_batch(spec: RowsSpec, frame: Frame) -> Batch:
    """The rows that the kernel has written."""
    states, source = frame.states, frame.batch
    count = int(states["counter"][0])
    columns = tuple(_output_column(index, column, frame, count) for index, column in enumerate(spec.columns))
    borrowed = any(column.layout.type.is_stringlike for column in spec.columns)
    return Batch(count, columns, (source, frame.arena, frame.tables, frame.subqueries) if borrowed else ())


def _output_column(index: int, column: OutputColumn, frame: Frame, count: int) -> Column:
    states = frame.states
    width = 2 if column.layout.type.kind is Kind.WIDE else 1
    data = _shrunk(states[f"out{index}_data"], count * width)
    ok = states.get(f"out{index}_ok")
    lengths = states.get(f"out{index}_lengths")
    if column.layout.type.kind is Kind.ARRAY:
        assert column.source is not None
        data = array_rows(frame.column(column.source), data)
    dictionary = None if column.source is None else frame.column(column.source).dictionary
    return Column(
        data,
        None if ok is None else _shrunk(ok, count),
        None,
        None if lengths is None else _shrunk(lengths, count),
        dictionary,
    )


def _shrunk(buffer: Array, count: int) -> Array:
    """The first elements; copied where that frees most of the buffer."""
    return buffer[:count] if 2 * count >= len(buffer) else buffer[:count].copy()
