"""Decimal arithmetic on unscaled integers: exact, then rounded half up (away from zero) like Spark's `Decimal`.

Spark cuts products and quotients off after 39 digits before it rounds: one digit more than a result can have, so
that is as good as exact. `TOO_LARGE` stands for a result of more than 38 digits.
"""

from __future__ import annotations

from typing import Final

from numba import int64

from pyflare.runtime.compiled import compiled
from pyflare.runtime.int128 import (
    Wide,
    wide,
    wide_add,
    wide_eq,
    wide_le,
    wide_lt,
    wide_quotient,
    wide_remainder,
    wide_sub,
)
from pyflare.runtime.int256 import (
    MAX_DIGITS,
    Huge,
    drop_half_up,
    fits_digits,
    huge,
    huge_add,
    huge_lt,
    huge_mul,
    huge_product,
    huge_quotient,
    huge_sub,
    low_words,
    magnitude,
    power,
    signed,
)
from pyflare.runtime.integers import quotient, remainder

TOO_LARGE: Final = (-1, 2**63 - 1)
NEGATION_DIGITS: Final = 34  # Scala's BigDecimal rounds a negated value to its MathContext, DECIMAL128


@compiled
def divide_half_up(value: int, divisor: int) -> int:
    """`value / divisor`, the divisor positive."""
    whole = quotient(value, divisor)
    rest = abs(remainder(value, divisor))
    if rest >= divisor - rest:
        whole += 1 if value >= 0 else -1
    return whole


@compiled
def divide_half_up_safe(value: int, divisor: int) -> int:
    """`value / divisor` for any divisor; anything for zero, whose result is never used."""
    if divisor == 0:
        return 0
    if divisor < 0:
        return divide_half_up(-value, -divisor)
    return divide_half_up(value, divisor)


@compiled
def divide_half_even(value: int, divisor: int) -> int:
    """`value / divisor` rounded half to even, the divisor positive and even."""
    whole = quotient(value, divisor)
    rest = abs(remainder(value, divisor))
    half = divisor >> 1
    if rest > half or (rest == half and whole & 1 == 1):
        whole += 1 if value >= 0 else -1
    return whole


@compiled
def divide_floor(value: int, divisor: int) -> int:
    """`value / divisor` rounded down, the divisor positive."""
    return quotient(value, divisor) - (1 if remainder(value, divisor) < 0 else 0)


@compiled
def divide_ceiling(value: int, divisor: int) -> int:
    """`value / divisor` rounded up, the divisor positive."""
    return quotient(value, divisor) + (1 if remainder(value, divisor) > 0 else 0)


@compiled
def wide_divide_half_up(value: Wide, divisor: Wide) -> Wide:
    """128-bit `value / divisor`, the divisor positive."""
    whole = wide_quotient(value, divisor)
    rest = magnitude(wide_remainder(value, divisor))
    if wide_le(wide_sub(divisor, rest), rest):
        whole = wide_add(whole, wide(int64(-1) if value[1] < 0 else int64(1)))
    return whole


@compiled
def wide_divide_half_up_safe(value: Wide, divisor: Wide) -> Wide:
    """128-bit `value / divisor` for any divisor; anything for zero, whose result is never used."""
    zero = wide(int64(0))
    if wide_eq(divisor, zero):
        return zero
    if divisor[1] < 0:
        return wide_divide_half_up(wide_sub(zero, value), wide_sub(zero, divisor))
    return wide_divide_half_up(value, divisor)


@compiled
def wide_divide_half_even(value: Wide, divisor: Wide) -> Wide:
    """128-bit `value / divisor` rounded half to even, the divisor positive."""
    whole = wide_quotient(value, divisor)
    rest = magnitude(wide_remainder(value, divisor))
    missing = wide_sub(divisor, rest)
    if wide_lt(missing, rest) or (wide_eq(missing, rest) and whole[0] & 1 == 1):
        whole = wide_add(whole, wide(int64(-1) if value[1] < 0 else int64(1)))
    return whole


@compiled
def wide_divide_floor(value: Wide, divisor: Wide) -> Wide:
    """128-bit `value / divisor` rounded down, the divisor positive."""
    down = wide(int64(1) if wide_remainder(value, divisor)[1] < 0 else int64(0))
    return wide_sub(wide_quotient(value, divisor), down)


