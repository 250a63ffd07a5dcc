"""Running a model: the function that travels in the plan, the step that it becomes, and the model that a process keeps.

Plain Spark calls `ModelFunction` with Arrow arrays; the backend recognises it in a plan (`find_model`), turns it into a
`ModelStep` and fills the step's buffers from a kernel. Both end in `ModelStep.run`, so both give the same answers.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from pyflare.errors import Unsupported
from pyflare.tensorflow import tensors
from pyflare.tensorflow.spec import Input, ModelSpec, Output
from pyflare.tensorflow.tensors import Array
from pyflare.types import DataType

MODELS_KEPT: Final = 16
"""Models that a process keeps loaded."""


@dataclass(frozen=True)
class Slot:
    """One input buffer: `dtype`, and `()` or `(width,)` as the shape of a row. `arguments` fill it, one number each,
    or all at once from a single array argument."""

    input: Input
    arguments: range

    @property
    def is_array(self) -> bool:
        """Whether one array argument has all the numbers of a row."""
        return len(self.arguments) < self.input.width

    @property
    def is_columnar(self) -> bool:
        """Whether whole columns fill it: arrays, which may become the tensor as they lie in memory, or texts."""
        return self.is_array or self.input.is_text

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.input.buffer

    @property
    def shape(self) -> tuple[int, ...]:
        return self.input.shape

    def of_arrays(self, matrix: Array) -> Array:
        """What fills it, for a matrix with a row for each array argument: the same memory, if the types are the same.

        Raises ValueError for arrays of any other length.
        """
        if len(matrix) and matrix.shape[1] != self.input.width:
            given = f"{self.input.name} takes arrays of {self.input.width} numbers, one of {matrix.shape[1]} was given"
            raise ValueError(f"argument {self.arguments.start + 1}: {given}")
        return tensors.converted(matrix.reshape(len(matrix), self.input.width), self.dtype)

    def of_texts(self, columns: Sequence[Array]) -> Array:
        """What fills it, for a column of byte strings for each argument."""
        return np.stack(columns, axis=1) if self.shape else columns[0]


@dataclass(frozen=True)
class ModelStep:
    """A model bound to its arguments: fill the buffers of `allocate`, then `run`.

    A row is not null when none of its arguments is; the model sees no other rows. There are values for each of the
    model's `outputs`: one each, or a matrix with a row each where the output is an array.
    """

    spec: ModelSpec
    slots: tuple[Slot, ...]

    @property
    def outputs(self) -> tuple[Output, ...]:
        return self.spec.outputs

    @property
    def batch(self) -> int:
        """The number of rows per call of the model: the best size for a buffer that is used again and again."""
        return self.spec.batch

    def allocate(self, rows: int) -> list[Array]:
        """One buffer per slot, for at least `rows` rows: what lies beyond them belongs to `run`.

        That of a columnar slot has no rows: `run` gets what `Slot.of_arrays` or `Slot.of_texts` gives instead.
        """
        spare = -rows % self.spec.batch if self.spec.exact else 0
        lengths = [0 if slot.is_columnar else rows + spare for slot in self.slots]
        return [
            tensors.allocate((length, *slot.shape), slot.dtype)
            for slot, length in zip(self.slots, lengths, strict=True)
        ]

    def run(self, arrays: Sequence[Array], rows: int, ok: Array | None = None) -> tuple[list[Array], Array | None]:
        """The model's values for the first `rows` rows of the buffers, in new memory, and which of them are not null.

        `ok` has one byte a row, 0 where an argument is null; those rows are left out of the buffers given to the model.
        """
        model = load(self.spec)
        if ok is None or bool(ok[:rows].all()):
            return model.values(arrays, rows), None
        kept = np.flatnonzero(ok[:rows])
        found = model.values([_taken(array, kept) for array in arrays], len(kept))
        return [_scattered(values, kept, rows) for values in found], ok[:rows]


@dataclass(frozen=True)
class ModelFunction:
    """A registered model as Spark's workers call it: one Arrow array per argument (a pandas series in Spark 4.0)."""

    name: str
    spec: ModelSpec

    # Spark reads the kind of function from type hints, if there are any.
    __signature__: ClassVar = inspect.Signature([inspect.Parameter("columns", inspect.Parameter.VAR_POSITIONAL)])

    def __str__(self) -> str:
        return f"{self.name}({', '.join(str(input_) for input_ in self.spec.inputs)})"

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, *columns: Any) -> Any:
        if columns and not isinstance(columns[0], pa.Array):
            return _as_pandas(self(*(pa.Array.from_pandas(column) for column in columns)))
        try:
            step = self._bind([tensors.sql_type(c.type) for c in columns], [tensors.is_nested(c.type) for c in columns])
        except Unsupported as error:
            raise TypeError(error.reason) from None
        _limit_to_task()
        try:
            load(step.spec)
        except Exception as error:
            raise RuntimeError(f"the model {self} cannot be loaded: {error}") from error
        return _as_arrow(step, *step.run(*_filled(step, columns, str(self))))

    @property
    def widths(self) -> tuple[int, ...]:
        """How many numbers a row gives to each input."""
        return tuple(input_.width for input_ in self.spec.inputs)

    def plan(self, types: Sequence[DataType], *returns: DataType) -> ModelStep:
        """The step for arguments of those types, and for results of those types: a struct has several.

        Raises Unsupported, with what is wrong, for others.
        """
        step = self._bind([type_.element or type_ for type_ in types], [type_.element is not None for type_ in types])
        if [output.type for output in step.outputs] != list(returns):
            raise Unsupported(f"{self} returns {self.spec.sql_type}, not {', '.join(map(str, returns))}", "PythonUDF")
        if any(type_.name == "void" for type_ in types):
            raise Unsupported(f"{self} is called with an untyped null", "PythonUDF")
        return step

    def _bind(self, types: Sequence[DataType], nested: Sequence[bool]) -> ModelStep:
        slots = []
        start = 0
        for input_ in self.spec.inputs:
            whole = input_.width > 1 and start < len(nested) and nested[start]
            slots.append(Slot(input_, range(start, start + (1 if whole else input_.width))))
            start = slots[-1].arguments.stop
        if start != len(types):
            raise Unsupported(f"{self} takes {start} arguments, {len(types)} were given", "PythonUDF")
        for slot in slots:
            self._check(slot, types, nested)
        return ModelStep(self.spec, tuple(slots))

    def _check(self, slot: Slot, types: Sequence[DataType], nested: Sequence[bool]) -> None:
        for index in slot.arguments:
            if nested[index] == slot.is_array and slot.input.accepts(types[index]):
                continue
            given = f"array<{types[index]}>" if nested[index] else str(types[index])
            message = f"argument {index + 1} of {self} feeds a tensor of {slot.input.dtype} and cannot be {given}"
            raise Unsupported(f"{message}: cast it", "PythonUDF")


