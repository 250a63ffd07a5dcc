"""A Python function as blocks of simple statements: Numba reads bytecode, which differs between Python's versions."""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from numba.core import analysis, compiler, ir

from pyflare.errors import Unsupported

_SHORT: Final = 6
_KINDS: Final = (inspect.CO_GENERATOR, inspect.CO_COROUTINE, inspect.CO_ASYNC_GENERATOR)


@dataclass(frozen=True)
class Body:
    """A function's blocks by their labels, and how control flows between them."""

    function: types.FunctionType
    blocks: Mapping[int, Any]
    start: int

    @cached_property
    def graph(self) -> Any:
        return analysis.compute_cfg_from_blocks(self.blocks)

    @cached_property
    def order(self) -> dict[int, int]:
        """The position of each block in a topological order."""
        return {label: position for position, label in enumerate(self.graph.topo_order())}

    @cached_property
    def live(self) -> Mapping[int, frozenset[str]]:
        """The variables that a block, or one after it, reads before it assigns them."""
        use = analysis.compute_use_defs(self.blocks)
        found = analysis.compute_live_map(self.graph, self.blocks, use.usemap, use.defmap)
        return {label: frozenset(names) for label, names in found.items()}

    @cached_property
    def loops(self) -> dict[int, frozenset[int]]:
        """The blocks of the loop that begins at a block."""
        return {loop.header: frozenset(loop.body) for loop in self.graph.loops().values()}

    @cached_property
    def merges(self) -> dict[int, frozenset[int]]:
        """For each block those that it leads to on several ways, none of which leads there without it."""
        found: dict[int, set[int]] = {label: set() for label in self.blocks}
        for label, dominator in self.graph.immediate_dominators().items():
            before = [source for source, _ in self.graph.predecessors(label)]
            forward = [source for source in before if not self._leads_back(source, label)]
            if label != dominator and len(forward) > 1 and not self._ends_shortly(label):
                found[dominator].add(label)
        return {label: frozenset(merged) for label, merged in found.items()}

    def _leads_back(self, source: int, target: int) -> bool:
        return source in self.loops.get(target, ())

    def _ends_shortly(self, label: int) -> bool:
        """Whether a block is so short that it may be written several times."""
        return isinstance(self.blocks[label].terminator, ir.Return) and len(self.blocks[label].body) < _SHORT

    def assigned_in(self, labels: frozenset[int]) -> frozenset[str]:
        """The variables that some blocks assign."""
        return frozenset(a.target.name for label in labels for a in self.blocks[label].find_insts(ir.Assign))


def read(function: Any) -> Body:
    """The blocks of a function. Raises `Unsupported` where its code does what no kernel can."""
    if not isinstance(function, types.FunctionType):
        raise Unsupported(f"{_named(function)} is no plain Python function")
    name, code = function.__name__, function.__code__
    if code.co_flags & inspect.CO_GENERATOR or any(code.co_flags & kind for kind in _KINDS):
        raise Unsupported(f"{name} is a generator or a coroutine")
    if getattr(code, "co_exceptiontable", b""):
        raise Unsupported(f"{name} has a try or with statement, or a comprehension")
    for instruction in dis.get_instructions(code):
        _check(name, instruction)
    try:
        blocks = compiler.run_frontend(undecorated(function)).blocks
    except Exception as error:  # what Numba's reader does not know
        raise Unsupported(f"{name} cannot be read: {_first_line(error)}") from None
    return Body(function, blocks, min(blocks))


def undecorated(function: types.FunctionType) -> types.FunctionType:
    """The function with the signature of its own code, which `functools.wraps` or `__signature__` may hide."""
    code = function.__code__
    plain = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    plain.__kwdefaults__ = function.__kwdefaults__
    return plain


def _check(name: str, instruction: dis.Instruction) -> None:
    operation = instruction.opname
    if operation.startswith(("STORE_GLOBAL", "DELETE_GLOBAL")):
        raise Unsupported(f"{name} assigns the global variable {instruction.argval}")
    if operation.startswith("IMPORT"):
        raise Unsupported(f"{name} has an import in it: import at the top of the file")
    if operation == "DELETE_FAST":
        raise Unsupported(f"{name} deletes the variable {instruction.argval}")
    if operation in ("STORE_DEREF", "DELETE_DEREF", "MAKE_CELL"):
        raise Unsupported(f"{name} has a variable that an inner function shares, {instruction.argval}")


def writers(function: types.FunctionType) -> Iterator[str]:
    """Global variables that functions beside this one assign."""
    for other in function.__globals__.values():
        if isinstance(other, types.FunctionType):
            yield from (
                str(instruction.argval)
                for instruction in dis.get_instructions(other.__code__)
                if instruction.opname == "STORE_GLOBAL"
            )


def _named(function: Any) -> str:
    return str(getattr(function, "__name__", None) or type(function).__name__)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
