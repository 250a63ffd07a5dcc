"""Expressions: one frozen class for each Spark class, fields named as Spark's constructor parameters.

The type and the nullability come from Spark. A class that is not here, a field that is not declared, an option that is
not understood: `Unsupported`, and the operator stays with Spark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from pyflare.plan.wire import Record
from pyflare.types import DataType

EXPRESSIONS: dict[str, type[Expr]] = {}


@dataclass(frozen=True, kw_only=True)
class Expr:
    """What Spark says of every expression."""

    type: DataType
    nullable: bool

    ignored: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        EXPRESSIONS[cls.__name__] = cls

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def children(self) -> tuple[Expr, ...]:
        """Child expressions in field order."""
        return tuple(_expressions(getattr(self, f.name) for f in fields(self)))


def _expressions(values: Any) -> Iterator[Expr]:
    for value in values:
        if isinstance(value, Expr):
            yield value
        elif isinstance(value, tuple):
            yield from _expressions(value)


def references(expr: Expr) -> frozenset[int]:
    """Ids of the attributes that an expression reads."""
    if isinstance(expr, AttributeReference):
        return frozenset((expr.id,))
    return frozenset().union(*(references(child) for child in expr.children))


def conjuncts(expr: Expr) -> list[Expr]:
    """What a condition joins by AND, from left to right."""
    if isinstance(expr, And):
        return [*conjuncts(expr.left), *conjuncts(expr.right)]
    return [expr]


@dataclass(frozen=True, kw_only=True)
class Unary(Expr):
    child: Expr


@dataclass(frozen=True, kw_only=True)
class Binary(Expr):
    left: Expr
    right: Expr


@dataclass(frozen=True, kw_only=True)
class Arithmetic(Binary):
    """Two numeric operands; `evalContext` holds the evaluation mode (LEGACY, ANSI, TRY)."""

    evalContext: Record

    @property
    def mode(self) -> str:
        return str(self.evalContext["evalMode"])


# Leaves ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AttributeReference(Expr):
    """A column of the operator's input."""

    label: str
    id: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Literal(Expr):
    """A constant in kernel form (`plan.wire.kernel_value`). 0.0 and -0.0 are two."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[type, DataType, bool, str]:
        return type(self), self.type, self.nullable, repr(self.value)


@dataclass(frozen=True, kw_only=True)
class Subquery(Expr):
    """A scalar subquery: its only value is known before the kernel starts. `index` counts the fragment's subqueries.

    Of a subquery that Spark has made of several, the value is that in `column`.
    """

    index: int
    column: int = 0


# Names and wrappers ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Alias(Unary):
    label: str
    exprId: int


@dataclass(frozen=True, kw_only=True)
class KnownNotNull(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class KnownNullable(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class KnownFloatingPointNormalized(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class NormalizeNaNAndZero(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class UnscaledValue(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class MakeDecimal(Unary):
    precision: int
    scale: int
    nullOnOverflow: bool


@dataclass(frozen=True, kw_only=True)
class CheckOverflow(Unary):
    dataType: DataType
    nullOnOverflow: bool


@dataclass(frozen=True, kw_only=True)
class CheckOverflowInSum(Unary):
    dataType: DataType
    nullOnOverflow: bool
    ignored: ClassVar[tuple[str, ...]] = ("context",)


# Arithmetic -----------------------------------------------------------------------------------------------------------


class Add(Arithmetic):
    pass


class Subtract(Arithmetic):
    pass


class Multiply(Arithmetic):
    pass


class Divide(Arithmetic):
    pass


class IntegralDivide(Arithmetic):
    pass


class Remainder(Arithmetic):
    pass


class Pmod(Arithmetic):
    pass


@dataclass(frozen=True, kw_only=True)
class UnaryMinus(Unary):
    failOnError: bool


@dataclass(frozen=True, kw_only=True)
class UnaryPositive(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class Abs(Unary):
    failOnError: bool


# Comparison -----------------------------------------------------------------------------------------------------------


class EqualTo(Binary):
    pass


class EqualNullSafe(Binary):
    pass


class LessThan(Binary):
    pass


class LessThanOrEqual(Binary):
    pass


class GreaterThan(Binary):
    pass


class GreaterThanOrEqual(Binary):
    pass


# Logic ----------------------------------------------------------------------------------------------------------------


class And(Binary):
    pass


class Or(Binary):
    pass


class Not(Unary):
    pass


class IsNull(Unary):
    pass


class IsNotNull(Unary):
    pass


class IsNaN(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class NaNvl(Binary):
    pass


@dataclass(frozen=True, kw_only=True)
class AtLeastNNonNulls(Expr):
    n: int
    children_: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Coalesce(Expr):
    children_: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class If(Expr):
    predicate: Expr
    trueValue: Expr
    falseValue: Expr


@dataclass(frozen=True, kw_only=True)
class CaseWhen(Expr):
    branches: tuple[tuple[Expr, Expr], ...]
    elseValue: Expr | None


@dataclass(frozen=True, kw_only=True)
class In(Expr):
    value: Expr
    list: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Greatest(Expr):
    children_: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Least(Expr):
    children_: tuple[Expr, ...]


# Casts ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Cast(Unary):
    """`CAST`, in LEGACY, ANSI or TRY mode; dates and timestamps use the session's time zone."""

    dataType: DataType
    timeZoneId: str | None
    evalMode: str


# Strings --------------------------------------------------------------------------------------------------------------


class StartsWith(Binary):
    pass


class EndsWith(Binary):
    pass


class Contains(Binary):
    pass


@dataclass(frozen=True, kw_only=True)
class Like(Binary):
    escapeChar: str


@dataclass(frozen=True, kw_only=True)
class Substring(Expr):
    str: Expr
    pos: Expr
    len: Expr


class Length(Unary):
    pass
