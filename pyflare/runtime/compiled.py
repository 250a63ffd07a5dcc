"""The decorator of runtime helpers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

from pyflare.runtime.memory import OPTIONS

Helper = TypeVar("Helper", bound=Callable[..., Any])


def compiled(function: Helper) -> Helper:
    """Compile a helper at its first use, and keep its type for the checker."""
    return cast(Helper, njit(**OPTIONS)(function))
