"""The mark of functions that have to be compiled, which their pickled form shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_MARK: Final = "__pyflare_compiled__"


def require(function: Callable[..., Any]) -> None:
    """Mark a function."""
    setattr(function, _MARK, True)


def is_required(command: bytes) -> bool:
    """Whether a pickled function is marked."""
    return _MARK.encode() in command
