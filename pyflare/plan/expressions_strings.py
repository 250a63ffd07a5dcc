"""Expressions over strings and binaries: one frozen class for each Spark class (see `plan.expressions`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyflare.plan.expressions import Binary, Expr, Unary

# Numbers and truth values ---------------------------------------------------------------------------------------------


class OctetLength(Unary):
    pass


class BitLength(Unary):
    pass


class Ascii(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class StringInstr(Expr):
    str: Expr
    substr: Expr


@dataclass(frozen=True, kw_only=True)
class StringLocate(Expr):
    substr: Expr
    str: Expr
    start: Expr


class FindInSet(Binary):
    pass


class RLike(Binary):
    pass


@dataclass(frozen=True, kw_only=True)
class MultiLike(Unary):
    """A string against several constant patterns, whose escape character is the backslash."""

    patterns: tuple[str | None, ...]


class LikeAll(MultiLike):
    pass


class NotLikeAll(MultiLike):
    pass


class LikeAny(MultiLike):
    pass


class NotLikeAny(MultiLike):
    pass


# Parts of a string ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Trim(Expr):
    """`trimStr` is the set of characters that go; spaces without it."""

    srcStr: Expr
    trimStr: Expr | None


class StringTrim(Trim):
    pass


class StringTrimLeft(Trim):
    pass


class StringTrimRight(Trim):
    pass


@dataclass(frozen=True, kw_only=True)
class SubstringIndex(Expr):
    strExpr: Expr
    delimExpr: Expr
    countExpr: Expr


@dataclass(frozen=True, kw_only=True)
class Elt(Expr):
    children_: tuple[Expr, ...]
    failOnError: bool


# New strings ----------------------------------------------------------------------------------------------------------


class Upper(Unary):
    pass


class Lower(Unary):
    pass


class InitCap(Unary):
    pass


class Reverse(Unary):
    pass


class Chr(Unary):
    pass


class StringSpace(Unary):
    pass


class Hex(Unary):
    pass


class Bin(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class Unhex(Unary):
    failOnError: bool


@dataclass(frozen=True, kw_only=True)
class Concat(Expr):
    children_: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class ConcatWs(Expr):
    children_: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Pad(Expr):
    str: Expr
    len: Expr
    pad: Expr


class StringLPad(Pad):
    pass


class StringRPad(Pad):
    pass


@dataclass(frozen=True, kw_only=True)
class StringRepeat(Expr):
    str: Expr
    times: Expr


@dataclass(frozen=True, kw_only=True)
class StringReplace(Expr):
    srcExpr: Expr
    searchExpr: Expr
    replaceExpr: Expr


@dataclass(frozen=True, kw_only=True)
class StringTranslate(Expr):
    srcExpr: Expr
    matchingExpr: Expr
    replaceExpr: Expr


@dataclass(frozen=True, kw_only=True)
class Overlay(Expr):
    input: Expr
    replace: Expr
    pos: Expr
    len: Expr


# Calls of Java methods ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StaticInvoke(Expr):
    """A static Java method, null if `propagateNull` and an argument is."""

    staticObject: str
    functionName: str
    arguments: tuple[Expr, ...]
    propagateNull: bool
    ignored: ClassVar[tuple[str, ...]] = (
        "dataType",
        "inputTypes",
        "returnNullable",
        "isDeterministic",
        "scalarFunction",
    )


@dataclass(frozen=True, kw_only=True)
class Invoke(Expr):
    """A method of a Java object."""

    targetObject: Expr
    functionName: str
    arguments: tuple[Expr, ...]
    propagateNull: bool
    ignored: ClassVar[tuple[str, ...]] = ("dataType", "methodInputTypes", "returnNullable", "isDeterministic")
