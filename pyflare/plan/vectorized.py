"""Python functions of whole columns in Spark's plan: what they are called with, and which need Spark's workers."""

from __future__ import annotations

import base64
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pyflare.errors import Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json, attribute
from pyflare.plan.expressions import Expr
from pyflare.plan.translate import Translation, inside, is_repartitioned, translates
from pyflare.types import DataType
from pyflare.vectorized.functions import MAPS, SCALAR, Call, Functions
from pyflare.vectorized.pace import why_left

_MAX_COMMAND: Final = 1 << 20
_NO_LIMIT: Final = 1 << 30  # rows
_OWN_BATCH_ROWS: Final = 131_072  # of functions that are PyFlare's, to which the size of a batch is all the same
_BATCH_ROWS: Final = "spark.sql.execution.arrow.maxRecordsPerBatch"
_LARGE_TYPES: Final = "spark.sql.execution.arrow.useLargeVarTypes"
_WATCHING: Final = (
    "spark.sql.pyspark.udf.profiler",
    "spark.sql.pyspark.worker.logging.enabled",
)
_MENTIONS: Final = {
    b"_deserialize_accumulator": "it adds to an accumulator",
    b"SparkFiles": "it reads files that Spark has distributed",
    b"BarrierTaskContext": "it waits for other tasks",
}
"""Names that show in a pickled function."""
_MAY_KEEP: Final = (
    "what it keeps from batch to batch depends on Spark's partitions "
    "(spark.pyflare.python.vectorized=true says that it keeps nothing)"
)


def evaluate(
    translation: Translation, node: Json, calls_and_results: Sequence[tuple[Json, Json]], child: ops.Operator
) -> ops.Operator:
    """The functions of an operator that have a result for each row, over the child's rows."""
    args: list[Expr] = []
    udfs, results = zip(*calls_and_results, strict=True)
    calls = tuple(chained(translation, udf, args) for udf in udfs)
    made = tuple(attr for result in results for attr in translation.structs.made(result, marked=True))
    attrs = (*child.attrs, *made)
    functions = functions_of(translation, udfs, calls, SCALAR)
    return ops.Vectorized(attrs=attrs, node=node["i"], child=child, args=tuple(args), functions=functions, results=made)


@translates("MapInPandasExec", "MapInArrowExec")
def map_in_batches(translation: Translation, node: Json) -> ops.Operator:
    """A function that makes rows of its own out of all columns of the child."""
    fields = node["f"]["func"]["f"]
    keeps_nothing = getattr(check_function(translation, fields), "keeps_nothing", False)
    if node["f"]["isBarrier"] or node["f"]["profile"] is not None:
        raise refused(fields, "it runs in barrier mode, or with resources of its own")
    if is_repartitioned(inside(node["ch"][0])):
        raise refused(fields, "its input is partitioned for it")
    if translation.config.python_vectorized == "auto" and not keeps_nothing:
        raise refused(fields, _MAY_KEEP)
    child = translation.child(node)
    args = tuple(attribute(json) for json in node["ch"][0]["out"])
    if not args:
        raise refused(fields, "its input has no columns")
    for arg in args:
        check_type(fields, arg.type)
    made = tuple(attribute(json) for json in node["out"])
    call = Call(fields["name"], (pickled(fields),), ((0, None),))
    functions = functions_of(translation, [node["f"]["func"]], (call,), MAPS)
    if keeps_nothing:
        functions = replace(functions, batch_rows=max(functions.batch_rows, _OWN_BATCH_ROWS))
    return ops.Vectorized(attrs=made, node=node["i"], child=child, args=args, functions=functions, results=made)


def chained(translation: Translation, udf: Json, args: list[Expr]) -> Call:
    """A function, or a function of a function, which gets what the inner one returns as it is.

    Arguments that are not there yet join `args`.
    """
    links = [udf["f"]]
    while [child["e"] for child in links[0]["children"]] == ["PythonUDF"]:
        links.insert(0, links[0]["children"][0]["f"])
    for link in links:
        check_function(translation, link)
    if not links[0]["children"]:
        raise refused(links[0], "it has no arguments")
    arguments = tuple(_argument(translation, links[0], json, args) for json in links[0]["children"])
    name = "(".join(link["name"] for link in reversed(links)) + ")" * (len(links) - 1)
    return Call(name, tuple(map(pickled, links)), arguments)


