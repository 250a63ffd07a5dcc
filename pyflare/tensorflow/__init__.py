"""TensorFlow on Spark data: models as SQL functions, and `tf.data` over Arrow batches.

Importing this package does not import TensorFlow (that takes seconds), but says at once when it is not installed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if find_spec("tensorflow") is None:
    raise ImportError("pyflare.tensorflow needs TensorFlow: pip install pyflare[tensorflow]", name="tensorflow")

if TYPE_CHECKING:
    from pyflare.tensorflow.data import dataset
    from pyflare.tensorflow.registration import register

__all__ = ["dataset", "register"]

_HOMES: Final = {"dataset": "pyflare.tensorflow.data", "register": "pyflare.tensorflow.registration"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