class Model:
    """A loaded model and the compiled call: buffers in, an array out for each output."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._loaded = tensors.tensorflow().saved_model.load(spec.path)
        self._call = _compiled(self._loaded.signatures[spec.signature], spec)
        if spec.compiled:  # XLA compiles at the first call
            self.predict([np.zeros((spec.batch, *input_.shape), input_.buffer) for input_ in spec.inputs])

    @property
    def graph(self) -> Any:
        """The TensorFlow graph of a call."""
        return self._call.graph

    def predict(self, inputs: Sequence[Array]) -> list[Array]:
        """The values of one batch: read-only views of the tensors that the model returns.

        Aligned, writable, row-major inputs reach TensorFlow without a copy.
        """
        results = [tensors.as_array(r) for r in self._call(*[tensors.as_tensor(array) for array in inputs])]
        for result in results:
            if len(result) != len(inputs[0]):
                raise ValueError(f"the model in {self.spec.path} returned {len(result)} rows for {len(inputs[0])}")
        return results

    def values(self, arrays: Sequence[Array], rows: int) -> list[Array]:
        """The values of the first `rows` rows, in new memory: a model may return its input, which is used again."""
        found: list[Array] = []
        for start in range(0, rows, self.spec.batch):
            stop = min(start + self.spec.batch, rows)
            parts = self.predict([self._piece(array, start, stop) for array in arrays])
            found = found or [np.empty((rows, *part.shape[1:]), part.dtype) for part in parts]
            for whole, part in zip(found, parts, strict=True):
                whole[start:stop] = part[: stop - start]
        return found or [_nothing(output) for output in self.spec.outputs]

    def _piece(self, array: Array, start: int, stop: int) -> Array:
        """Rows for one call. Missing ones repeat the last row; a single row is doubled, for a matrix times one row is
        summed in another order than a matrix times several."""
        end = start + (self.spec.batch if self.spec.exact else max(stop - start, 2))
        piece = array[start:end]
        if start + len(piece) < end:
            piece = tensors.allocate((end - start, *array.shape[1:]), array.dtype)
            piece[: stop - start] = array[start:stop]
        if stop < end:
            piece[stop - start :] = array[stop - 1]
        return piece


def _as_pandas(result: pa.Array) -> Any:
    """A series; for structs a frame, as a pandas function returns them."""
    return pa.Table.from_struct_array(result).to_pandas() if pa.types.is_struct(result.type) else result.to_pandas()


def find_model(function: object) -> ModelFunction | None:
    """The model behind a function unpickled from a plan, if it is one."""
    return function if isinstance(function, ModelFunction) else None


def load(spec: ModelSpec) -> Model:
    """The model, loaded once per process as long as its files do not change."""
    if not (Path(spec.path) / "saved_model.pb").exists():
        spec = replace(spec, path=_shipped(spec))
    with _loading:
        return _load(spec, spec.stamp())


def warm_up(function: ModelFunction, threads: int) -> Thread:
    """Import TensorFlow and load the model, in the background. What fails here fails again in `run`."""

    def warm() -> None:
        with suppress(Exception):
            with _loading:
                tensors.limit_threads(threads)
            load(function.spec)

    thread = Thread(target=warm, name=f"warm-up-{function.name}", daemon=True)
    thread.start()
    return thread


_loading: Final = Lock()


@lru_cache(maxsize=MODELS_KEPT)
def _load(spec: ModelSpec, stamp: tuple[int, ...]) -> Model:
    del stamp  # part of the key only
    return Model(spec)


def _shipped(spec: ModelSpec) -> str:
    """Where the model lies on a node that does not share the driver's disk."""
    from pyspark import SparkFiles

    path = Path(SparkFiles.get(spec.archive)) if spec.archive else Path(spec.path)
    if not (path / "saved_model.pb").exists():
        raise FileNotFoundError(f"there is no SavedModel in {path}")
    return str(path)


