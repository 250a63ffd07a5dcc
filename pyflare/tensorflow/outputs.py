"""What a model returns, as SQL sees it: which of its output tensors, under which names, in which types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pyflare.errors import Unsupported
from pyflare.tensorflow.spec import OUTPUT_TYPES, ModelSpec, Output
from pyflare.types import STRING, DataType, parse_type

_UNNAMED: Final = re.compile(r"output_(\d+)")


def choose(
    tensors: dict[str, Any], wanted: str | Sequence[str] | None, argmax: bool
) -> tuple[tuple[Output, ...], bool]:
    """The outputs of a signature that are `wanted`, by default all of them, and whether they make a struct.

    Raises ValueError or TypeError for tensors that have no place in SQL.
    """
    names = sorted(tensors, key=_place) if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    missing = [name for name in names if name not in tensors]
    if missing or not names:
        listed = ", ".join(sorted(tensors))
        raise ValueError(f"the model has no output {missing[0]!r}, only {listed}" if missing else "no output is wanted")
    is_struct = len(names) > 1 or (wanted is not None and not isinstance(wanted, str))
    if argmax and is_struct:
        raise ValueError(f"argmax needs one output, choose it: output= one of {', '.join(names)}")
    return tuple(_output(name, tensors[name], argmax) for name in names), is_struct


def _place(name: str) -> tuple[int, str]:
    """Sorts by name, and outputs without a name in their order."""
    unnamed = _UNNAMED.fullmatch(name)
    return (int(unnamed[1]), "") if unnamed else (0, name)


def _output(name: str, tensor: Any, argmax: bool) -> Output:
    if tensor.dtype.name not in OUTPUT_TYPES:
        raise TypeError(f"output {name} is a tensor of {tensor.dtype.name}, which has no SQL type: cast in the model")
    if tensor.shape.rank not in (1, 2):
        raise ValueError(f"output {name} has the shape {tensor.shape}: it must be [None], or [None, n]")
    scalar = tensor.shape.rank == 1 or tensor.shape[1] == 1
    if argmax and scalar:
        raise ValueError(f"argmax needs an array per row, and output {name} has the shape {tensor.shape}")
    if not scalar and OUTPUT_TYPES[tensor.dtype.name] == STRING:
        raise TypeError(f"output {name} is an array of strings: only a string per row has a SQL type here")
    return Output(name, tensor.dtype.name, scalar, argmax, label=name)


def declared(spec: ModelSpec, returns: Any) -> ModelSpec:
    """The description with results of the SQL type `returns`, a `pyspark.sql.types.DataType`.

    Raises ValueError where the model's outputs cannot be values of that type.
    """
    json = returns.jsonValue()
    if not isinstance(json, dict) or json["type"] != "struct":
        if spec.is_struct:
            names = ", ".join(output.name for output in spec.outputs)
            wanted = returns.simpleString()
            raise ValueError(f"the model returns a struct of {names}, and not {wanted}: choose one with output=")
        return replace(spec, outputs=(_typed(spec.outputs[0], json),))
    fields = {field["name"]: field["type"] for field in json["fields"]}
    outputs = _by_name_or_place(spec.outputs, list(fields))
    typed = (_typed(o, t) for o, t in zip(outputs, fields.values(), strict=True))
    return replace(
        spec, outputs=tuple(replace(o, label=name) for o, name in zip(typed, fields, strict=True)), is_struct=True
    )


def _by_name_or_place(outputs: Sequence[Output], names: Sequence[str]) -> list[Output]:
    known = {output.name: output for output in outputs}
    if set(names) <= set(known):
        return [known[name] for name in names]
    if len(names) == len(outputs) and (len(outputs) == 1 or all(_UNNAMED.fullmatch(name) for name in known)):
        return list(outputs)
    raise ValueError(f"the model's outputs are {', '.join(known)}, not {', '.join(names)}")


def _typed(output: Output, json: Any) -> Output:
    try:
        type_ = parse_type(json)
    except Unsupported as error:
        raise ValueError(f"output {output.name}: {error.reason}") from None
    element = type_.element or type_
    if (type_.element is not None) != output.is_array or not _converts(output.element, element):
        raise ValueError(f"output {output.name} is {output.type}, which is not converted to {type_}")
    return replace(output, declared=None if element == output.element else element)


def _converts(found: DataType, wanted: DataType) -> bool:
    """Whether TensorFlow's cast gives what SQL's would: not from fractions to integers, nor to narrower ones."""
    if found == wanted:
        return True
    if wanted.is_floating:
        return found.is_integral or found.is_floating or found.name == "boolean"
    if not wanted.is_integral:
        return False
    return found.name == "boolean" or (found.is_integral and found.storage.itemsize <= wanted.storage.itemsize)
