"""Probing a join table: find the rows with the probe row's key, and go on once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pyflare.codegen.columns import bind_columns
from pyflare.codegen.groups import hash_code, same_words, words_of
from pyflare.codegen.kernel import Kernel, conjunction
from pyflare.codegen.values import Frame, Value, buffer, scalar
from pyflare.io.columns import Layout
from pyflare.pipeline.model import BuildNode, Probe
from pyflare.types import BOOLEAN, Kind

MULTIPLYING: Final = ("inner", "outer", "full")
MIN_DENSE_SPAN: Final = 2**16
MAX_DENSE_SPAN: Final = 2**27
DENSE_SPARSITY: Final = 8


@dataclass(frozen=True)
class JoinSpec:
    """How a join table is built: which columns are its keys, and whether a key is its own group number.

    Dense: group = key - `low`, of `span` groups. Otherwise keys are hashed; `texts` marks the key words that are
    addresses. `marks` and `rows` are those of the node. `members` if a kernel asks which keys there are.
    """

    keys: tuple[int, ...]
    dense: bool
    marks: bool
    rows: bool
    low: int = 0
    span: int = 1
    texts: tuple[int, ...] = ()
    members: bool = False


def join_spec(node: BuildNode, layouts: Sequence[Layout], rows: int) -> JoinSpec:
    """How to build a join table. One integral key whose values lie close together needs no hashing."""
    spec = partial(JoinSpec, node.keys, marks=node.marks, rows=node.rows)
    keys = [layouts[index] for index in node.keys]
    if not keys:
        return spec(dense=True)
    if len(keys) == 1 and keys[0].type.kind is Kind.INT and keys[0].low is not None and keys[0].high is not None:
        span = keys[0].high - keys[0].low + 1
        if 0 < span <= min(MAX_DENSE_SPAN, max(MIN_DENSE_SPAN, DENSE_SPARSITY * rows)):
            return spec(dense=True, low=keys[0].low, span=span)
    texts = [mark for key in keys for mark in _marks(key)]
    return spec(dense=False, texts=tuple(texts))


def _marks(layout: Layout) -> list[int]:
    if layout.type.kind is Kind.STR:
        return [1, 0]
    return [0, 0] if layout.type.kind is Kind.WIDE else [0]


def emit_probe(
    kernel: Kernel, step: Probe, spec: JoinSpec, layouts: Sequence[Layout], rest: Callable[[], None]
) -> None:
    """Write a probe and, inside it, the rest of the pipeline."""
    ok = _find(kernel, step, spec)
    if step.kind == "inner":
        with _each_match(kernel, step, layouts):
            _if_condition(kernel, step, rest)
    elif step.kind in ("outer", "full"):
        _outer(kernel, step, layouts, rest)
    else:
        _filtered(kernel, step, layouts, ok, rest)


def _array(kernel: Kernel, table: int, name: str, element: str) -> str:
    return kernel.param(("join", table, name), f"join{table}_{name}", buffer(element), _fact(table, name))


def member_table(kernel: Kernel, table: int) -> str:
    """A byte for each key of a dense join table, which is 0 where there is no row, and one more."""
    return _array(kernel, table, "members", "uint8")


def _number(kernel: Kernel, table: int, name: str) -> str:
    return kernel.param(("join", table, name), f"join{table}_{name}", scalar("int64"), _fact(table, name))


def _fact(table: int, name: str) -> Callable[[Frame], Any]:
    return lambda frame: frame.tables[table].arrays[name]


def _row(table: int, part: str) -> str:
    return f"{part}{table}"


def _find(kernel: Kernel, step: Probe, spec: JoinSpec) -> str | None:
    """Set `begin` and `end` to the rows with the same key; returns the validity of the probe's key."""
    values = [kernel.emit(key) for key in step.keys]
    ok = kernel.all_ok(*values)
    begin, end = _row(step.table, "begin"), _row(step.table, "end")
    starts = _array(kernel, step.table, "starts", "int32")
    kernel.line(f"{begin} = uint64(0)")
    kernel.line(f"{end} = uint64(0)")

    def found(group: str) -> None:
        kernel.line(f"{begin} = uint64({starts}[uint64({group})])")
        kernel.line(f"{end} = uint64({starts}[uint64({group}) + uint64(1)])")

    if not values:
        found("0")
    elif spec.dense:
        group = kernel.let("group", f"{values[0].code} - int64({spec.low})")
        with kernel.block(f"if {conjunction(ok, f'int64(0) <= {group} < int64({spec.span})')}"):
            found(group)
    else:
        with kernel.block(f"if {ok or True}"):
            _look_up(kernel, step.table, values, spec, found)
    return ok


