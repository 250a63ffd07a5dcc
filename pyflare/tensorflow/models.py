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
from pyflare.types import BOOLEAN, DataType, array_of

MODELS_KEPT: Final = 16
"""Models that a process keeps loaded."""


@dataclass(frozen=True)
class Slot:
    """One input buffer: `dtype`, and `()` or `(width,)` as the shape of a row. `arguments` fill it, one number each,
    or all at once from a single array argument."""

    input: Input
    arguments: range

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.input.buffer

    @property
    def shape(self) -> tuple[int, ...]:
        return self.input.shape


@dataclass(frozen=True)
class ModelStep:
    """A model bound to its arguments: fill the buffers of `allocate`, then `run`.

    A row is not null when none of its arguments is; the model sees no other rows. The values are one `type` each, or
    arrays of them when `is_array` (a matrix with one row each).
    """

    spec: ModelSpec
    slots: tuple[Slot, ...]

    @property
    def type(self) -> DataType:
        return self.spec.output.type

    @property
    def is_array(self) -> bool:
        return self.spec.output.is_array

    @property
    def batch(self) -> int:
        """The number of rows per call of the model: the best size for a buffer that is used again and again."""
        return self.spec.batch

    def allocate(self, rows: int) -> list[Array]:
        """One buffer per slot, for at least `rows` rows: what lies beyond them belongs to `run`."""
        spare = -rows % self.spec.batch if self.spec.exact else 0
        return [tensors.allocate((rows + spare, *slot.shape), slot.dtype) for slot in self.slots]

    def run(self, arrays: Sequence[Array], rows: int, ok: Array | None = None) -> tuple[Array, Array | None]:
        """The model's values for the first `rows` rows of the buffers, in new memory, and which of them are not null.

        `ok` has one byte a row, 0 where an argument is null; those rows are left out of the buffers given to the model.
        """
        model = load(self.spec)
        if ok is None or bool(ok[:rows].all()):
            return model.values(arrays, rows), None
        kept = np.flatnonzero(ok[:rows])
        found = model.values([_taken(array, kept) for array in arrays], len(kept))
        values = np.zeros((rows, *found.shape[1:]), found.dtype)
        values[kept] = found
        return values, ok[:rows]


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
            return self(*(pa.Array.from_pandas(column) for column in columns)).to_pandas()
        try:
            step = self._bind([tensors.sql_type(c.type) for c in columns], [tensors.is_nested(c.type) for c in columns])
        except Unsupported as error:
            raise TypeError(error.reason) from None
        _limit_to_task()
        values, ok = step.run(*_filled(step, columns))
        return tensors.as_arrow(values, ok, step.type)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many numbers a row gives to each input."""
        return tuple(input_.width for input_ in self.spec.inputs)

    def plan(self, types: Sequence[DataType], return_type: DataType) -> ModelStep:
        """The step for arguments of those types. Raises Unsupported, with what is wrong, for others."""
        step = self._bind(types, [False] * len(types))
        returned = array_of(step.type) if step.is_array else step.type
        if returned != return_type:
            raise Unsupported(f"{self} returns {returned}, not {return_type}", "PythonUDF")
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
        whole = len(slot.arguments) < slot.input.width
        for index in slot.arguments:
            if nested[index] == whole and slot.input.accepts(types[index]):
                continue
            given = f"array<{types[index]}>" if nested[index] else str(types[index])
            message = f"argument {index + 1} of {self} feeds a tensor of {slot.input.dtype} and cannot be {given}"
            raise Unsupported(f"{message}: cast it", "PythonUDF")


class Model:
    """A loaded model and the compiled call: buffers in, one array out."""

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

    def predict(self, inputs: Sequence[Array]) -> Array:
        """The values of one batch: a read-only view of the tensor that the model returns.

        Aligned, writable, row-major inputs reach TensorFlow without a copy.
        """
        result = tensors.as_array(self._call(*[tensors.as_tensor(array) for array in inputs]))
        if len(result) != len(inputs[0]):
            raise ValueError(f"the model in {self.spec.path} returned {len(result)} rows for {len(inputs[0])}")
        return result

    def values(self, arrays: Sequence[Array], rows: int) -> Array:
        """The values of the first `rows` rows, in new memory: a model may return its input, which is used again."""
        found: Array | None = None
        for start in range(0, rows, self.spec.batch):
            stop = min(start + self.spec.batch, rows)
            part = self.predict([self._piece(array, start, stop) for array in arrays])[: stop - start]
            if found is None:
                found = np.empty((rows, *part.shape[1:]), part.dtype)
            found[start:stop] = part
        return self._nothing() if found is None else found

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

    def _nothing(self) -> Array:
        output = self.spec.output
        return np.empty((0, 0) if output.is_array else 0, _result_dtype(output))


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
    """The signature as a function of its input buffers, giving the one output as SQL wants it."""
    tf = tensors.tensorflow()
    output = spec.output

    def call(*buffers: Any) -> Any:
        named = {input_.name: _shaped(tf, buffer, input_) for input_, buffer in zip(spec.inputs, buffers, strict=True)}
        result = signature(**named)[output.name]
        if output.argmax:
            return tf.argmax(result, axis=-1, output_type=tf.int32)
        result = tf.cast(result, _result_dtype(output))
        return tf.reshape(result, [-1]) if output.scalar and result.shape.rank != 1 else result

    rows = spec.batch if spec.exact else None
    shapes = [tf.TensorSpec([rows, *input_.shape], input_.buffer, name=input_.name) for input_ in spec.inputs]
    function = tf.function(call, input_signature=shapes, autograph=False, jit_compile=spec.compiled)
    return function.get_concrete_function()


def _result_dtype(output: Output) -> np.dtype[Any]:
    return np.dtype(np.bool_) if output.type == BOOLEAN else output.type.storage


def _shaped(tf: Any, buffer: Any, input_: Input) -> Any:
    tensor = tf.cast(buffer, input_.dtype)
    return tensor if input_.cell == input_.shape else tf.reshape(tensor, [-1, *input_.cell])


def _taken(array: Array, kept: Array) -> Array:
    taken = tensors.allocate((len(kept), *array.shape[1:]), array.dtype)
    np.take(array, kept, axis=0, out=taken)
    return taken


def _filled(step: ModelStep, columns: Sequence[pa.Array]) -> tuple[list[Array], int, Array | None]:
    """The step's buffers with the arguments in them, the number of rows, and which of them are not null."""
    length = len(columns[0])
    buffers = step.allocate(length)
    oks = []
    for slot, buffer in zip(step.slots, buffers, strict=True):
        given = [columns[index] for index in slot.arguments]
        if len(given) < slot.input.width:
            buffer[:length], ok = tensors.rows(given[0], slot.input.width, slot.input.name)
            oks.append(ok)
            continue
        by_argument = buffer.reshape(len(buffer), slot.input.width)
        for index, column in enumerate(given):
            with np.errstate(over="ignore"):  # a double beyond the floats becomes infinite, as in Spark's cast
                by_argument[:length, index] = tensors.numbers(column)
            oks.append(tensors.validity(column))
    known = [ok for ok in oks if ok is not None]
    return buffers, length, np.logical_and.reduce(known) if known else None


@cache
def _limit_to_task() -> None:
    """In one of Spark's Python workers, TensorFlow gets the cores of the task."""
    from pyspark import TaskContext

    task = TaskContext.get()
    if task is not None:
        tensors.limit_threads(task.cpus())