def _argument(translation: Translation, fields: Json, json: Json, args: list[Expr]) -> tuple[int, str | None]:
    name = None
    if json["e"] == "NamedArgumentExpression":
        name, json = json["f"]["key"], json["f"]["value"]
    arg = translation.decoder.expression(json)
    check_type(fields, arg.type)
    if arg not in args:
        args.append(arg)
    return args.index(arg), name


def check_type(fields: Json, type_: DataType) -> None:
    """Refuse a function for the type of an argument."""
    if type_.fields or type_.name.startswith("interval"):
        raise refused(fields, f"an argument is of the type {type_}")


def functions_of(
    translation: Translation, udfs: Sequence[Json], calls: tuple[Call, ...], kinds: tuple[int, ...]
) -> Functions:
    """The functions of an operator, which are of one kind. Raises `Unsupported` if they have been left to Spark."""
    fields = udfs[0]["f"]
    if fields["evalType"] not in kinds:
        raise refused(fields, "functions of this kind are not supported")
    conf = tuple((str(key), str(value)) for key, value in fields["conf"]["m"])
    if dict(conf).get(_LARGE_TYPES) == "true":
        raise refused(fields, f"{_LARGE_TYPES} is set")
    rows = int(translation.conf.get(_BATCH_ROWS, "10000"))
    paced = translation.config.python_vectorized == "auto"
    functions = Functions(fields["evalType"], calls, conf, rows if rows > 0 else _NO_LIMIT, paced)
    reason = why_left(functions)
    if reason is not None:
        raise Unsupported(reason, "PythonUDF")
    return functions


# What needs a worker of Spark's ---------------------------------------------------------------------------------------


def check_function(translation: Translation, fields: Json) -> Any:
    """Refuse a function for what Spark says of it, or what shows in it; returns it."""
    if translation.config.python_vectorized == "false":
        raise refused(fields, "spark.pyflare.python.vectorized is false")
    if not fields["udfDeterministic"]:
        raise refused(fields, "it is declared nondeterministic")
    for setting in _WATCHING:
        if translation.conf.get(setting, "false") not in ("", "false"):
            raise refused(fields, f"{setting} is set")
    function = fields["func"].get("f")
    if function is None or function["broadcastVars"] or len(function["command"]) > _MAX_COMMAND:
        raise refused(fields, "it reads broadcast variables, or is very large")
    elsewhere = why_elsewhere(function)
    if elsewhere is None and not _is_this_python(function["pythonExec"]):
        elsewhere = f"it runs in {function['pythonExec']}, and PyFlare in {sys.executable}"
    if elsewhere is not None:
        raise refused(fields, elsewhere)
    return _checked_content(fields)


def why_elsewhere(function: Json) -> str | None:
    """Why a function may mean something else in Spark's workers; None if it does not."""
    here = ".".join(platform.python_version_tuple()[:2])
    if function["pythonIncludes"]:
        return "it was sent with files of Python code (addPyFile, --py-files)"
    if function["pythonVer"] != here:
        return f"it was made by Python {function['pythonVer']}, and PyFlare runs in {here}"
    for name, value in function["envVars"]["m"]:
        if os.environ.get(name) != value:
            return f"Spark's workers have {name} set in their environment"
    return None


def _is_this_python(executable: str) -> bool:
    """Whether an executable starts this interpreter in this environment: the same file, from the same directory."""
    found = shutil.which(executable)
    return found is not None and _place(found) == _place(sys.executable)


def _place(executable: str) -> tuple[Path, Path]:
    path = Path(executable)
    return path.resolve(), path.parent.resolve()


def _checked_content(fields: Json) -> Any:
    command = pickled(fields)
    for name, what in _MENTIONS.items():
        if name in command:
            raise refused(fields, what)
    from pyspark.serializers import CloudPickleSerializer

    try:
        function, _ = CloudPickleSerializer().loads(command)
    except Exception as error:  # whatever the user's modules raise
        raise refused(fields, f"it cannot be loaded here: {type(error).__name__}: {error}") from None
    return function


def pickled(fields: Json) -> bytes:
    """The function as Spark has it."""
    return base64.b64decode(fields["func"]["f"]["command"])


def refused(fields: Json, cause: str) -> Unsupported:
    """Why Spark has to call a function."""
    return Unsupported(f"the Python function {fields['name']} runs in Spark's workers: {cause}", "PythonUDF")
