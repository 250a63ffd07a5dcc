"""Python functions: each becomes a function in the kernel's file."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from pyflare.codegen.kernel import UNSUPPORTED_ERROR, Function, Kernel, emits
from pyflare.codegen.values import Value
from pyflare.errors import NotCompiled, Unsupported
from pyflare.plan.expressions_python import PythonCall
from pyflare.python import values as python
from pyflare.python.result import Argument, translate
from pyflare.types import Kind

_COMPILED: Final = "from pyflare.runtime.compiled import compiled"


@emits(PythonCall)
def python_call(kernel: Kernel, expr: PythonCall) -> Value:
    """The function's result; a row that it cannot answer as Python would needs Spark."""
    values = [kernel.emit(argument) for argument in expr.arguments]
    key: Hashable = (expr, *((v.kind, v.ok == "False", v.nullable, v.low, v.high) for v in values))
    function = kernel.functions.get(key)
    if function is None:
        function = kernel.functions[key] = _function(kernel, expr, values)
        kernel.imports.add(_COMPILED)
    result, answer = kernel.writer.fresh(expr.chain.name), kernel.writer.fresh(f"{expr.chain.name}_is")
    kernel.line(f"{result}, {answer} = {function.name}({', '.join(_handed_over(values))})")
    kernel.fail_when(f"{answer} < 0", code=UNSUPPORTED_ERROR)
    ok = kernel.let(f"{result}_ok", f"{answer} == 1")
    if expr.type.kind is Kind.BOOL:
        return kernel.boolean(result, ok)
    return Value(expr.type, expr.type.kind, result, ok, function.low, function.high)


def _function(kernel: Kernel, expr: PythonCall, values: list[Value]) -> Function:
    chain, fresh = expr.chain, kernel.writer.fresh
    name = fresh(chain.name)
    arguments = [_argument(kernel, value, f"{chain.name}_{index}") for index, value in enumerate(values)]
    try:
        found = translate(name, chain.functions, arguments, expr.type, chain.arrow, fresh, kernel.use)
    except Unsupported as error:
        kind = NotCompiled if chain.required else Unsupported
        raise kind(f"the Python function {chain.name} is not compiled: {error.reason}", "PythonUDF") from None
    return Function(name, found.lines, found.low, found.high)


def _argument(kernel: Kernel, value: Value, hint: str) -> Argument:
    """An argument as the function sees it."""
    if value.ok == "False":
        return Argument(python.Nothing(), ())
    name = kernel.writer.fresh(hint)
    found = _scalar(value, name)
    if value.ok is None:
        return Argument(found, (name,))
    ok = kernel.writer.fresh(f"{hint}_ok")
    return Argument(python.Maybe(found, ok), (name, ok))


def _scalar(value: Value, name: str) -> python.Scalar:
    if value.kind is Kind.BOOL:
        return python.Bool(name)
    if value.kind is Kind.INT:
        return python.Int(name, *value.bounds)
    return python.Float(name)


def _handed_over(values: list[Value]) -> list[str]:
    codes = []
    for value in values:
        if value.ok != "False":
            codes.append(f"float64({value.code})" if value.kind is Kind.F32 else value.code)
            codes += [] if value.ok is None else [value.ok]
    return codes
