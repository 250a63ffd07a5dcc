"""TensorFrames on today's Spark and TensorFlow: graphs and functions of tensors over the columns of DataFrames.

Importing this package imports neither TensorFlow nor Spark: workers do it too, to run their part of a graph.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyflare.tensorframes.core import (
        aggregate,
        analyze,
        append_shape,
        block,
        map_blocks,
        map_rows,
        print_schema,
        reduce_blocks,
        reduce_rows,
        row,
    )
    from pyflare.tensorframes.errors import (
        ComputationException,
        HighDimException,
        InputNotFoundException,
        InvalidDimensionException,
        InvalidTypeException,
        TensorFramesError,
    )

__all__ = [
    "ComputationException",
    "HighDimException",
    "InputNotFoundException",
    "InvalidDimensionException",
    "InvalidTypeException",
    "TensorFramesError",
    "aggregate",
    "analyze",
    "append_shape",
    "block",
    "map_blocks",
    "map_rows",
    "print_schema",
    "reduce_blocks",
    "reduce_rows",
    "row",
]

_ERRORS: Final = frozenset(name for name in __all__ if name.endswith(("Exception", "Error")))


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "errors" if name in _ERRORS else "core"
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
