"""`pyflare.udf`: Spark's `udf` for functions that have to be compiled."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, Final

from pyflare.errors import NotCompiled, Unsupported
from pyflare.python.frontend import read
from pyflare.python.marks import require

_TYPES: Final = {
    **dict.fromkeys(("boolean",), "BooleanType"),
    **dict.fromkeys(("byte", "tinyint"), "ByteType"),
    **dict.fromkeys(("short", "smallint"), "ShortType"),
    **dict.fromkeys(("int", "integer"), "IntegerType"),
    **dict.fromkeys(("long", "bigint"), "LongType"),
    **dict.fromkeys(("float", "real"), "FloatType"),
    **dict.fromkeys(("double",), "DoubleType"),
}


def udf(f: Any = None, returnType: Any = "string", *, useArrow: bool | None = None) -> Any:  # noqa: N803
    """A function of columns, as Spark's `udf` makes it, that PyFlare must compile.

    Where PyFlare is on, a query fails in which the function cannot be part of a kernel, and says why. Where it is off,
    the function runs in Spark's Python workers.

    Args:
        f: the function, or, for use as a decorator, the type that it returns.
        returnType: the type that it returns, as Spark's `DataType` or its name: a number or a boolean.
        useArrow: how Spark hands rows over where it runs the function.

    Raises:
        NotCompiled: whatever the arguments are, the function cannot be compiled; the message says why.
    """
    if callable(f) and not isinstance(f, type):
        return _made(f, returnType, useArrow)
    return functools.partial(_made, returned=returnType if f is None else f, use_arrow=useArrow)


def _made(function: Callable[..., Any], returned: Any, use_arrow: bool | None) -> Any:
    from pyspark.sql import functions
    from pyspark.sql import types as spark_types

    name = getattr(function, "__name__", type(function).__name__)
    declared = (returned if isinstance(returned, str) else returned.simpleString()).strip().lower()
    if declared not in _TYPES:
        raise NotCompiled(f"the Python function {name} is not compiled: its declared type is {declared}")
    try:
        read(function)
    except Unsupported as error:
        raise NotCompiled(f"the Python function {name} is not compiled: {error.reason}") from None
    type_ = getattr(spark_types, _TYPES[declared])()  # by its name, Spark knows a type only while a session runs
    return functions.udf(_marked(function), type_, useArrow=use_arrow)


def _marked(function: Any) -> Any:
    """A marked copy: pickling writes a function down that is not to be found where its name says."""
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    functools.update_wrapper(copy, function)
    copy.__kwdefaults__ = function.__kwdefaults__
    del copy.__dict__["__wrapped__"]
    require(copy)
    return copy