def _compiled(signature: Any, spec: ModelSpec) -> Any:
    """The signature as a function of its input buffers, giving the outputs as SQL wants them."""
    tf = tensors.tensorflow()

    def call(*buffers: Any) -> Any:
        named = {input_.name: _shaped(tf, buffer, input_) for input_, buffer in zip(spec.inputs, buffers, strict=True)}
        results = signature(**named)
        return tuple(_result(tf, results[output.name], output) for output in spec.outputs)

    rows = spec.batch if spec.exact else None
    shapes = [tf.TensorSpec([rows, *i.shape], tf.as_dtype(i.buffer), name=i.name) for i in spec.inputs]
    function = tf.function(call, input_signature=shapes, autograph=False, jit_compile=spec.compiled)
    return function.get_concrete_function()


def _result(tf: Any, result: Any, output: Output) -> Any:
    if output.argmax:
        result = tf.argmax(result, axis=-1, output_type=tf.int32)
    result = tf.cast(result, tf.as_dtype(output.buffer))
    is_column = output.scalar and not output.argmax and result.shape.rank != 1
    return tf.reshape(result, [-1]) if is_column else result


def _nothing(output: Output) -> Array:
    return np.empty((0, 0) if output.is_array else 0, output.buffer)


def _shaped(tf: Any, buffer: Any, input_: Input) -> Any:
    tensor = tf.cast(buffer, input_.dtype)
    return tensor if input_.cell == input_.shape else tf.reshape(tensor, [-1, *input_.cell])


def _taken(array: Array, kept: Array) -> Array:
    taken = tensors.allocate((len(kept), *array.shape[1:]), array.dtype)
    np.take(array, kept, axis=0, out=taken)
    return taken


def _scattered(values: Array, kept: Array, rows: int) -> Array:
    """Values for all rows: zeros, or empty texts, where there are none."""
    found = np.full((rows, *values.shape[1:]), b"" if values.dtype.hasobject else 0, values.dtype)
    found[kept] = values
    return found


def _filled(step: ModelStep, columns: Sequence[pa.Array], function: str) -> tuple[list[Array], int, Array | None]:
    """What the step runs on for some arguments, the number of rows, and which of them are not null."""
    length = len(columns[0])
    arrays: list[Array] = []
    oks: list[Array | None] = []
    for slot, buffer in zip(step.slots, step.allocate(length), strict=True):
        given = [columns[index] for index in slot.arguments]
        if slot.is_array:
            name = f"argument {slot.arguments.start + 1} of {function}: {slot.input.name}"
            matrix, ok = tensors.rows(given[0], slot.input.width, name)
            arrays.append(slot.of_arrays(matrix))
            oks.append(ok)
            continue
        oks += [tensors.validity(column) for column in given]
        if slot.input.is_text:
            arrays.append(slot.of_texts([tensors.texts(column) for column in given]))
            continue
        by_argument = buffer.reshape(len(buffer), slot.input.width)
        for index, column in enumerate(given):
            with np.errstate(over="ignore"):  # a double beyond the floats becomes infinite, as in Spark's cast
                by_argument[:length, index] = tensors.numbers(column)
        arrays.append(buffer)
    known = [ok for ok in oks if ok is not None]
    return arrays, length, np.logical_and.reduce(known) if known else None


def _as_arrow(step: ModelStep, values: Sequence[Array], ok: Array | None) -> pa.Array:
    """The function's results as one column."""
    if not step.spec.is_struct:
        return tensors.as_arrow(values[0], ok, step.outputs[0].element)
    fields = [tensors.as_arrow(v, None, output.element) for v, output in zip(values, step.outputs, strict=True)]
    missing = None if ok is None else pa.array(ok == 0)
    return pa.StructArray.from_arrays(fields, [output.label for output in step.outputs], mask=missing)


@cache
def _limit_to_task() -> None:
    """In one of Spark's Python workers, TensorFlow gets the cores of the task."""
    from pyspark import TaskContext

    task = TaskContext.get()
    if task is not None:
        tensors.limit_threads(task.cpus())
