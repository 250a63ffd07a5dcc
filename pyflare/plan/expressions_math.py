"""Mathematical functions and operations on bits: one frozen class for each Spark class (see `plan.expressions`)."""

from __future__ import annotations

from dataclasses import dataclass

from pyflare.plan.expressions import Binary, Expr, Unary

# Roundings ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RoundBase(Expr):
    """Rounds to a constant number of digits behind the point, or before it if that is negative."""

    child: Expr
    scale: Expr


@dataclass(frozen=True, kw_only=True)
class Round(RoundBase):
    ansiEnabled: bool


@dataclass(frozen=True, kw_only=True)
class BRound(RoundBase):
    ansiEnabled: bool


class RoundCeil(RoundBase):
    pass


class RoundFloor(RoundBase):
    pass


class Ceil(Unary):
    pass


class Floor(Unary):
    pass


class Rint(Unary):
    pass


# Functions of one double ----------------------------------------------------------------------------------------------


class Sqrt(Unary):
    pass


class Cbrt(Unary):
    pass


class Exp(Unary):
    pass


class Expm1(Unary):
    pass


class Log(Unary):
    pass


class Log2(Unary):
    pass


class Log10(Unary):
    pass


class Log1p(Unary):
    pass


class Signum(Unary):
    pass


class ToDegrees(Unary):
    pass


class ToRadians(Unary):
    pass


class Sinh(Unary):
    pass


class Cosh(Unary):
    pass


class Tanh(Unary):
    pass


class Asin(Unary):
    pass


class Acos(Unary):
    pass


class Atan(Unary):
    pass


class Asinh(Unary):
    pass


class Acosh(Unary):
    pass


class Atanh(Unary):
    pass


class Sin(Unary):
    pass


class Cos(Unary):
    pass


class Tan(Unary):
    pass


class Cot(Unary):
    pass


class Sec(Unary):
    pass


class Csc(Unary):
    pass


# Functions of several numbers -----------------------------------------------------------------------------------------


class Pow(Binary):
    pass


class Hypot(Binary):
    pass


class Atan2(Binary):
    pass


class Logarithm(Binary):
    pass


class Factorial(Unary):
    pass


@dataclass(frozen=True, kw_only=True)
class WidthBucket(Expr):
    value: Expr
    minValue: Expr
    maxValue: Expr
    numBucket: Expr


# Bits -----------------------------------------------------------------------------------------------------------------


class BitwiseAnd(Binary):
    pass


class BitwiseOr(Binary):
    pass


class BitwiseXor(Binary):
    pass


class BitwiseNot(Unary):
    pass


class BitwiseCount(Unary):
    pass


class BitwiseGet(Binary):
    pass


class ShiftLeft(Binary):
    pass


class ShiftRight(Binary):
    pass


class ShiftRightUnsigned(Binary):
    pass
