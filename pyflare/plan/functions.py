"""Python functions in Spark's plan: a registered TensorFlow model becomes a `Model`, anything else stays with Spark."""

from __future__ import annotations

import base64
from typing import Any

from pyflare.errors import Unsupported
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json, attribute
from pyflare.plan.translate import Translation, translates

_SCALAR_ARROW = (200, 250)  # PythonEvalType: scalar pandas functions, scalar Arrow functions


@translates("ArrowEvalPythonExec")
def arrow_eval_python(translation: Translation, node: Json) -> ops.Operator:
    """One `Model` for each function of the operator, over the columns of the one before."""
    operator = translation.child(node)
    for udf, result in zip(node["f"]["udfs"], node["f"]["resultAttrs"], strict=True):
        operator = _model(translation, node, udf, attribute(result), operator)
    return operator


def _model(translation: Translation, node: Json, udf: Json, result: Any, child: ops.Operator) -> ops.Operator:
    fields = udf["f"]
    if fields["evalType"] not in _SCALAR_ARROW:
        raise Unsupported("only registered TensorFlow models run in PyFlare", "PythonUDF")
    model = _registered_model(fields, int(translation.document["cores"]))
    args = translation.decoder.expressions(fields["children"])
    step = model.plan([arg.type for arg in args], result.type)
    return ops.Model(attrs=(*child.attrs, result), node=node["i"], child=child, args=args, step=step)


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
