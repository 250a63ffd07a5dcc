"""A kernel's arguments as one block of words, and its buffers without what NumPy's arrays carry along.

Numba takes about half of a small kernel's compilation for arguments: for the code that unpacks each NumPy array, and
for counting references to it and minding negative indices wherever it is read. A kernel therefore takes one array of
words, and its first statement makes of that a `Given`, whose attributes are numbers and `Buffer`s: an address and a
length.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin, lower_getattr_generic
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, infer_global, signature
from numba.extending import intrinsic, models, register_model
from numba.np import numpy_support
from numba.np.arrayobj import make_array, populate_array

Words = npt.NDArray[np.uint64]
CompiledKernel = Callable[[np.uint64, np.uint64, Words], int]

WORDS: Final = types.Array(types.uint64, 1, "C", readonly=True)
KERNEL: Final = types.int64(types.uint64, types.uint64, WORDS)
"""The signature of every kernel: the first row, the row after the last, the arguments; the row that is the next."""

_WORD: Final = ir.IntType(64)


class Buffer(types.Type):
    """Numbers in memory that somebody else keeps alive. Indices are not checked and never negative."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Buffer({dtype})")


class Given(types.Type):
    """The arguments of a kernel, by name."""

    def __init__(self, fields: Sequence[tuple[str, Any]]) -> None:
        self.fields = dict(fields)
        starts = np.cumsum([0, *(_words_of(type_) for type_ in self.fields.values())])
        self.starts = dict(zip(self.fields, starts.tolist(), strict=False))
        super().__init__(name=f"Given({', '.join(f'{name}: {type_}' for name, type_ in fields)})")


def buffer(dtype: Any) -> Buffer:
    """The type of a contiguous array of numbers."""
    return Buffer(dtype)


def array(dtype: Any) -> Any:
    """The type of an array that compiled functions with a signature of their own take."""
    return types.Array(dtype, 1, "C")


def given(**fields: Any) -> Any:
    """What makes the arguments of a kernel, which have these names and types, of its words."""
    type_ = Given(list(fields.items()))

    def define(_typing: Any, words: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return make_array(WORDS)(context, builder, args[0]).data

        return type_(WORDS), generate

    return intrinsic(define)


class Packing(NamedTuple):
    """How arguments of given types become words."""

    layout: struct.Struct
    dtypes: tuple[np.dtype[Any] | None, ...]

    def pack(self, values: Sequence[Any]) -> Words:
        """The words. They hold addresses: whoever uses them keeps the arrays alive.

        Raises TypeError for an array of other elements than the parameter's, ValueError for one that is not contiguous.
        """
        found: list[Any] = []
        for value, dtype in zip(values, self.dtypes, strict=True):
            if dtype is None:
                found.append(value)
            elif value.dtype == dtype:
                found += (pa.py_buffer(value).address, value.size)
            else:
                raise TypeError(f"an array of {dtype} is wanted, not of {value.dtype}")
        return np.frombuffer(self.layout.pack(*found), np.uint64)


def packing(fields: Sequence[Any]) -> Packing:
    """How arguments of these types become words."""
    dtypes = [None if isinstance(type_, types.Number) else numpy_support.as_dtype(type_.dtype) for type_ in fields]
    codes = [_code(type_) if dtype is None else "QQ" for type_, dtype in zip(fields, dtypes, strict=True)]
    return Packing(struct.Struct("<" + "".join(codes)), tuple(dtypes))


def _code(type_: Any) -> str:
    dtype = numpy_support.as_dtype(type_)
    code = {"l": "q", "L": "Q"}.get(dtype.char, dtype.char)
    return f"{code}{8 - dtype.itemsize}x" if dtype.itemsize < 8 else str(code)


def _words_of(type_: Any) -> int:
    return 1 if isinstance(type_, types.Number) else 2


@register_model(Buffer)
class _BufferModel(models.StructModel):
    def __init__(self, manager: Any, type_: Any) -> None:
        super().__init__(manager, type_, [("data", types.CPointer(type_.dtype)), ("size", types.intp)])


@register_model(Given)
class _GivenModel(models.PrimitiveModel):
    def __init__(self, manager: Any, type_: Any) -> None:
        super().__init__(manager, type_, _WORD.as_pointer())


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, _kws: Any) -> Any:
        where, index = args
        if isinstance(where, Buffer) and isinstance(index, types.Integer):
            return signature(where.dtype, where, index)
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args: Any, _kws: Any) -> Any:
        where, index, _value = args
        if isinstance(where, Buffer) and isinstance(index, types.Integer):
            return signature(types.none, where, index, where.dtype)
        return None


@infer_global(len)
class _Length(AbstractTemplate):
    def generic(self, args: Any, _kws: Any) -> Any:
        (where,) = args
        return signature(types.intp, where) if isinstance(where, Buffer) else None


@infer_getattr
class _Attributes(AttributeTemplate):
    key = Given

    def generic_resolve(self, given_: Given, name: str) -> Any:
        return given_.fields.get(name)


def _pointer(context: Any, builder: Any, type_: Any, args: Any, index_type: Any) -> Any:
    where = cgutils.create_struct_proxy(type_)(context, builder, args[0])
    return builder.gep(where.data, [context.cast(builder, args[1], index_type, types.intp)], inbounds=True)


@lower_builtin(operator.getitem, Buffer, types.Integer)
def _get(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return context.unpack_value(builder, sig.return_type, _pointer(context, builder, sig.args[0], args, sig.args[1]))


@lower_builtin(operator.setitem, Buffer, types.Integer, types.Any)
def _set(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    context.pack_value(builder, sig.args[2], args[2], _pointer(context, builder, sig.args[0], args, sig.args[1]))
    return context.get_dummy_value()


@lower_builtin(len, Buffer)
def _len(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0]).size


@lower_getattr_generic(Given)
def _attribute(context: Any, builder: Any, given_: Given, words: Any, name: str) -> Any:
    type_, start = given_.fields[name], given_.starts[name]
    word = builder.gep(words, [ir.Constant(_WORD, start)])
    if isinstance(type_, types.Number):
        return context.unpack_value(builder, type_, builder.bitcast(word, context.get_data_type(type_).as_pointer()))
    kind = context.get_data_type(type_.dtype).as_pointer()
    data = builder.inttoptr(builder.load(word), kind)
    size = builder.load(builder.gep(words, [ir.Constant(_WORD, start + 1)]))
    return (_as_buffer if isinstance(type_, Buffer) else _as_array)(context, builder, type_, data, size)


def _as_buffer(context: Any, builder: Any, type_: Any, data: Any, size: Any) -> Any:
    made = cgutils.create_struct_proxy(type_)(context, builder)
    made.data, made.size = data, size
    return made._getvalue()


def _as_array(context: Any, builder: Any, type_: Any, data: Any, size: Any) -> Any:
    made = make_array(type_)(context, builder)
    width = context.get_constant(types.intp, numpy_support.as_dtype(type_.dtype).itemsize)
    populate_array(made, data=data, shape=[size], strides=[width], itemsize=width, meminfo=None)
    return made._getvalue()
