"""PyFlare: Spark SQL in compiled Numba kernels beside the JVM, and TensorFlow models as SQL functions.

Importing this package imports nothing heavy; each name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyflare.frame import Flare, explain, flare
    from pyflare.python.decorator import udf
    from pyflare.session import conf, enable

__version__ = "0.1.0"
version: Final = __version__

__all__ = ["Flare", "__version__", "conf", "enable", "explain", "flare", "udf", "version"]

_HOMES: Final = {
    "Flare": "pyflare.frame",
    "conf": "pyflare.session",
    "enable": "pyflare.session",
    "explain": "pyflare.frame",
    "flare": "pyflare.frame",
    "udf": "pyflare.python.decorator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
