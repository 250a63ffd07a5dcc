"""Between Arrow columns, NumPy buffers and tensors: the only place where values change hands."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pyflare.io.memory import view
from pyflare.types import DataType, decimal

Array = npt.NDArray[Any]

ALIGNMENT: Final = 64

_PLAIN: Final = ("boolean", "byte", "short", "integer", "long", "float", "double", "string", "binary", "void")
_BY_ARROW: Final = {DataType(name).arrow: DataType(name) for name in _PLAIN}

_EXACT_UNSCALED: Final = 2**53
_EXACT_SCALE: Final = 22


def tensorflow() -> Any:
    """The TensorFlow module, imported (3 to 5 seconds) by the first call of a process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return import_module("tensorflow")


def limit_threads(threads: int) -> None:
    """Let TensorFlow use that many threads. Without effect once it has run something in this process."""
    tf = tensorflow()
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def allocate(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An uninitialised row-major array whose first byte lies on a 64-byte boundary, as TensorFlow's kernels want it."""
    if dtype.hasobject:
        return np.full(shape, b"", dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def is_tensor_ready(array: Array) -> bool:
    """Whether TensorFlow can take this memory as it is."""
    flags = array.flags
    return flags.c_contiguous and flags.writeable and array.__array_interface__["data"][0] % ALIGNMENT == 0


def as_tensor(array: Array) -> Any:
    """A tensor on the array's own memory (on a copy, if that is read-only, strided, not aligned, or byte strings)."""
    if array.dtype.hasobject:
        return tensorflow().convert_to_tensor(array, tensorflow().string)
    if not is_tensor_ready(array):
        copy = allocate(array.shape, array.dtype)
        copy[...] = array
        array = copy
    return tensorflow().experimental.dlpack.from_dlpack(array.__dlpack__())


def as_array(tensor: Any) -> Array:
    """A read-only array on the tensor's own memory; strings are copied."""
    if tensor.dtype == tensorflow().string:
        texts: Array = tensor.numpy()
        return texts
    return np.asarray(memoryview(tensor))


def is_nested(type_: pa.DataType) -> bool:
    """Whether this is an array column."""
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_))


def sql_type(type_: pa.DataType) -> DataType:
    """The SQL type of an Arrow column (of its elements, for an array column)."""
    if is_nested(type_):
        return sql_type(type_.value_type)
    if pa.types.is_decimal128(type_):
        return decimal(type_.precision, type_.scale)
    return _BY_ARROW.get(type_) or DataType(str(type_))


def validity(column: pa.Array) -> Array | None:
    """True where the row has a value; None when no row is null."""
    if column.null_count == 0:
        return None
    valid: Array = column.is_valid().to_numpy(zero_copy_only=False)
    return valid


def numbers(column: pa.Array) -> Array:
    """The values of a numeric or boolean column, decimals as doubles; anything where the row is null."""
    if pa.types.is_null(column.type) or len(column) == 0:
        return np.zeros(len(column), np.uint8)
    if pa.types.is_decimal(column.type):
        return _decimals(column)
    if pa.types.is_boolean(column.type):
        booleans: Array = column.fill_null(False).to_numpy(zero_copy_only=False)
        return booleans
    return view(column.buffers()[1], column.type.to_pandas_dtype(), len(column), column.offset)


def texts(column: pa.Array) -> Array:
    """The values of a string or binary column as byte strings; anything where the row is null."""
    filled: Array = column.cast(pa.binary()).to_numpy(zero_copy_only=False)
    return filled


def converted(values: Array, dtype: np.dtype[Any]) -> Array:
    """The same numbers in that type, as in Spark's cast to it; the same memory if they are in it already."""
    if values.dtype == dtype:
        return values
    found = allocate(values.shape, dtype)
    with np.errstate(over="ignore"):  # a double beyond the floats becomes infinite
        found[...] = values
    return found


def _decimals(column: pa.Array) -> Array:
    """Decimals as the nearest doubles, which is what Spark's cast gives: dividing two exact doubles rounds once."""
    words = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)[column.offset : column.offset + len(column)]
    low: Array = words[:, 0]
    is_exact = (words[:, 1] == low >> 63) & (np.abs(low) <= _EXACT_UNSCALED)
    if column.type.scale <= _EXACT_SCALE and is_exact.all():
        exact: Array = low / 10.0**column.type.scale
        return exact
    return np.array([0.0 if value is None else float(value) for value in column.to_pylist()], np.float64)


def rows(column: pa.Array, width: int, name: str) -> tuple[Array, Array | None]:
    """An array column as a matrix, and which rows are not null, inside and out; null rows hold zeros.

    Raises ValueError for an array of any other length.
    """
    fixed = pa.types.is_fixed_size_list(column.type)
    lengths = [column.type.list_size] if fixed else column.value_lengths().unique().to_pylist()
    odd = next((length for length in lengths if length not in (width, None)), None)
    if odd is not None:
        raise ValueError(f"{name} takes arrays of {width} numbers, one of {odd} was given")
    elements = column.flatten()
    count = len(column) - column.null_count
    is_text = sql_type(column.type).name in ("string", "binary")
    found = (texts(elements) if is_text else numbers(elements)).reshape(count, width)
    if column.null_count == 0 and elements.null_count == 0:
        return found, None
    valid: Array = column.is_valid().to_numpy(zero_copy_only=False).copy()
    filled = np.zeros((len(column), width), found.dtype)
    filled[valid] = found
    valid[valid] = elements.is_valid().to_numpy(zero_copy_only=False).reshape(count, width).all(axis=1)
    return filled, valid


def as_arrow(values: Array, ok: Array | None, type_: DataType) -> pa.Array:
    """A column of numbers or texts, or of arrays if `values` has two dimensions; null where `ok` is 0.

    `type_` is that of the elements. Raises `pyarrow.ArrowInvalid` for a text that is not UTF-8.
    """
    missing = None if ok is None else ok == 0
    if values.dtype.hasobject:
        return pa.array(values, pa.binary(), mask=missing).cast(type_.arrow)
    if values.ndim == 1:
        return pa.array(values.view(np.bool_) if type_.name == "boolean" else values, type_.arrow, mask=missing)
    length, width = values.shape
    elements = as_arrow(values.reshape(-1), None, type_)
    offsets = pa.array(np.arange(length + 1, dtype=np.int32) * np.int32(width))
    return pa.ListArray.from_arrays(offsets, elements, mask=None if missing is None else pa.array(missing))
