"""Models as functions of Arrow columns, without Spark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pyflare.tensorflow.models import ModelFunction
from pyflare.tensorflow.registration import describe
from pyflare.tensorflow.saving import SIGNATURE, save
from pyflare.tensorflow.tuning import tuned

Make = Callable[..., ModelFunction]


def model_function(
    directory: Path, model: Any, inputs: Sequence[Any] | None = None, jit: bool | None = False, **options: Any
) -> ModelFunction:
    """The function `f` that `register` makes of a model, saved in a directory; not compiled unless asked for."""
    path = directory / f"model-{len(list(directory.iterdir()))}"
    order = save(model, path, inputs)
    described = describe(path, SIGNATURE, order, options.get("output"), options.get("argmax", False))
    return ModelFunction("f", tuned(described, options.get("batch_size"), jit))


def run_on(function: ModelFunction, values: list[Any], type_: pa.DataType) -> list[Any]:
    """What plain Spark gets for one column."""
    return list(function(pa.array(values, type_)).to_pylist())
