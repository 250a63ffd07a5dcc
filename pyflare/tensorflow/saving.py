"""A model of any kind as a SavedModel with one signature, whose inputs are named in the order of the SQL arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyflare.tensorflow.tensors import tensorflow

SIGNATURE: Final = "serving_default"

_NAME: Final = re.compile(r"(?!keras_tensor)[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class _Callable:
    """A model as a function of tensors: what to call, with what, and what must be saved along with it."""

    call: Callable[..., Any]
    inputs: tuple[Any, ...]
    owner: Any


def save(model: Any, path: Path, inputs: Sequence[Any] | None) -> tuple[str, ...]:
    """Save a Keras model, tf.Module or function of tensors. Returns the names of its inputs, in order.

    `inputs` (tf.TensorSpec each, or a dtype for a plain column) is for models that do not say what they take. Raises
    TypeError for what is not a model, ValueError where inputs are not known.
    """
    tf = tensorflow()
    found = _callable(tf, model, None if inputs is None else tuple(_spec(tf, given) for given in inputs))
    names = _names(found.inputs)
    specs = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for spec, name in zip(found.inputs, names, strict=True)]
    serve = tf.function(lambda *tensors: _named(tf, found.call(*tensors)), input_signature=specs, autograph=False)
    signature = serve.get_concrete_function()
    saved = tf.Module()
    saved.model = found.owner
    saved.variables_used = list(signature.graph.variables)
    tf.saved_model.save(saved, str(path), signatures={SIGNATURE: signature})
    return names


def _callable(tf: Any, model: Any, inputs: tuple[Any, ...] | None) -> _Callable:
    if isinstance(model, tf.keras.Model):
        return _keras(tf, model, inputs)
    if not callable(model):
        raise TypeError(
            f"a model is a Keras model, a tf.Module with __call__, a function of tensors or the path of a SavedModel, "
            f"not {type(model).__name__}"
        )
    function = model.__call__ if isinstance(model, tf.Module) else model
    specs = inputs or getattr(function, "input_signature", None)
    if not specs:
        raise ValueError(
            "it is not known what the model takes: give its inputs, such as "
            "inputs=[tf.TensorSpec([None, 4], tf.float32)], or use @tf.function(input_signature=…)"
        )
    owner = model if isinstance(model, tf.Module) or hasattr(model, "input_signature") else None
    return _Callable(function, tuple(specs), owner)


def _keras(tf: Any, model: Any, inputs: tuple[Any, ...] | None) -> _Callable:
    """A Keras model takes one tensor, or a list or dict of them, as it was built."""
    known = inputs or getattr(model, "inputs", None)
    if not known:
        raise ValueError(
            "the Keras model does not know its input yet: build it with a keras.Input, or give its inputs, such as "
            "inputs=[tf.TensorSpec([None, 4], tf.float32)]"
        )
    names = tuple(getattr(model, "output_names", None) or ())

    def call(given: Any) -> Any:
        result = model(given, training=False)
        named = isinstance(result, list | tuple) and len(result) == len(set(names)) > 1
        return dict(zip(names, result, strict=True)) if named else result

    structure = getattr(model, "input", None)
    if inputs is None and isinstance(structure, dict):
        specs = tuple(tf.TensorSpec(t.shape, t.dtype, name=name) for name, t in structure.items())
        return _Callable(lambda *tensors: call(dict(zip(structure, tensors, strict=True))), specs, model)
    specs = tuple(tf.TensorSpec(t.shape, t.dtype, name=t.name) for t in known)
    if len(specs) == 1:
        return _Callable(call, specs, model)
    return _Callable(lambda *tensors: call(list(tensors)), specs, model)


def _spec(tf: Any, given: Any) -> Any:
    return given if isinstance(given, tf.TensorSpec) else tf.TensorSpec([None], tf.as_dtype(given))


def _names(specs: Sequence[Any]) -> tuple[str, ...]:
    """The specs' own names where each has one that somebody chose and they differ, else made-up ones."""
    names = tuple(spec.name or "" for spec in specs)
    if len(set(names)) == len(names) and all(_NAME.fullmatch(name) for name in names):
        return names
    return ("x",) if len(specs) == 1 else tuple(f"x{index}" for index in range(len(specs)))


def _named(tf: Any, outputs: Any) -> dict[str, Any]:
    """Outputs by name: a signature has no other kind."""
    if isinstance(outputs, dict):
        return {str(name): tensor for name, tensor in outputs.items()}
    flat = tf.nest.flatten(outputs)
    return {"output": flat[0]} if len(flat) == 1 else {f"output_{index}": tensor for index, tensor in enumerate(flat)}
