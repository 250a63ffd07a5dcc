"""Mathematical functions of doubles. Spark calls Java's `StrictMath`, whose results are defined to the last bit.

`sin`, `cos` and `tan`, which Spark takes from `Math`, are an exception: what they give depends on the machine code that
the JVM has for them. They stay with Spark.
"""

from __future__ import annotations

from typing import Final

from pyflare.codegen.kernel import Kernel, conjunction, emits, null_value
from pyflare.codegen.values import Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_math as m
from pyflare.types import Kind

_FUNCTIONS: Final[dict[type[e.Expr], str]] = {
    m.Sqrt: "functions.sqrt",
    m.Cbrt: "fdlibm_powers.cbrt",
    m.Exp: "fdlibm.exp",
    m.Expm1: "fdlibm.expm1",
    m.Signum: "functions.signum",
    m.Rint: "functions.rint",
    m.ToDegrees: "functions.to_degrees",
    m.ToRadians: "functions.to_radians",
    m.Sinh: "fdlibm.sinh",
    m.Cosh: "fdlibm.cosh",
    m.Tanh: "fdlibm.tanh",
    m.Asin: "fdlibm_angles.asin",
    m.Acos: "fdlibm_angles.acos",
    m.Atan: "fdlibm_angles.atan",
    m.Asinh: "functions.asinh",
    m.Acosh: "functions.acosh",
    m.Atanh: "functions.atanh",
    m.Pow: "fdlibm_powers.strict_pow",
    m.Hypot: "fdlibm_powers.hypot",
    m.Atan2: "functions.atan2",
}

_LOGARITHMS: Final[dict[type[e.Expr], tuple[str, float]]] = {
    m.Log: ("fdlibm.log", 0.0),
    m.Log2: ("functions.log2", 0.0),
    m.Log10: ("fdlibm.log10", 0.0),
    m.Log1p: ("fdlibm.log1p", -1.0),
}


@emits(*_FUNCTIONS)
def function(kernel: Kernel, expr: e.Expr) -> Value:
    """A function that is null only where an argument is."""
    values = [kernel.emit(child) for child in expr.children]
    arguments = ", ".join(value.code for value in values)
    code = kernel.let(expr.name, f"{kernel.use(_FUNCTIONS[type(expr)])}({arguments})")
    return Value(expr.type, Kind.F64, code, kernel.all_ok(*values))


@emits(*_LOGARITHMS)
def logarithm(kernel: Kernel, expr: e.Unary) -> Value:
    """Null where the logarithm is not defined; the logarithm of NaN is NaN."""
    value = kernel.emit(expr.child)
    name, bottom = _LOGARITHMS[type(expr)]
    ok = kernel.let("ok", conjunction(value.ok, f"not {value.code} <= {bottom}"))
    return Value(expr.type, Kind.F64, kernel.let("log", f"{kernel.use(name)}({value.code})"), ok)


@emits(m.Logarithm)
def logarithm_to_base(kernel: Kernel, expr: m.Logarithm) -> Value:
    """The quotient of two natural logarithms."""
    base, value = kernel.emit(expr.left), kernel.emit(expr.right)
    ok = conjunction(kernel.all_ok(base, value), f"not {base.code} <= 0.0", f"not {value.code} <= 0.0")
    log = kernel.use("fdlibm.log")
    code = kernel.let("log", f"{log}({value.code}) / {log}({base.code})")
    return Value(expr.type, Kind.F64, code, kernel.let("ok", ok))


@emits(m.Sin, m.Cos, m.Tan, m.Cot, m.Sec, m.Csc)
def machine_dependent(_kernel: Kernel, expr: e.Unary) -> Value:
    raise Unsupported("the last digit of Java's result depends on the JVM", expr.name)


_FACTORIALS: Final = 20


@emits(m.Factorial)
def factorial(kernel: Kernel, expr: m.Factorial) -> Value:
    """Null outside of 0 to 20."""
    value = kernel.emit(expr.child)
    ok = kernel.let("ok", conjunction(value.ok, f"0 <= {value.code} <= {_FACTORIALS}"))
    code = kernel.let("product", f"{kernel.use('functions.factorial')}({value.code})")
    return Value(expr.type, Kind.INT, code, ok, 1, 2432902008176640000)


@emits(m.WidthBucket)
def width_bucket(kernel: Kernel, expr: m.WidthBucket) -> Value:
    """The bucket of a histogram with equal buckets; null where the histogram makes no sense."""
    values = [kernel.emit(child) for child in expr.children]
    ok = kernel.all_ok(*values)
    if ok == "False":
        return null_value(expr.type)
    arguments = ", ".join(value.code for value in values)
    code = kernel.let("bucket", f"{kernel.use('functions.width_bucket')}({arguments})")
    return Value(expr.type, Kind.INT, code, kernel.let("ok", conjunction(ok, f"{code} != -1")))
