"""Random small Python functions, and what Spark makes of what they return."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

PRELUDE: Final = """
import math

def helper(p, q=2):
    if p is None:
        return q
    return p + q if p > 0 else q

def twice(p):
    for k in range(2):
        if p > 100:
            return True
        p += p
    return p
"""

NAMES: Final = ("a", "b", "c", "x", "y")
_NUMBERS: Final = ("0", "1", "2", "-3", "7", "2**62", "0.0", "-0.0", "0.5", "-2.5", "1e10", "True", "False")


def expressions(depth: int) -> st.SearchStrategy[str]:
    """Expressions over the variables of a function."""
    leaves = st.sampled_from(NAMES * 3 + _NUMBERS)
    if depth == 0:
        return leaves
    below = expressions(depth - 1)
    infix = st.sampled_from(("+", "-", "*", "+", "-", "*", "/", "//", "%", "<", "<=", "==", "!=", ">", "and", "or"))
    whole = st.sampled_from(("&", "|", "^", ">>", "<<"))
    unary = st.sampled_from(("-", "not ", "abs", "float", "int", "round", "bool", "math.floor", "math.sqrt", "twice"))
    binary = st.sampled_from(("min", "max", "helper", "math.fmod", "math.copysign"))
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, below, infix, below),
        st.builds("(int({}) {} (int({}) % 80))".format, below, whole, below),
        st.builds(_applied, unary, below),
        st.builds("{}({}, {})".format, binary, below, below),
        st.builds("({} if {} else {})".format, below, below, below),
        st.builds("({} ** {})".format, below, st.sampled_from(("0", "1", "2", "3", "-1", "0.5", "(b % 4)"))),
        st.builds("({} is {})".format, below, st.sampled_from(("None", "not None"))),
        st.builds("({} in (1, 2.5, 7))".format, below),
    )


def _applied(function: str, operand: str) -> str:
    return f"({function}({operand}))"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def blocks(depth: int, in_loop: bool) -> st.SearchStrategy[list[str]]:
    """Statements, one to three of them."""
    several = st.lists(statements(depth, in_loop), min_size=1, max_size=3)
    return several.map(lambda many: [line for one in many for line in one])


def statements(depth: int, in_loop: bool) -> st.SearchStrategy[list[str]]:
    """One statement, as lines."""
    target, value = st.sampled_from(("x", "y")), expressions(2)
    simple = [
        st.builds(lambda t, e: [f"{t} = {e}"], target, value),
        st.builds(lambda t, e: [f"{t} = {e}"], target, value),
        st.builds(lambda t, s, e: [f"{t} {s}= {e}"], target, st.sampled_from("+-*"), value),
        st.just(["x, y = y, x"]),
        st.just(["x = None"]),
    ]
    if depth == 0:
        return st.one_of(*simple)
    inner, looped, n = blocks(depth - 1, in_loop), blocks(depth - 1, True), f"n{depth}"
    leaving = st.sampled_from(("continue", "break")) if in_loop else expressions(1).map(lambda e: f"return {e}")
    return st.one_of(
        *simple,
        st.builds(lambda e, yes, no: [f"if {e}:", *_indented(yes), "else:", *_indented(no)], value, inner, inner),
        st.builds(lambda e, yes: [f"if {e}:", *_indented(yes)], value, inner),
        st.builds(lambda e, leave: [f"if {e}:", f"    {leave}"], value, leaving),
        st.builds(
            lambda bounds, body: [f"for k in range({bounds}):", *_indented(body)],
            st.sampled_from(("0", "3", "a % 5", "1, 4", "5, 0, -2")),
            looped,
        ),
        st.builds(lambda body: [f"{n} = 3", f"while {n} > 0:", f"    {n} -= 1", *_indented(body)], looped),
    )


@dataclass(frozen=True)
class Sample:
    """The source of a function `f` of `a`, `b` and `c`, and its declared type."""

    source: str
    returns: str

    def function(self) -> Any:
        """The function itself."""
        return self._defined(ast.parse(PRELUDE + self.source))

    def reference(self) -> Any:
        """The same function, with an `OverflowError` for integers that Python would compute with for hours."""
        return self._defined(ast.fix_missing_locations(_Limited().visit(ast.parse(PRELUDE + self.source))))

    @staticmethod
    def _defined(tree: ast.Module) -> Any:
        scope: dict[str, Any] = {"limited": limited}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # `1 is None`
            exec(compile(tree, "<sample>", "exec"), scope)
        return scope["f"]


class _Limited(ast.NodeTransformer):
    """Looks at the result of each operation."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("limited", ast.Load()), [node], [])

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        assert isinstance(node.target, ast.Name)
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return ast.Assign([node.target], self.visit(value))


def limited(value: Any) -> Any:
    """A value that is no giant."""
    if isinstance(value, int) and abs(value) >= 2**256:
        raise OverflowError
    return value


def _source(body: list[str], result: str) -> str:
    return "\n".join(["def f(a, b, c):", "    x, y = a, 1", *_indented(body), f"    return {result}"]) + "\n"


samples = st.builds(
    Sample,
    st.builds(_source, blocks(2, False), expressions(1)),
    st.sampled_from(("double", "long", "integer", "boolean", "byte")),
)

_BITS: Final = {"byte": 8, "short": 16, "integer": 32, "long": 64}


def as_spark(value: Any, returns: str) -> Any:
    """What Spark makes of a returned value."""
    if returns in _BITS and type(value) is int and -(2**63) <= value < 2**63:
        half = 1 << (_BITS[returns] - 1)
        return (value + half) % (2 * half) - half
    if (returns == "boolean" and type(value) is bool) or (returns == "double" and type(value) is float):
        return value
    return None