def _look_up(kernel: Kernel, table: int, values: Sequence[Value], spec: JoinSpec, found: Callable[[str], None]) -> None:
    words = [kernel.let("key", word) for value in values for word in words_of(kernel, value)]
    slots, hashes = _array(kernel, table, "slots", "int32"), _array(kernel, table, "hashes", "uint64")
    keys = _array(kernel, table, "keys", "int64")
    hashed = kernel.let("h", hash_code(kernel, words, spec.texts))
    slot, mask = kernel.writer.fresh("slot"), f"uint64(len({slots}) - 1)"
    kernel.line(f"{slot} = {hashed} & {mask}")
    with kernel.block("while True"):
        group = kernel.let("group", f"int64({slots}[{slot}])")
        with kernel.block(f"if {group} < 0"):
            kernel.line("break")
        with kernel.block(f"if {hashes}[uint64({group})] == {hashed}"):
            at = kernel.let("at", f"uint64({group}) * uint64({len(words)})")
            with kernel.block(f"if {same_words(kernel, keys, at, words, spec.texts)}"):
                found(group)
                kernel.line("break")
        kernel.line(f"{slot} = ({slot} + uint64(1)) & {mask}")


def _bind(kernel: Kernel, step: Probe, layouts: Sequence[Layout], row: str) -> None:
    attributes = [(attr.id, attr.label) for attr in step.build.attrs]
    bind_columns(kernel, attributes, layouts, step.table, row)


@contextmanager
def _each_match(kernel: Kernel, step: Probe, layouts: Sequence[Layout]) -> Iterator[None]:
    """A loop over the rows found, with the build side's columns in scope."""
    row = _row(step.table, "match")
    with kernel.block(f"for {row} in range({_row(step.table, 'begin')}, {_row(step.table, 'end')})"):
        _bind(kernel, step, layouts, row)
        yield


def _if_condition(kernel: Kernel, step: Probe, then: Callable[[], None]) -> None:
    if step.condition is None:
        then()
        return
    with kernel.block(f"if {kernel.emit(step.condition).code}"):
        then()


def _filtered(kernel: Kernel, step: Probe, layouts: Sequence[Layout], ok: str | None, rest: Callable[[], None]) -> None:
    """Semi, anti and existence joins: the row goes on at most once."""
    matched = _matched(kernel, step, layouts)
    if step.kind == "existence":
        assert step.exists is not None
        exists = Value(BOOLEAN, Kind.BOOL, matched)
        kernel.bind(step.exists.id, lambda: exists)
        rest()
        return
    keep = matched if step.kind == "semi" else f"not {matched}"
    if step.kind == "null-aware anti":
        rows, has_null = _number(kernel, step.table, "rows"), _number(kernel, step.table, "has_null")
        keep = f"{rows} == 0 or ({conjunction(ok, f'{has_null} == 0', keep)})"
    with kernel.block(f"if {keep}"):
        rest()


def _matched(kernel: Kernel, step: Probe, layouts: Sequence[Layout]) -> str:
    begin, end = _row(step.table, "begin"), _row(step.table, "end")
    if step.condition is None:
        return kernel.let("matched", f"{begin} < {end}")
    matched = kernel.let("matched", "False")
    with _each_match(kernel, step, layouts), kernel.block(f"if {kernel.emit(step.condition).code}"):
        kernel.line(f"{matched} = True")
        kernel.line("break")
    return matched


def _outer(kernel: Kernel, step: Probe, layouts: Sequence[Layout], rest: Callable[[], None]) -> None:
    """Every match, and the row with nulls if there was none: the last round of the loop is for that."""
    begin, end = _row(step.table, "begin"), _row(step.table, "end")
    has, row, any_match = (_row(step.table, part) for part in ("has", "match", "any"))
    kernel.line(f"{any_match} = False")
    with kernel.block(f"for turn{step.table} in range({begin}, {end} + uint64(1))"):
        kernel.line(f"{has} = turn{step.table} < {end}")
        kernel.line(f"{row} = turn{step.table} if {has} else uint64(0)")
        with kernel.block(f"if {has} or not {any_match}"):
            _bind_outer(kernel, step, layouts, row, has)
            goes_on = _condition_or_last(kernel, step, has)
            with kernel.block(f"if {goes_on}"):
                kernel.line(f"{any_match} = True")
                if step.kind == "full":
                    with kernel.block(f"if {has}"):
                        kernel.line(f"{_array(kernel, step.table, 'hit', 'uint8')}[{row}] = uint8(1)")
                rest()


def _condition_or_last(kernel: Kernel, step: Probe, has: str) -> str:
    if step.condition is None:
        return "True"
    return kernel.let("goes_on", f"not {has} or {conjunction(kernel.emit(step.condition).code)}")


def _bind_outer(kernel: Kernel, step: Probe, layouts: Sequence[Layout], row: str, has: str) -> None:
    """The build side's columns, null in the round without a match."""
    _bind(kernel, step, layouts, row)
    for attr in step.build.attrs:
        kernel.bind(attr.id, _nulled(kernel, kernel.bound(attr.id), has))


def _nulled(kernel: Kernel, load: Callable[[], Value], has: str) -> Callable[[], Value]:
    def value() -> Value:
        found = load()
        ok = kernel.let("ok", conjunction(has, found.ok))
        return kernel.boolean(found.code, ok) if found.kind is Kind.BOOL else found.with_ok(ok)

    return value
