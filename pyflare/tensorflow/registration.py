"""`register`: a TensorFlow model becomes a SQL function, in plain Spark and in the backend alike."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql.types import _parse_datatype_string

from pyflare.tensorflow.models import ModelFunction
from pyflare.tensorflow.outputs import choose, declared
from pyflare.tensorflow.saving import SIGNATURE, save
from pyflare.tensorflow.spec import INPUT_DTYPES, Input, ModelSpec
from pyflare.tensorflow.tensors import tensorflow
from pyflare.tensorflow.tuning import tuned

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MODELS: Final = "pyflare-models"
_ON_THIS_MACHINE: Final = re.compile(r"local(\[.*\])?")


def register(
    spark: SparkSession,
    name: str,
    model: Any,
    *,
    inputs: Sequence[Any] | None = None,
    output: str | Sequence[str] | None = None,
    argmax: bool = False,
    returns: Any = None,
    signature: str = SIGNATURE,
    batch_size: int | None = None,
    jit_compile: bool | None = None,
) -> Any:
    """Make a model the SQL function `name` of this session. Returns it as a function of columns for DataFrames.

    The function has one argument per number of a row's input: a model of one `[None, 4]` matrix has four, one of two
    `[None]` tensors two. An array column may stand for the row of a matrix, and becomes the tensor as a whole. Strings
    and binaries feed tensors of strings. The function returns a number, a text or an array of numbers, in the type of
    the output tensor, or a struct of them where the model has several outputs. A row with a null argument gives null,
    and the model does not see it.

    Args:
        spark: the session.
        name: the function's name in SQL.
        model: a Keras model, a `tf.Module` with `__call__`, a function of tensors, or the directory of a SavedModel,
            which is used where it is. The others are saved once, into a directory that the application removes.
        inputs: the inputs in the order of the SQL arguments. For a SavedModel their names, needed if there are several;
            for a model that does not say what it takes a `tf.TensorSpec` each, or a dtype for a plain column.
        output: the name of the output to use, or names for a struct of some; by default all of them.
        argmax: return the index of the largest number instead of the array: the class that a classifier found.
        returns: the SQL type of the results (a DDL text or a `DataType`) instead of the one that follows from the
            tensors: values are converted to it. A struct's fields are the outputs of these names, or, where outputs
            have no names, in their order.
        signature: the signature of a SavedModel.
        batch_size: rows per call; measured by default.
        jit_compile: whether XLA compiles the model; by default if that is faster and changes last digits only.

    Raises:
        TypeError: `model` is no model, or a tensor has no SQL type.
        ValueError: the model cannot be a SQL function as it is; the message says why and what to do.
    """
    if isinstance(model, str | os.PathLike):
        path, order = Path(model).expanduser().resolve(), inputs
    else:
        path = _models_directory(spark) / f"{re.sub(r'[^0-9A-Za-z]+', '-', name)}-{uuid.uuid4().hex[:12]}"
        order = save(model, path, inputs)
    spec = describe(path, signature, order, output, argmax)
    if returns is not None:
        spec = declared(spec, _parse_datatype_string(returns) if isinstance(returns, str) else returns)
    spec = tuned(spec, batch_size, jit_compile)
    function = ModelFunction(name, _sent_to_nodes(spark, spec))
    return spark.udf.register(name, _vectorized(function))


def describe(
    path: Path, signature: str, order: Sequence[str] | None, output: str | Sequence[str] | None, argmax: bool
) -> ModelSpec:
    """What a saved signature takes and returns. Raises ValueError or TypeError if it cannot be a SQL function."""
    if not (path / "saved_model.pb").is_file():
        raise ValueError(f"{path} is not the directory of a SavedModel")
    found = _loaded(path).signatures
    if signature not in found:
        raise ValueError(f"the SavedModel in {path} has no signature {signature!r}, only {_listed(found)}")
    tensors = found[signature].structured_input_signature[1]
    inputs = tuple(_input(name, tensors[name]) for name in _ordered(tensors, order))
    rows = {tensor.shape[0] for tensor in tensors.values()} - {None}
    outputs, is_struct = choose(found[signature].structured_outputs, output, argmax)
    spec = ModelSpec(str(path), signature, inputs, outputs, is_struct)
    return replace(spec, batch=rows.pop(), exact=True) if rows else spec


def _loaded(path: Path) -> Any:
    try:
        return tensorflow().saved_model.load(str(path))
    except Exception as error:  # whatever TensorFlow makes of a damaged file
        raise ValueError(f"the SavedModel in {path} cannot be loaded: {error}") from error


def _ordered(tensors: dict[str, Any], order: Sequence[str] | None) -> Sequence[str]:
    if order is None and len(tensors) == 1:
        return list(tensors)
    if order is None or sorted(map(str, order)) != sorted(tensors):
        raise ValueError(f"name the model's inputs in the order of the SQL arguments: inputs={sorted(tensors)}")
    return order


def _input(name: str, tensor: Any) -> Input:
    if tensor.dtype.name not in INPUT_DTYPES:
        raise TypeError(
            f"input {name} is a tensor of {tensor.dtype.name}, which no SQL column feeds: cast in the model"
        )
    if tensor.shape.rank is None or tensor.shape.rank == 0 or None in tensor.shape[1:]:
        raise ValueError(f"input {name} has the shape {tensor.shape}: it must be [None], or [None, n] with n known")
    return Input(name, tensor.dtype.name, tuple(tensor.shape[1:]))


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))


def _vectorized(function: ModelFunction) -> Any:
    """An Arrow function, which tells null from NaN; a pandas function, which takes NaN for null, in Spark 4.0."""
    from pyspark.sql import functions

    vectorized = getattr(functions, "arrow_udf", functions.pandas_udf)
    return vectorized(function, function.spec.sql_type)


def _models_directory(spark: SparkSession) -> Path:
    """Where this application's models are saved: in Spark's own scratch directory, which goes away with the JVM."""
    if hasattr(spark, "sparkContext"):
        return Path(spark.sparkContext._temp_dir) / _MODELS
    directory = tempfile.mkdtemp(prefix=f"{_MODELS}-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


def _sent_to_nodes(spark: SparkSession, spec: ModelSpec) -> ModelSpec:
    """The same model, sent to the nodes of a cluster, which do not share the driver's disk."""
    if not hasattr(spark, "sparkContext") or _ON_THIS_MACHINE.fullmatch(spark.sparkContext.master):
        return spec
    archive = f"pyflare-model-{uuid.uuid4().hex[:12]}"
    packed = shutil.make_archive(str(_models_directory(spark) / archive), "zip", spec.path)
    spark.sparkContext.addArchive(f"{packed}#{archive}")
    return replace(spec, archive=archive)
