"""Functions of a dictionary-coded column: evaluated once for each entry, so that the result is coded too."""

from __future__ import annotations

import ctypes
import importlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Kernel
from pyflare.codegen.values import CodesOf, MadeColumn, Source, Value, buffer
from pyflare.io.columns import Array, Column, Dictionary
from pyflare.io.dictionaries import GrowingDictionary
from pyflare.runtime.arena import Arena, arena_rewind
from pyflare.types import DataType, Kind

ENTRY: Final = None  # among a helper's arguments: where the dictionary's entry stands
_NEEDS_SPARK: Final = -1

Constant = bytes | int | bool | None


@dataclass(frozen=True)
class Derived(MadeColumn):
    """A column that is the result of a runtime helper for each value of the column at `base`."""

    base: Source
    function: str
    arguments: tuple[Constant, ...]
    in_arena: bool
    _tables: _Tables = field(default_factory=lambda: _Tables(), compare=False, repr=False)

    def column(self, base: Column) -> Column:
        """Codes by the base's codes, -1 where the entry needs Spark, and their dictionary."""
        assert base.dictionary is not None
        return self._tables.of(base.dictionary, self._results)

    def _results(self, entries: Iterable[bytes]) -> list[bytes | None]:
        """The helper's answer for each entry, None where it needs Spark."""
        module, name = self.function.rsplit(".", 1)
        helper = getattr(importlib.import_module(f"pyflare.runtime.{module}"), name)
        call = helper.ready() if hasattr(helper, "ready") else helper
        arena = Arena()
        return [self._result(call, arena, entry) for entry in entries]

    def _result(self, call: Callable[..., tuple[int, int]], arena: Arena, entry: bytes) -> bytes | None:
        arena_rewind(arena.words)
        texts = [np.frombuffer(entry + bytes(8), np.uint8)]
        arguments: list[Any] = [arena.words] if self.in_arena else []
        for argument in (entry if argument is ENTRY else argument for argument in self.arguments):
            if isinstance(argument, bytes):
                texts.append(np.frombuffer(argument + bytes(8), np.uint8))
                arguments += [np.uint64(texts[-1].ctypes.data), len(argument)]
            else:
                arguments.append(argument)
        address, length = call(*arguments)
        return ctypes.string_at(int(address), length) if length >= 0 else None


class _Tables:
    """What has been derived from one growing dictionary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uid = -1
        self._results = GrowingDictionary()
        self._codes: Array = np.zeros(1, np.int32)  # one more than there are entries

    def of(self, base: Dictionary, results: Callable[[Iterable[bytes]], list[bytes | None]]) -> Column:
        """The derived codes and dictionary, for at least the entries of `base`."""
        with self._lock:
            if base.uid != self._uid or base.uid == 0:
                self._uid, self._results, self._codes = base.uid, GrowingDictionary(), np.zeros(1, np.int32)
                self._results.encode([b""])
            known = len(self._codes) - 1
            if len(base) > known:
                found = results(base[code] for code in range(known, len(base)))
                codes = self._results.encode([result or b"" for result in found])
                codes = np.where([result is None for result in found], np.int32(_NEEDS_SPARK), codes)
                self._codes = np.concatenate([self._codes[:known], codes, np.zeros(1, np.int32)])
            return Column(self._codes, dictionary=self._results.snapshot())


def derived_text(kernel: Kernel, type_: DataType, value: Value, column: Derived) -> Value:
    """The derived column's value for a coded value."""
    assert value.codes is not None
    table = kernel.param(
        ("derived", column), f"{value.codes.name}_to", buffer("int32"), lambda frame: frame.column(column).data
    )
    code = kernel.let("code", f"int64({table}[uint64({value.codes.name})])")
    kernel.fail_when(f"{code} == {_NEEDS_SPARK}", value.ok, UNSUPPORTED_ERROR)
    codes = CodesOf(kernel.let("code", f"max({code}, int64(0))"), column)
    return Value(type_, Kind.STR, "", value.ok, codes=codes)
