"""Arrow arrays → column buffers, for what is read from Parquet and from streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyflare.errors import ExecutionError, Unsupported
from pyflare.io import kernels
from pyflare.io.columns import Array, Column
from pyflare.io.memory import bits, empty, view
from pyflare.types import DataType, Kind

if TYPE_CHECKING:
    from pyflare.io.dictionaries import GrowingDictionary

_INT32_MAX: Final = 2**31 - 1


def decode(array: pa.Array, type_: DataType) -> Column:
    """The plain column of an array whose values are `type_`'s, in whatever width Arrow holds them."""
    ok = validity(array)
    match type_.kind:
        case Kind.INT:
            return Column(integers(array).astype(type_.storage, copy=False), ok)
        case Kind.WIDE:
            return Column(_words(array), ok)
        case Kind.F32 | Kind.F64:
            return Column(_numbers(array).astype(type_.storage, copy=False), ok)
        case Kind.BOOL:
            return Column(bits(array.buffers()[1], len(array), array.offset), ok)
        case Kind.STR:
            offsets, values = strings(array)
            return Column(offsets, ok, values)
        case Kind.NULL:
            return Column(np.zeros(len(array), np.uint8), np.zeros(len(array), np.uint8))
        case Kind.ARRAY:
            return _arrays(array, type_, ok)
        case Kind.STRUCT:
            raise ExecutionError(f"a column of {type_} is no input of a query")


def decode_codes(arrays: list[pa.DictionaryArray], dictionary: GrowingDictionary) -> Column:
    """One column of codes of `dictionary` for arrays that each bring their own values."""
    parts = [_codes(array, dictionary) for array in arrays]
    if len(parts) == 1:
        return parts[0]
    ok = None
    if any(part.ok is not None for part in parts):
        ok = np.concatenate([np.ones(len(part.data), np.uint8) if part.ok is None else part.ok for part in parts])
    return Column(np.concatenate([part.data for part in parts]) if parts else np.empty(0, np.int32), ok)


def validity(array: pa.Array) -> Array | None:
    """One byte a row, 1 where the row has a value; None if all have one."""
    if array.null_count == 0:
        return None
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.zeros(len(array), np.uint8)
    return bits(bitmap, len(array), array.offset)


def _is_valid(array: pa.Array) -> Any:
    ok = validity(array)
    return slice(None) if ok is None else ok.view(np.bool_)


def integers(array: pa.Array) -> Array:
    """The integers behind integers, dates and timestamps; the unscaled values of decimals, which must fit 64 bits."""
    if not pa.types.is_decimal(array.type):
        return _numbers(array)
    words, out = _words(array), empty(len(array), np.int64)
    if not kernels.narrow(words, out) and (words[1::2] != out >> 63)[_is_valid(array)].any():
        raise ExecutionError(f"a {array.type} value has more than 64 bits")
    return out


def strings(array: pa.Array) -> tuple[Array, Array]:
    """n + 1 offsets that start at 0, and the bytes they point into."""
    if pa.types.is_fixed_size_binary(array.type):
        return _fixed(array)
    if not (pa.types.is_string(array.type) or pa.types.is_binary(array.type)):
        array = pc.cast(array, pa.binary())
    _, offsets, values = array.buffers()
    if len(array) == 0:
        return np.zeros(1, np.int32), np.empty(0, np.uint8)
    starts = view(offsets, np.int32, len(array) + 1, array.offset)
    first, last = int(starts[0]), int(starts[-1])
    if first:
        starts = starts - np.int32(first)
    return starts, view(values, np.uint8, last - first, first)


def _arrays(array: pa.Array, type_: DataType, ok: Array | None) -> Column:
    """A matrix with a row for each array, over Arrow's own memory if none is null; a null one is a row of zeros."""
    assert type_.element is not None
    width = _width_of_arrays(array, type_)
    values = array.flatten()  # leaves null arrays out
    if values.null_count:
        raise Unsupported(f"there is a null in an {type_} of a column")
    elements = decode(values, type_.element).data
    if ok is None:
        return Column(elements.reshape(len(array), width))
    matrix = np.zeros((len(array), width), type_.storage)
    matrix[ok.view(np.bool_)] = elements.reshape(-1, width) if width else 0
    return Column(matrix, ok)


def _width_of_arrays(array: pa.Array, type_: DataType) -> int:
    """The number of elements that every array of a column has."""
    widths = pc.unique(pc.list_value_length(array)).drop_null().to_pylist()
    if len(widths) > 1:
        raise Unsupported(f"the {type_}s of a column have {min(widths)} to {max(widths)} elements")
    return int(widths[0]) if widths else 0


def _fixed(array: pa.FixedSizeBinaryArray) -> tuple[Array, Array]:
    width, ok = array.type.byte_width, validity(array)
    if len(array) * width > _INT32_MAX:
        raise ExecutionError(f"{len(array)} values of {width} bytes are too many for one column")
    data = view(array.buffers()[1], np.uint8, len(array) * width, array.offset * width)
    if ok is None:
        return np.arange(len(array) + 1, dtype=np.int32) * np.int32(width), data
    offsets = np.zeros(len(array) + 1, np.int32)
    np.cumsum(ok, out=offsets[1:])
    return offsets * np.int32(width), data.reshape(len(array), width)[ok.view(np.bool_)].reshape(-1)


def _codes(array: pa.DictionaryArray, dictionary: GrowingDictionary) -> Column:
    ok = validity(array)
    codes = dictionary.encode(pc.cast(array.dictionary, pa.binary()).to_pylist())
    indices = _numbers(array.indices)
    out = empty(len(indices), np.int32)
    good = kernels.remap(indices, codes, out) if ok is None else kernels.remap_valid(indices, ok, codes, out)
    if not good:
        raise ExecutionError("a dictionary index lies outside its dictionary")
    return Column(out, ok)


def _words(array: pa.Array) -> Array:
    if not pa.types.is_decimal128(array.type):
        raise ExecutionError(f"expected a decimal of 128 bits, found {array.type}")
    return view(array.buffers()[1], np.int64, 2 * len(array), 2 * array.offset)


def _numbers(array: pa.Array) -> Array:
    kind = array.type
    if pa.types.is_floating(kind):
        letter = "f"
    elif pa.types.is_unsigned_integer(kind):
        letter = "u"
    elif pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        letter = "i"
    else:
        raise ExecutionError(f"expected numbers, found {kind}")
    return view(array.buffers()[1], f"{letter}{kind.bit_width // 8}", len(array), array.offset)


def bounds(column: Column, type_: DataType) -> tuple[int, int] | None:
    """Smallest and largest value of a plain column of integers or decimals; None if it has no value or no order."""
    if type_.kind is Kind.WIDE:
        return _wide_bounds(column)
    if type_.kind is not Kind.INT or len(column.data) == 0:
        return None
    if column.ok is None:
        low, high = kernels.bounds(column.data)
    else:
        low, high = kernels.valid_bounds(column.data, column.ok)
    return (int(low), int(high)) if low <= high else None


def _wide_bounds(column: Column) -> tuple[int, int] | None:
    ok = np.empty(0, np.uint8) if column.ok is None else column.ok
    lowest, highest = kernels.wide_bounds(column.data, ok)
    if lowest < 0:
        return None
    return _wide_value(column.data, lowest), _wide_value(column.data, highest)


def _wide_value(words: Array, row: int) -> int:
    low, high = int(words[2 * row]), int(words[2 * row + 1])
    return (high << 64) | (low & (2**64 - 1))
