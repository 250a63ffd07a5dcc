"""Python functions in Spark's plan.

A registered TensorFlow model becomes a `Model`, a plain function that can be compiled a `PythonCall`, a function of
whole columns a part of a `Vectorized`; anything else stays with Spark.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

import pyspark

from pyflare.errors import NotCompiled, Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json, attribute
from pyflare.plan.expressions import AttributeReference, Expr
from pyflare.plan.expressions_python import Chain, PythonCall
from pyflare.plan.translate import Translation, translates
from pyflare.plan.vectorized import evaluate, why_elsewhere
from pyflare.python.marks import is_required
from pyflare.python.result import SUPPORTED

_SCALAR_ARROW = (200, 250)  # PythonEvalType: scalar pandas functions, scalar Arrow functions
_BATCHED: Final = 100  # functions of a row's values, by pickle
_ARROW_BATCHED: Final = 101  # the same, by Arrow
_MAX_COMMAND: Final = 1 << 18
_FIRST_ID: Final = -(10**6)  # of results that only models see
_PROFILERS: Final = ("spark.sql.pyspark.udf.profiler", "spark.python.profile")
_PANDAS: Final = "spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled"


@translates("ArrowEvalPythonExec")
def arrow_eval_python(translation: Translation, node: Json) -> ops.Operator:
    """One `Model` for each model of the operator, over the columns of the one before, then all other functions."""
    if all(udf["f"]["evalType"] == _ARROW_BATCHED for udf in node["f"]["udfs"]):
        return batch_eval_python(translation, node)
    operator = child = translation.child(node)
    others: list[tuple[Json, Json]] = []
    for udf, result in zip(node["f"]["udfs"], node["f"]["resultAttrs"], strict=True):
        if _is_model(udf):
            operator = _model(translation, node, udf, result, operator)
        else:
            others.append((udf, result))
    if others:
        operator = evaluate(translation, node, others, operator)
    wanted = (*child.attrs, *translation.structs.all(node["f"]["resultAttrs"]))
    if operator.attrs == wanted:
        return operator
    columns = tuple(ops.Named(attr, attr) for attr in wanted)  # without what models hand to one another
    return ops.Project(attrs=wanted, node=node["i"], child=operator, columns=columns)


def _is_model(udf: Json) -> bool:
    """Whether a function, or one whose result it takes, seems to be a registered model."""
    if udf["e"] != "PythonUDF":
        return False
    command = udf["f"]["func"].get("f", {}).get("command", "")
    return b"pyflare.tensorflow" in base64.b64decode(command) or any(map(_is_model, udf["f"]["children"]))


def _model(translation: Translation, node: Json, udf: Json, result: Json, child: ops.Operator) -> ops.Operator:
    """A model over a child; below it, the models whose results are its arguments."""
    fields = udf["f"]
    if fields["evalType"] not in _SCALAR_ARROW:
        raise Unsupported("only registered TensorFlow models run in PyFlare", "PythonUDF")
    model = _registered_model(fields, int(translation.document["cores"]))
    arguments = []
    for argument in fields["children"]:
        if argument["e"] == "PythonUDF":
            inner, argument = argument, _between(argument, len(child.attrs))
            child = _model(translation, node, inner, argument, child)
        arguments.append(argument)
    args = translation.decoder.expressions(_elements(arguments, model.widths))
    results = translation.structs.made(result)
    step = model.plan([arg.type for arg in args], *(attr.type for attr in results))
    return ops.Model(attrs=(*child.attrs, *results), node=node["i"], child=child, args=args, step=step)


def _between(udf: Json, number: int) -> Json:
    """An attribute for the result of a model that another one takes."""
    fields = udf["f"]
    return {"e": "AttributeReference", "t": udf["t"], "n": True, "name": fields["name"], "id": _FIRST_ID - number}


def _elements(arguments: list[Json], widths: tuple[int, ...]) -> list[Json]:
    """The arguments, with its elements in place of an array that is made on the spot for a row of a matrix.

    A null among them makes the row null either way.
    """
    if len(arguments) != len(widths):
        return arguments
    made = [argument["e"] == "CreateArray" for argument in arguments]
    given = [a["f"]["children"] if is_made else [a] for a, is_made in zip(arguments, made, strict=True)]
    fits = all(1 < width == len(g) for g, is_made, width in zip(given, made, widths, strict=True) if is_made)
    return list(chain.from_iterable(given)) if fits else arguments


def _registered_model(fields: Json, threads: int) -> Any:
    """The model function behind a pickled command. Raises `Unsupported` for any other function."""
    command = fields["func"]["f"]["command"]
    if b"pyflare.tensorflow" not in base64.b64decode(command):
        raise Unsupported(f"the Python function {fields['name']} runs in Spark's Python workers", "PythonUDF")
    from pyspark.serializers import CloudPickleSerializer

    from pyflare.tensorflow.models import find_model, warm_up

    function, _ = CloudPickleSerializer().loads(base64.b64decode(command))
    model = find_model(function)
    if model is None:
        raise Unsupported(f"the Python function {fields['name']} runs in Spark's Python workers", "PythonUDF")
    warm_up(model, threads)
    return model


# Plain functions ------------------------------------------------------------------------------------------------------


@translates("BatchEvalPythonExec")
def batch_eval_python(translation: Translation, node: Json) -> ops.Operator:
    """The child's columns, and one for each function."""
    child = translation.child(node)
    columns = [ops.Named(attr, attr) for attr in child.attrs]
    for udf, json in zip(node["f"]["udfs"], node["f"]["resultAttrs"], strict=True):
        if json["t"] not in SUPPORTED:
            raise _refused(udf["f"], f"its declared type is {_type_name(json['t'])}")
        result = attribute(json)
        columns.append(ops.Named(result, _call(translation, udf, result)))
    attrs = tuple(column.attr for column in columns)
    return ops.Evaluate(attrs=attrs, node=node["i"], child=child, columns=tuple(columns))


