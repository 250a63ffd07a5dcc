"""Java methods that Spark calls by name (`StaticInvoke`, `Invoke`), those that are known here."""

from __future__ import annotations

from collections.abc import Callable

from pyflare.codegen.expressions.strings import called
from pyflare.codegen.expressions.texts import from_helper
from pyflare.codegen.kernel import Kernel, conjunction, emits
from pyflare.codegen.values import Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_strings as s

Method = Callable[[Kernel, s.StaticInvoke], Value]
METHODS: dict[tuple[str, str], Method] = {}


def method(owner: str, *names: str) -> Callable[[Method], Method]:
    """Register the generator of a class's static methods; the class by its simple name."""

    def register(function: Method) -> Method:
        for name in names:
            METHODS[owner, name] = function
        return function

    return register


@emits(s.StaticInvoke)
def static_invoke(kernel: Kernel, expr: s.StaticInvoke) -> Value:
    owner = expr.staticObject.rsplit(".", 1)[-1]
    function = METHODS.get((owner, expr.functionName))
    if function is None or not expr.propagateNull:
        raise Unsupported(f"the method {owner}.{expr.functionName} is not supported", expr.name)
    return function(kernel, expr)


@emits(s.Invoke)
def invoke(kernel: Kernel, expr: s.Invoke) -> Value:
    """`is_valid_utf8` and `make_valid_utf8`."""
    if expr.functionName not in ("isValid", "makeValid") or not expr.targetObject.type.is_stringlike:
        raise Unsupported(f"the method {expr.functionName} is not supported", expr.name)
    if expr.functionName == "makeValid":
        return _if_valid(kernel, expr, expr.targetObject)
    text = kernel.emit(expr.targetObject)
    return kernel.boolean(called(kernel, "strings.valid", text), text.ok, "is_valid")


def _if_valid(kernel: Kernel, expr: e.Expr, text: e.Expr) -> Value:
    """The text itself; a malformed one needs Spark."""
    return from_helper(kernel, expr.type, "strings.valid_or_nothing", text, in_arena=False)


@method("ByteArrayMethods", "contains", "startsWith", "endsWith")
def binary_affix(kernel: Kernel, expr: s.StaticInvoke) -> Value:
    """The tests of strings, for binaries."""
    test = {"contains": e.Contains, "startsWith": e.StartsWith, "endsWith": e.EndsWith}[expr.functionName]
    left, right = expr.arguments
    return kernel.emit(test(type=expr.type, nullable=expr.nullable, left=left, right=right))


@method("ByteArray", "lpad", "rpad")
def binary_pad(kernel: Kernel, expr: s.StaticInvoke) -> Value:
    return from_helper(kernel, expr.type, "texts.binary_pad", *expr.arguments, expr.functionName == "lpad")


@method("Encode", "encode")
@method("StringDecode", "decode")
def transcode(kernel: Kernel, expr: s.StaticInvoke) -> Value:
    """Between strings and their UTF-8 bytes."""
    text, charset = expr.arguments[:2]
    if not isinstance(charset, e.Literal) or charset.value is None or charset.value.upper() != b"UTF-8":
        raise Unsupported("only the character set UTF-8 is supported", expr.functionName)
    return _if_valid(kernel, expr, text)


@method("ExpressionImplUtils", "validateUTF8String")
def validate_utf8(kernel: Kernel, expr: s.StaticInvoke) -> Value:
    """An error for a malformed string."""
    text = kernel.emit(expr.arguments[0])
    kernel.fail_when(f"not {called(kernel, 'strings.valid', text)}", text.ok)
    return text


@method("ExpressionImplUtils", "tryValidateUTF8String")
def try_validate_utf8(kernel: Kernel, expr: s.StaticInvoke) -> Value:
    """Null for a malformed string."""
    text = kernel.emit(expr.arguments[0])
    return text.with_ok(kernel.let("ok", conjunction(text.ok, called(kernel, "strings.valid", text))))


@method("Base64", "encode")
def base64(kernel: Kernel, expr: s.StaticInvoke) -> Value:
    """MIME's base64, in lines of 76 characters if the second argument says so."""
    value, chunks = expr.arguments
    if not isinstance(chunks, e.Literal) or chunks.value is None:
        raise Unsupported("base64 with a variable line length is not supported", expr.functionName)
    return from_helper(kernel, expr.type, "texts.base64", value, bool(chunks.value))
