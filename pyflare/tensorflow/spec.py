"""What a model is to a query: where it lies, what goes in, what comes out. Small, for it is pickled with functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from pyflare.types import BOOLEAN, DOUBLE, FLOAT, INTEGER, LONG, STRING, DataType, array_of

OUTPUT_TYPES: Final[Mapping[str, DataType]] = {
    "bool": BOOLEAN,
    "int8": DataType("byte"),
    "uint8": DataType("short"),
    "int16": DataType("short"),
    "uint16": INTEGER,
    "int32": INTEGER,
    "uint32": LONG,
    "int64": LONG,
    "bfloat16": FLOAT,
    "float16": FLOAT,
    "float32": FLOAT,
    "float64": DOUBLE,
    "string": STRING,
}
"""The SQL type of a tensor's values."""

_OWN_DTYPE: Final = ("bool", "int8", "int16", "int32", "int64", "float32", "float64")
INPUT_DTYPES: Final[Mapping[str, str]] = {
    **{name: name for name in _OWN_DTYPE},
    "bfloat16": "float32",
    "float16": "float32",
    "string": "object",
}
"""The elements of the buffer that feeds a tensor; a tensor of half precision is made from it inside the call, and one
of strings from byte strings."""


@dataclass(frozen=True)
class Input:
    """One tensor of the signature: `cell` is the shape of one row's value, so `()` is a plain column."""

    name: str
    dtype: str
    cell: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name if self.width == 1 else f"{self.name}[{self.width}]"

    @property
    def width(self) -> int:
        """How many numbers one row gives to this tensor."""
        return prod(self.cell)

    @property
    def buffer(self) -> np.dtype[Any]:
        """The element type of the buffer that feeds this tensor."""
        return np.dtype(INPUT_DTYPES[self.dtype])

    @property
    def is_text(self) -> bool:
        return self.dtype == "string"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row in the buffer that feeds this tensor."""
        return () if self.width == 1 else (self.width,)

    def accepts(self, type_: DataType) -> bool:
        """Whether an argument of that type can be converted without losing more than floating-point precision."""
        if self.is_text or type_.name in ("string", "binary"):
            return self.is_text and type_.name in ("string", "binary", "void")
        if type_.name in ("boolean", "void"):
            return True
        if self.buffer.kind == "f":
            return type_.is_integral or type_.is_floating or type_.is_decimal
        return type_.is_integral and self.buffer.kind == "i" and type_.storage.itemsize <= self.buffer.itemsize


@dataclass(frozen=True)
class Output:
    """One tensor of the signature as a SQL value: a number or text, an array, or the index of its largest element.

    `label` names it in a struct. The values are converted to `declared`, if there is such a type.
    """

    name: str
    dtype: str
    scalar: bool = True
    argmax: bool = False
    label: str = ""
    declared: DataType | None = None

    @property
    def element(self) -> DataType:
        """The SQL type of the value, or of the array's elements."""
        return self.declared or (INTEGER if self.argmax else OUTPUT_TYPES[self.dtype])

    @property
    def type(self) -> DataType:
        """The SQL type of the value."""
        return array_of(self.element) if self.is_array else self.element

    @property
    def is_array(self) -> bool:
        return not self.scalar and not self.argmax

    @property
    def buffer(self) -> np.dtype[Any]:
        """The type of the values as they come from the model."""
        if self.element == STRING:
            return np.dtype(object)
        return np.dtype(np.bool_) if self.element == BOOLEAN else self.element.storage


@dataclass(frozen=True)
class ModelSpec:
    """A SavedModel, the signature to call, and how it is called.

    A row's value is that of the one output, or a struct of all of them.
    `batch` is the number of rows per call: at most, or exactly when `exact` (compiled by XLA, or saved with a fixed
    batch dimension), so that the answers do not depend on how rows are batched.
    """

    path: str
    signature: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    is_struct: bool = False
    batch: int = 65536
    exact: bool = False
    compiled: bool = False
    archive: str = ""

    @property
    def sql_type(self) -> str:
        """The type of the SQL function, as Spark reads it."""
        if not self.is_struct:
            return str(self.outputs[0].type)
        return f"struct<{', '.join(f'`{output.label}`: {output.type}' for output in self.outputs)}>"

    def stamp(self) -> tuple[int, ...]:
        """Changes whenever the model in the directory changes."""
        files = ("saved_model.pb", "variables/variables.index")
        states = [(Path(self.path) / file).stat() for file in files if (Path(self.path) / file).exists()]
        return tuple(value for state in states for value in (state.st_mtime_ns, state.st_size))
