"""A kernel in the making: its parameters, its statements, and the values that are in scope.

The source is one loop over the rows `lo … hi` of a batch. Operators write into it in the order of the query, each by
asking for the values it needs (`emit`); what has been computed once is not computed again in the same block.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from pyflare.codegen.values import (
    CodesOf,
    Frame,
    Param,
    ParamType,
    Source,
    Value,
    buffer,
    dictionary_address,
    dictionary_offsets,
    scalar,
)
from pyflare.codegen.writer import INDENT, RESUME, Writer
from pyflare.errors import PlanError, Unsupported
from pyflare.plan.expressions import Expr
from pyflare.types import BOOLEAN, DataType, Kind

DATA_ERROR: Final = -1  # the row makes Spark raise
UNSUPPORTED_ERROR: Final = -2  # the row is one that we do not handle exactly
_MAX_INLINE_LINES: Final = 3
_BARRIER: Final = "barrier"
_COLUMN_KEYS: Final = ("data", "ok", "bytes", "lengths")

Emitter = Callable[["Kernel", Any], Value]
EMITTERS: dict[type[Expr], Emitter] = {}


def emits(*classes: type[Expr]) -> Callable[[Emitter], Emitter]:
    """Register the code generator of expression classes."""

    def register(function: Emitter) -> Emitter:
        for cls in classes:
            EMITTERS[cls] = function
        return function

    return register


@dataclass(frozen=True)
class Branch:
    """Statements that were written aside, and the value they compute."""

    lines: list[str]
    value: Value
    scope: dict[Hashable, Any]
    can_fail: bool

    @property
    def is_cheap(self) -> bool:
        return not self.can_fail and len(self.lines) <= _MAX_INLINE_LINES


@dataclass(frozen=True)
class Merged:
    """A value assigned in one of several ways; `names` are its parts' variables, none if all ways are the same."""

    value: Value
    names: tuple[str, ...]
    parts: list[tuple[str, str, str]]

    def assign(self, kernel: Kernel, way: int) -> None:
        """Write the assignments for one way."""
        if self.names:
            for name, part in zip(self.names, self.parts[way], strict=True):
                if part:
                    kernel.line(f"{name} = {part}")


@dataclass(frozen=True)
class Function:
    """A function that a kernel's source has beside the kernel, and bounds of what it returns."""

    name: str
    lines: list[str]
    low: int | None = None
    high: int | None = None


class Loops(Protocol):
    """Loops that find the rows for which a kernel's statements run."""

    def loops(self, row: Sequence[str]) -> list[str]:
        """The loops with the statements for row `i` inside."""
        ...


