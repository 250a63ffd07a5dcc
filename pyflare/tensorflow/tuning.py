"""How a model is called: rows per call, and whether XLA compiles it. Measured once, when the model is registered, and
kept in its description, so that every process of the application calls it in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any, Final

import numpy as np

from pyflare.tensorflow import tensors
from pyflare.tensorflow.models import Model
from pyflare.tensorflow.spec import Input, ModelSpec
from pyflare.tensorflow.tensors import Array
from pyflare.types import STRING

PROBE_ROWS: Final = 8192
"""Rows that a model is measured with."""

CALL_SECONDS: Final = 0.001
"""How long a call of a compiled model may take: it always computes a whole batch, also for ten rows."""

CHEAP_ROW_SECONDS: Final = 5e-6
"""Above this a row's time is spent inside matrix products and convolutions, which XLA does not make faster on CPUs."""

FEW_ROWS: Final = 64
FEW_SECONDS: Final = 0.002
"""A model that takes longer than this for a few rows is not measured with many."""

TRIALS: Final = 5

GAIN: Final = 0.8
"""Compiled and interpreted time, divided, at which compiling is worth it."""

BATCH_BYTES: Final = 32 * 2**20
"""Input of a call that is not compiled."""

COMPILED_ROWS: Final = (1024, 65536)
INTERPRETED_ROWS: Final = (1024, 262144)

# Operations that XLA computes row by row as TensorFlow does, up to last digits. Others may differ in more than that:
# XLA's gather does not check indices, its integer division does not fail, and it leaves out assertions.
_CALLS: Final = "Const Identity IdentityN NoOp PartitionedCall Placeholder ReadVariableOp StatefulPartitionedCall"
_LAYERS: Final = "BatchMatMulV2 BiasAdd FusedBatchNormV3 MatMul"
_ACTIVATIONS: Final = "Elu LeakyRelu LogSoftmax Relu Relu6 Selu Sigmoid Softmax Softplus Softsign Tanh"
_ARITHMETIC: Final = "Abs Add AddN AddV2 Ceil DivNoNan Floor Mul MulNoNan Neg RealDiv Reciprocal Round Sign Sub"
_FUNCTIONS: Final = "Cast ClipByValue Erf Exp Expm1 Log Log1p Maximum Minimum Pow Rsqrt Sqrt Square SquaredDifference"
_COMPARISONS: Final = "ArgMax ArgMin Equal Greater GreaterEqual IsNan Less LessEqual NotEqual Select SelectV2"
_SHAPES: Final = "BroadcastTo ConcatV2 ExpandDims OneHot Pack Reshape Shape Squeeze StridedSlice Transpose"
_REDUCTIONS: Final = "LogicalAnd LogicalNot LogicalOr Max Mean Min Prod Sum"
_KINDS: Final = (_CALLS, _LAYERS, _ACTIVATIONS, _ARITHMETIC, _FUNCTIONS, _COMPARISONS, _SHAPES, _REDUCTIONS)
_COMPILABLE: Final = frozenset(" ".join(_KINDS).split())


def tuned(spec: ModelSpec, batch_size: int | None, jit_compile: bool | None) -> ModelSpec:
    """The description with batch size and compilation decided, as asked for or by measuring."""
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be positive, not {batch_size}")
    if _has_texts(spec):
        if jit_compile:
            raise ValueError("XLA compiles no model that takes or returns strings")
        jit_compile = False
    if spec.exact:  # saved for a fixed number of rows
        return replace(spec, compiled=bool(jit_compile))
    compiled = _compiled_if_faster(spec) if jit_compile is None else _compiled(spec) if jit_compile else None
    if compiled is None:
        return replace(spec, batch=batch_size or _interpreted_batch(spec))
    return replace(compiled.spec, batch=batch_size or _compiled_batch(compiled))


def _has_texts(spec: ModelSpec) -> bool:
    return any(i.is_text for i in spec.inputs) or any(output.element == STRING for output in spec.outputs)


def _compiled(spec: ModelSpec) -> Model:
    return Model(replace(spec, compiled=True, exact=True, batch=PROBE_ROWS))


def _compiled_if_faster(spec: ModelSpec) -> Model | None:
    """The compiled model, if it is faster and its answers differ in last digits only."""
    interpreted = Model(spec)
    if not set(_operations(interpreted)) <= _COMPILABLE:
        return None
    try:
        return _faster(interpreted)
    except tensors.tensorflow().errors.OpError:  # the model does not take any number, or XLA not the model
        return None


def _faster(interpreted: Model) -> Model | None:
    spec = interpreted.spec
    if _seconds(interpreted, _probe(spec, FEW_ROWS)) > FEW_SECONDS:
        return None
    probe = _probe(spec, PROBE_ROWS)
    seconds = _seconds(interpreted, probe)
    if seconds > PROBE_ROWS * CHEAP_ROW_SECONDS:
        return None
    compiled = _compiled(spec)
    pays = _seconds(compiled, probe) < seconds * GAIN
    agree = all(map(_agree, compiled.predict(probe), interpreted.predict(probe)))
    return compiled if pays and agree else None


def _compiled_batch(compiled: Model) -> int:
    seconds = _seconds(compiled, _probe(compiled.spec, PROBE_ROWS))
    return _power_of_two(CALL_SECONDS * PROBE_ROWS / seconds, COMPILED_ROWS)


def _interpreted_batch(spec: ModelSpec) -> int:
    row = sum(input_.width * input_.buffer.itemsize for input_ in spec.inputs)
    return _power_of_two(BATCH_BYTES / row, INTERPRETED_ROWS)


def _power_of_two(rows: float, bounds: tuple[int, int]) -> int:
    low, high = bounds
    while low * 2 <= min(rows, high):
        low *= 2
    return low


def _operations(model: Model) -> Iterator[str]:
    """The kinds of operations in the model's graph and in the functions that it calls."""
    graph = model.graph.as_graph_def()
    nodes = [node for function in graph.library.function for node in function.node_def]
    for node in [*graph.node, *nodes]:
        truncates = node.op == "Cast" and _is_integral(node.attr["DstT"]) and not _is_integral(node.attr["SrcT"])
        yield "CastToInteger" if truncates else node.op


def _is_integral(attribute: Any) -> bool:
    return bool(tensors.tensorflow().as_dtype(attribute.type).is_integer)


def _probe(spec: ModelSpec, rows: int) -> list[Array]:
    return [_numbers(input_, rows) for input_ in spec.inputs]


def _numbers(input_: Input, rows: int) -> Array:
    """Normally distributed numbers for floating-point inputs, zeros for others, which may be indices."""
    numbers = tensors.allocate((rows, *input_.shape), input_.buffer)
    numbers[...] = np.random.default_rng(0).standard_normal(numbers.shape) if input_.buffer.kind == "f" else 0
    return numbers


def _seconds(model: Model, inputs: list[Array]) -> float:
    """The time of a call, the best of a few after the first."""
    model.predict(inputs)
    times = []
    for _ in range(TRIALS):
        start = perf_counter()
        model.predict(inputs)
        times.append(perf_counter() - start)
    return min(times)


def _agree(left: Array, right: Array) -> bool:
    if left.dtype.kind == "f":
        return np.allclose(left, right, rtol=1e-4, atol=1e-5, equal_nan=True)
    return bool(np.mean(left == right) > 0.999)