def _type_name(json: Any) -> str:
    return str(json["type"] if isinstance(json, Mapping) else json)


def _call(translation: Translation, udf: Json, result: AttributeReference) -> Expr:
    """A function of a function is the two of them one after the other: Spark hands over what the inner one returns."""
    links = [udf["f"]]
    while [child["e"] for child in links[0]["children"]] == ["PythonUDF"]:
        links.insert(0, links[0]["children"][0]["f"])
    for link in links:
        _check(translation, link)
    arguments = translation.decoder.expressions(links[0]["children"])
    for argument in arguments:
        if argument.type.name not in (*SUPPORTED, "void"):
            raise _refused(links[0], f"an argument is of the type {argument.type}")
    chain = Chain(
        name="(".join(link["name"] for link in reversed(links)) + ")" * (len(links) - 1),
        commands=tuple(map(_command, links)),
        functions=tuple(map(_unpickled, links)),
        arrow=udf["f"]["evalType"] == _ARROW_BATCHED,
        required=any(is_required(_command(link)) for link in links),
    )
    return PythonCall(type=result.type, nullable=True, chain=chain, arguments=arguments)


def _check(translation: Translation, fields: Json) -> None:
    """Refuse a function for what Spark says of it."""
    conf = translation.conf
    if fields["evalType"] not in (_BATCHED, _ARROW_BATCHED):
        raise _refused(fields, "it is a function of whole columns")
    if not fields["udfDeterministic"]:
        raise _refused(fields, "it is declared nondeterministic")
    function = fields["func"].get("f")
    if function is None or function["broadcastVars"] or len(function["command"]) > _MAX_COMMAND:
        raise _refused(fields, "it reads broadcast variables, or is very large")
    elsewhere = why_elsewhere(function)
    if elsewhere is not None:
        raise _refused(fields, elsewhere)
    if fields["evalType"] == _ARROW_BATCHED and conf.get(_PANDAS, "false").lower() != "false":
        raise _refused(fields, f"{_PANDAS} is set")
    if fields["evalType"] == _ARROW_BATCHED and pyspark.__version__.startswith("4.0."):
        raise _refused(fields, "before Spark 4.1 its arguments go through pandas")
    if any(conf.get(profiler) for profiler in _PROFILERS):
        raise _refused(fields, "Spark's profiler watches it")


def _command(fields: Json) -> bytes:
    return base64.b64decode(fields["func"]["f"]["command"])


def _unpickled(fields: Json) -> Any:
    from pyspark.serializers import CloudPickleSerializer

    try:
        return CloudPickleSerializer().loads(_command(fields))[0]
    except Exception as error:  # whatever the user's modules raise
        raise _refused(fields, f"it cannot be loaded here: {type(error).__name__}: {error}") from None


def _refused(fields: Json, cause: str) -> Unsupported:
    """Why a function is not compiled. Where it has to be, the query fails."""
    required = "f" in fields["func"] and is_required(_command(fields))
    kind = NotCompiled if required else Unsupported
    return kind(f"the Python function {fields['name']} is not compiled: {cause}", "PythonUDF")