@dataclass
class Kernel:
    """Collects one kernel. `conf` holds the session settings that change what expressions mean."""

    conf: dict[str, str]

    def __post_init__(self) -> None:
        self.writer = Writer()
        self.params: dict[Hashable, Param] = {}
        self.imports: set[str] = set()
        self._helpers: dict[str, str] = {}
        self.prologue: list[str] = []
        self.row_prologue: list[str] = []
        self.row_epilogue: list[str] = []
        self.selection: Loops | None = None  # of the rows that reach the statements, if not all do
        self.joined: Sequence[Any] = ()  # the join tables that the kernel probes, as generated
        self.multiplies = False  # whether one source row may reach the sink several times
        self.epilogue: list[str] = []
        self.functions: dict[Hashable, Function] = {}
        self.carried: set[Source] = set()  # columns of arrays, of which the kernel handles the row numbers only
        self.can_fail = False
        self.dropping: list[Any] = []  # probes that drop rows of which nothing has been computed that could fail
        self._scopes: list[dict[Hashable, Any]] = [{}]

    # Statements -------------------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.writer.line(text)

    def use(self, function: str) -> str:
        """Import a runtime helper, given as `module.name` below `pyflare.runtime`; returns the name to call."""
        found = self._helpers.get(function)
        if found is None:
            module, name = function.rsplit(".", 1)
            found = self._helpers[function] = self.writer.fresh(name)
            self.imports.add(f"from pyflare.runtime.{module} import {name}" + (f" as {found}" if found != name else ""))
        return found

    def let(self, hint: str, code: str) -> str:
        """Give `code` a name."""
        name = self.writer.fresh(hint)
        self.line(f"{name} = {code}")
        return name

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """A nested block; values computed inside are forgotten at its end."""
        self._scopes.append({})
        try:
            with self.writer.block(header):
                yield
        finally:
            self._scopes.pop()

    def stop(self) -> None:
        """Return before the row is emitted once more, because a state is full; the runtime makes room and goes on."""
        if self.multiplies:
            self.line(f"{RESUME}[0] = emitted")
        for text in self.epilogue:
            self.line(text)
        self.line("return int64(i)")

    @contextmanager
    def emitting(self) -> Iterator[None]:
        """The sink's statements. Where a row may get here several times, those before an earlier stop are left out."""
        if not self.multiplies:
            yield
            return
        self.fixed_param(RESUME, buffer("int64"), lambda frame: frame.resume)
        self.prologue.append(f"skip = {RESUME}[0]")
        self.row_prologue.append("emitted = 0")
        with self.block("if emitted >= skip"):
            yield
        self.line("emitted += 1")
        self.row_epilogue.append("skip = 0")

    def fail_when(self, condition: str, ok: str | None = None, code: int = DATA_ERROR) -> None:
        """Give up the query when `condition` holds for a value that is not null."""
        self.can_fail = True
        with self.block(f"if {conjunction(ok, condition)}"):
            self.line(f"return {code}")

    # Parameters -------------------------------------------------------------------------------------------------------

    def param(self, key: Hashable, hint: str, type_: ParamType, bind: Callable[[Frame], Any]) -> str:
        """The name of the parameter known as `key`, added at the first call."""
        if key not in self.params:
            self.params[key] = Param(self.writer.fresh(hint), type_, bind)
        return self.params[key].name

    def fixed_param(self, name: str, type_: ParamType, bind: Callable[[Frame], Any]) -> None:
        """Add a parameter by a name that nothing else can have (`codegen.writer`), unless it is there."""
        self.params.setdefault(name, Param(name, type_, bind))

    def constant(self, value: Any, hint: str, element: str) -> str:
        """A literal as a parameter, so that queries which differ in it share the kernel."""
        key = ("constant", element, type(value), repr(value), len(self.params))
        return self.param(key, hint, scalar(element), lambda _frame: value)

    def constant_array(self, key: Hashable, hint: str, element: str, value: Any) -> str:
        """A read-only array of constants."""
        return self.param(key, hint, buffer(element), lambda _frame: value)

    def used_columns(self, table: int | None = None) -> tuple[int, ...]:
        """Columns of the source, or of a joined table, that the kernel reads or hands on, ascending."""
        keys = (key for key in self.params if isinstance(key, tuple) and key[0] in _COLUMN_KEYS)
        sources = {*(key[1] for key in keys), *self.carried}
        if table is None:
            return tuple(sorted(source for source in sources if isinstance(source, int)))
        return tuple(sorted(source[1] for source in sources if isinstance(source, tuple) and source[0] == table))

    # Scope ------------------------------------------------------------------------------------------------------------

    def recall(self, key: Hashable) -> Any | None:
        """What is remembered under `key` in this block or one around it."""
        for scope in reversed(self._scopes):
            if key in scope:
                return scope[key]
            if _BARRIER in scope:
                break
        return None

    def remember(self, key: Hashable, value: Any) -> None:
        self._scopes[-1][key] = value

    def bind(self, attribute: int, value: Callable[[], Value]) -> None:
        """From here on, attribute `attribute` means `value`, which is asked for at its first use."""
        self.remember(("bound", attribute), value)

    @contextmanager
    def only(self, values: Mapping[int, Value]) -> Iterator[None]:
        """Inside, nothing is in scope but these attributes: an id may mean something else than outside."""
        self._scopes.append({_BARRIER: True, **{("value", attribute): value for attribute, value in values.items()}})
        try:
            yield
        finally:
            self._scopes.pop()

    def bound(self, attribute: int) -> Callable[[], Value]:
        """What an attribute has been bound to last."""
        load = self.recall(("bound", attribute))
        if load is None:
            raise PlanError(f"attribute {attribute} is not in scope")
        return cast("Callable[[], Value]", load)

    def attribute(self, attribute: int) -> Value:
        """The value of an attribute."""
        found = self.recall(("value", attribute))
        if found is None:
            bound = self.recall(("bound", attribute))
            if bound is None:
                raise PlanError(f"attribute {attribute} is not in scope")
            found = bound()
            self.remember(("value", attribute), found)
        return found  # type: ignore[no-any-return]

    def emit(self, expr: Expr) -> Value:
        """Write the statements that compute `expr`; raises `Unsupported` for what has no generator."""
        found = self.recall(expr)
        if found is None:
            emitter = EMITTERS.get(type(expr))
            if emitter is None:
                raise Unsupported("no code is generated for this expression", expr.name)
            found = emitter(self, expr)
            self.remember(expr, found)
        return found

    # Branches ---------------------------------------------------------------------------------------------------------

    def branch(self, write: Callable[[], Value]) -> Branch:
        """Run `write` with its statements kept aside."""
        could_fail, self.can_fail = self.can_fail, False
        self._scopes.append({})
        try:
            with self.writer.captured() as lines:
                value = write()
        finally:
            scope, failed = self._scopes.pop(), self.can_fail
            self.can_fail = could_fail or failed
        return Branch(lines, value, scope, failed)

    def could_fail(self, write: Callable[[], Value]) -> bool:
        """Whether the statements that `write` writes may fail. Nothing of them is kept."""
        kept: list[Any] = [
            self.params, self.imports, self._helpers, self.functions, self.carried, self.prologue, self.row_prologue,
            self.row_epilogue, self.epilogue, self.writer.taken,
        ]  # fmt: skip
        before, could_fail = [container.copy() for container in kept], self.can_fail
        branch = self.branch(write)
        for container, contents in zip(kept, before, strict=True):
            container.clear()
            (container.extend if isinstance(container, list) else container.update)(contents)
        self.can_fail = could_fail
        return branch.can_fail

    def splice(self, branch: Branch) -> None:
        """Write the statements of a branch here and now."""
        self.writer.lines.extend(branch.lines)
        self._scopes[-1].update(branch.scope)

    def select(self, condition: str, yes: Branch, no: Branch, type_: DataType) -> Value:
        """`yes` where `condition` holds, else `no`; only the statements of the chosen branch run."""
        kind = _kind_of_two(yes.value.kind, no.value.kind)
        known = [v for v in (yes.value, no.value) if v.kind is not Kind.NULL and v.ok != "False"]
        low, high = _bounds_of_all(known)
        inline = yes.is_cheap and no.is_cheap
        if inline:
            self.splice(yes)
            self.splice(no)
            names = [self._choose(condition, *pair) for pair in self._pairs(self._parts, yes.value, no.value, kind)]
        else:
            names = self._choose_block(condition, self._pairs(self._parts_inside, yes, no, kind), yes, no)
        code, length, ok = names[0], names[1], names[2]
        return Value(type_, kind, code, None if ok == "True" else ok, low, high, length)

    @staticmethod
    def _pairs(
        parts: Callable[[Any, Kind], tuple[str, str, str]], yes: Any, no: Any, kind: Kind
    ) -> list[tuple[str, str]]:
        return list(zip(parts(yes, kind), parts(no, kind), strict=True))

    def _parts_inside(self, branch: Branch, kind: Kind) -> tuple[str, str, str]:
        """The parts of a branch's value; what it takes to get them joins the branch's statements."""
        self._scopes.append(dict(branch.scope))
        try:
            with self.writer.captured() as lines:
                parts = self._parts(branch.value, kind)
        finally:
            self._scopes.pop()
        branch.lines.extend(lines)
        return parts

    def _parts(self, value: Value, kind: Kind) -> tuple[str, str, str]:
        """The code, length and validity of a value brought to `kind`."""
        if kind is Kind.STR and value.kind is Kind.STR:
            address, length = self.text(value)
            return address, length, value.ok or "True"
        if value.kind is Kind.NULL:
            return zero_of(kind), "int64(0)" if kind is Kind.STR else "", "False"
        code = (
            f"{self.use('int128.wide')}({value.code})" if kind is Kind.WIDE and value.kind is Kind.INT else value.code
        )
        return code, "", value.ok or "True"

    def _choose(self, condition: str, yes: str, no: str) -> str:
        return yes if yes == no else self.let("chosen", f"{yes} if {condition} else {no}")

    def _choose_block(self, condition: str, pairs: list[tuple[str, str]], yes: Branch, no: Branch) -> list[str]:
        names = [a if a == b else self.writer.fresh("chosen") for a, b in pairs]
        for header, branch, side in ((f"if {condition}", yes, 0), ("else", no, 1)):
            with self.block(header):
                self.writer.lines.extend(INDENT + text for text in branch.lines)
                for name, pair in zip(names, pairs, strict=True):
                    if pair[0] != pair[1]:
                        self.line(f"{name} = {pair[side]}")
        return names

    def merged(self, alternatives: list[Value]) -> Merged:
        """One value that is any of `alternatives`; which one, `Merged.assign` says at run time."""
        first = alternatives[0]
        if all(value == first for value in alternatives):
            return Merged(first, (), [])
        kind = functools.reduce(_kind_of_two, (value.kind for value in alternatives))
        present = [value for value in alternatives if value.ok != "False"]
        columns = {value.codes.column if value.codes else None for value in present}
        as_codes = kind is Kind.STR and len(columns) == 1 and None not in columns
        parts = [self._code_parts(value) if as_codes else self._parts(value, kind) for value in alternatives]
        names = tuple(self.writer.fresh(f"merged{suffix}") for suffix in ("", "_n", "_ok"))
        ok = names[2] if any(part[2] != "True" for part in parts) else None
        low, high = _bounds_of_all(present)
        codes = CodesOf(names[0], columns.pop() or 0) if as_codes else None
        value = Value(first.type, kind, "" if as_codes else names[0], ok, low, high, names[1], codes)
        return Merged(value, names, parts)

    def _code_parts(self, value: Value) -> tuple[str, str, str]:
        return (value.codes.name if value.codes else "int64(0)"), "", value.ok or "True"

    # Values -----------------------------------------------------------------------------------------------------------

    def text(self, value: Value) -> tuple[str, str]:
        """Address and length of a string value; a dictionary code is looked up at its first use."""
        if value.codes is None:
            return value.code, value.length
        key = ("text", value.codes.name)
        found = self.recall(key)
        if found is None:
            column = value.codes.column
            base = self.param(
                ("dict", column), f"{value.codes.name}_dict", scalar("uint64"), dictionary_address(column)
            )
            offsets = self.param(
                ("dict offsets", column), f"{value.codes.name}_at", buffer("int32"), dictionary_offsets(column)
            )
            at = f"uint64({value.codes.name})"
            address = self.let("text", f"{base} + uint64({offsets}[{at}])")
            length = self.let("text_n", f"int64({offsets}[{at} + uint64(1)]) - int64({offsets}[{at}])")
            found = (address, length)
            self.remember(key, found)
        return found

    def wide(self, value: Value) -> str:
        """A decimal's code as a 128-bit pair."""
        return value.code if value.kind is Kind.WIDE else f"{self.use('int128.wide')}({value.code})"

    def all_ok(self, *values: Value) -> str | None:
        """The validity of a value that is null when one of its inputs is."""
        names = list(dict.fromkeys(v.ok for v in values if v.ok is not None))
        if not names:
            return None
        if "False" in names:
            return "False"
        return names[0] if len(names) == 1 else self.let("ok", " and ".join(names))

    def boolean(self, code: str, ok: str | None, hint: str = "is_true") -> Value:
        """A boolean value; where it is null it is made False."""
        name = self.let(hint, conjunction(ok, code))
        return Value(BOOLEAN, Kind.BOOL, name, ok)


