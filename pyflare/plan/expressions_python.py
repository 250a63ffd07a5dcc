"""Python functions in expressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyflare.plan.expressions import Expr


@dataclass(frozen=True)
class Chain:
    """Functions that are applied one after the other, each known by its pickled form."""

    name: str
    commands: tuple[bytes, ...]
    functions: tuple[Callable[..., Any], ...] = field(compare=False)
    arrow: bool
    required: bool


@dataclass(frozen=True, kw_only=True)
class PythonCall(Expr):
    """The result of Python functions, the first of which takes `arguments`."""

    chain: Chain
    arguments: tuple[Expr, ...]