@compiled
def wide_divide_ceiling(value: Wide, divisor: Wide) -> Wide:
    """128-bit `value / divisor` rounded up, the divisor positive."""
    up = wide(int64(1) if wide_lt(wide(int64(0)), wide_remainder(value, divisor)) else int64(0))
    return wide_add(wide_quotient(value, divisor), up)


@compiled
def at_most_38_digits(value: Huge, negative: bool) -> Wide:
    """The number of this magnitude and sign, or `TOO_LARGE`."""
    return signed(low_words(value), negative) if fits_digits(value) else TOO_LARGE


@compiled
def multiply_rounded(a: Wide, b: Wide, drop: int) -> Wide:
    """`a * b` without its last `drop` digits, at most 76."""
    product = huge_product(magnitude(a), magnitude(b))
    if drop > MAX_DIGITS:
        product = huge_quotient(product, power(drop - MAX_DIGITS))
    return at_most_38_digits(drop_half_up(product, min(drop, MAX_DIGITS)), (a[1] ^ b[1]) < 0)


@compiled
def add_rounded(a: Wide, a_shift: int, b: Wide, b_shift: int, drop: int) -> Wide:
    """`a * 10**a_shift + b * 10**b_shift` without its last `drop` digits."""
    total = huge_add(huge_product(a, power(a_shift)), huge_product(b, power(b_shift)))
    negative = total[3] < 0
    if negative:
        total = huge_sub(huge(wide(int64(0))), total)
    return at_most_38_digits(drop_half_up(total, drop), negative)


@compiled
def divide_rounded(a: Wide, b: Wide, shift: int) -> Wide:
    """`a * 10**shift / b` for a shift between -38 and 76; anything for a zero divisor."""
    if wide_eq(b, wide(int64(0))):
        return b
    divisor, negative = magnitude(b), (a[1] ^ b[1]) < 0
    first, second = min(max(shift, 0), MAX_DIGITS), max(shift - MAX_DIGITS, 0)
    dividend = huge_product(magnitude(a), power(first))
    whole = huge_quotient(dividend, divisor)
    if shift < 0:
        return at_most_38_digits(drop_half_up(whole, -shift), negative)
    rest = low_words(huge_sub(dividend, huge_mul(whole, divisor)))
    if second > 0:
        if not huge_lt(whole, huge(power(MAX_DIGITS))):
            return TOO_LARGE
        dividend = huge_product(rest, power(second))
        part = huge_quotient(dividend, divisor)
        rest = low_words(huge_sub(dividend, huge_mul(part, divisor)))
        whole = huge_add(huge_mul(whole, power(second)), part)
    if wide_le(wide_sub(divisor, rest), rest):
        whole = huge_add(whole, huge(wide(int64(1))))
    return at_most_38_digits(whole, negative)


@compiled
def truncated_ratio(a: Wide, a_shift: int, b: Wide, b_shift: int) -> tuple[Wide, Wide]:
    """Quotient and remainder of `a * 10**a_shift` and `b * 10**b_shift`, one shift being zero.

    The quotient is `TOO_LARGE` if it has more than 38 digits. Anything for a zero divisor.
    """
    if wide_eq(b, wide(int64(0))):
        return b, b
    dividend = huge_product(magnitude(a), power(a_shift))
    divisor = huge_product(magnitude(b), power(b_shift))
    if huge_lt(dividend, divisor):
        return wide(int64(0)), signed(low_words(dividend), a[1] < 0)
    whole = huge_quotient(dividend, low_words(divisor))
    rest = low_words(huge_sub(dividend, huge_mul(whole, low_words(divisor))))
    return at_most_38_digits(whole, (a[1] ^ b[1]) < 0), signed(rest, a[1] < 0)


@compiled
def positive_rest(rest: Wide, b: Wide, b_shift: int) -> Wide:
    """The remainder of a division by `b * 10**b_shift`, which is added to it once if it is negative and `b` is not."""
    if rest[1] >= 0 or b[1] < 0:
        return rest
    return at_most_38_digits(huge_add(huge(rest), huge_product(b, power(b_shift))), False)


@compiled
def negated(value: Wide) -> Wide:
    """`-value` as Spark computes it: more than 34 digits are rounded to 34, half to even."""
    size = magnitude(value)
    excess = 0
    while NEGATION_DIGITS + excess < MAX_DIGITS and not wide_lt(size, power(NEGATION_DIGITS + excess)):
        excess += 1
    if excess > 0:
        size = low_words(huge_product(wide_divide_half_even(size, power(excess)), power(excess)))
    return signed(size, value[1] >= 0)