def conjunction(*parts: str | None) -> str:
    """`a and b`, leaving out what is None."""
    present = [f"({p})" if " or " in p or " if " in p else p for p in parts if p is not None]
    return " and ".join(present) or "True"


def zero_of(kind: Kind) -> str:
    """A harmless value for a null."""
    return {
        Kind.BOOL: "False",
        Kind.INT: "int64(0)",
        Kind.F32: "float32(0.0)",
        Kind.F64: "0.0",
        Kind.WIDE: "(int64(0), int64(0))",
        Kind.STR: "uint64(0)",
        Kind.NULL: "int64(0)",
    }[kind]


def null_value(type_: DataType) -> Value:
    """A value that is always null."""
    kind = type_.kind
    if kind is Kind.WIDE:
        kind = Kind.INT
    length = "int64(0)" if kind is Kind.STR else ""
    low, high = (0, 0) if kind is Kind.INT else (None, None)
    return Value(type_, kind, zero_of(kind), "False", low, high, length)


def _kind_of_two(a: Kind, b: Kind) -> Kind:
    """The representation that holds values of both kinds."""
    kinds = {a, b} - {Kind.NULL}
    if kinds == {Kind.INT, Kind.WIDE}:
        return Kind.WIDE
    if len(kinds) > 1:
        raise PlanError(f"alternatives of kinds {a} and {b}")
    return kinds.pop() if kinds else Kind.NULL


def _bounds_of_all(values: Sequence[Value]) -> tuple[int | None, int | None]:
    """Bounds that hold for each of some values."""
    if not values or any(v.kind not in (Kind.INT, Kind.WIDE) for v in values):
        return None, None
    return min(v.bounds[0] for v in values), max(v.bounds[1] for v in values)
