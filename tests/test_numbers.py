"""The exact helpers behind decimals and roundings against Python's integers, fractions and decimals."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final

import numpy as np
import pytest
from numba import int64

from pyflare.errors import DataError
from pyflare.runtime import aggregation, decimals, fdlibm, fdlibm_angles, fdlibm_powers, roundings
from pyflare.runtime.int128 import Wide
from pyflare.types import decimal

CASES: Final = 3000
EXACT: Final = Context(prec=400)


def words(value: int) -> Wide:
    """A 128-bit integer as kernels hold it."""
    low = value & (2**64 - 1)
    return low - ((low >> 63) << 64), value >> 64


def number(pair: Wide) -> int:
    return (pair[1] << 64) + (pair[0] & (2**64 - 1))


TOO_LARGE: Final = number(decimals.TOO_LARGE)
UNKNOWN: Final = number(roundings.UNKNOWN)


def unscaled(rng: random.Random) -> int:
    """A decimal's digits: any number of them, often all nines, a five and zeros, or a four and nines."""
    digits = rng.randint(1, 38)
    special: dict[int, int] = {0: 10**digits - 1, 1: 5 * 10 ** (digits - 1), 2: int("4" + "9" * (digits - 1)), 3: 0}
    size = special.get(rng.randrange(12), rng.randrange(10**digits))
    return size if rng.random() < 0.5 else -size


def half_up(value: Fraction) -> int:
    size = math.floor(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def at_most_38_digits(value: int) -> int:
    return value if abs(value) < 10**38 else TOO_LARGE


def pairs(seed: int) -> Iterator[tuple[random.Random, int, int]]:
    rng = random.Random(seed)
    for _ in range(CASES):
        yield rng, unscaled(rng), unscaled(rng)


def test_products_are_rounded_once() -> None:
    """Half up, however many digits are dropped."""
    for rng, a, b in pairs(1):
        drop = rng.randint(0, 76)
        expected = at_most_38_digits(half_up(Fraction(a * b, 10**drop)))
        assert number(decimals.multiply_rounded(words(a), words(b), drop)) == expected, (a, b, drop)


def test_sums_of_different_scales() -> None:
    """The common scale may need 76 digits."""
    for rng, a, b in pairs(2):
        shift, drop = rng.randint(0, 38), rng.randint(0, 38)
        expected = at_most_38_digits(half_up(Fraction(a * 10**shift + b, 10**drop)))
        assert number(decimals.add_rounded(words(a), shift, words(b), 0, drop)) == expected, (a, b, shift, drop)


def test_quotients_are_rounded_once() -> None:
    """Half up, for every shift that a scale may ask for."""
    for rng, a, b in pairs(3):
        if b != 0:
            shift = rng.randint(-38, 76)
            expected = at_most_38_digits(half_up(Fraction(a, b) * Fraction(10) ** shift))
            assert number(decimals.divide_rounded(words(a), words(b), shift)) == expected, (a, b, shift)


def test_averages_are_rounded_once_however_they_are_computed() -> None:
    rng = random.Random(3)
    for _ in range(200):
        digits = rng.choice((3, 9, 15, 18, 30))
        sums = [rng.randint(-(10**digits), 10**digits) for _ in range(4)]
        counts = [rng.randint(1, 10 ** rng.randint(1, 9)) for _ in sums]
        shift = rng.choice((0, 1, 4))
        pairs = np.array([words(s) for s in sums], dtype=np.int64).ravel()
        means = aggregation.mean_decimal(pairs, np.array(counts), shift, decimal(38, 4))
        found = [number((int(low), int(high))) for low, high in means.reshape(-1, 2)]
        assert found == [half_up(Fraction(s * 10**shift, c)) for s, c in zip(sums, counts, strict=True)]


def test_an_average_that_does_not_fit() -> None:
    one = np.array([1])
    with pytest.raises(DataError):
        aggregation.mean_decimal(np.array([10, 0]), one, 1, decimal(2, 1))
    assert aggregation.mean_decimal(np.array([-99, -1]), one, 0, decimal(2, 1)).tolist() == [-99]


def test_truncated_quotients_and_remainders() -> None:
    """The remainder has the dividend's sign."""
    for rng, a, b in pairs(4):
        if b != 0:
            shifts = rng.choice([(0, rng.randint(0, 38)), (rng.randint(0, 38), 0)])
            dividend, divisor = a * 10 ** shifts[0], b * 10 ** shifts[1]
            whole = abs(dividend) // abs(divisor) * (1 if (a < 0) == (b < 0) else -1)
            found = decimals.truncated_ratio(words(a), shifts[0], words(b), shifts[1])
            expected = at_most_38_digits(whole), dividend - whole * divisor
            assert tuple(map(number, found)) == expected, (a, b, shifts)


def test_decimals_to_floating_point() -> None:
    """The nearest double and the nearest float."""
    for rng, a, _ in pairs(5):
        scale = rng.randint(0, 38)
        value = Fraction(a, 10**scale)
        assert roundings.to_f64(words(a), scale) == float(value), (a, scale)
        assert float(roundings.to_f32(words(a), scale)) == nearest_float(value), (a, scale)


def nearest_float(value: Fraction) -> float:
    """The float nearest to a fraction; of two the one whose last bit is zero."""
    start = struct.unpack("<i", struct.pack("<f", abs(float(value))))[0]
    near = [struct.unpack("<f", struct.pack("<i", max(start + step, 0)))[0] for step in (-1, 0, 1)]
    size = min(near, key=lambda x: (abs(Fraction(x) - abs(value)), struct.unpack("<i", struct.pack("<f", x))[0] & 1))
    return float(size) if value >= 0 else -float(size)


def doubles(seed: int) -> Iterator[float]:
    rng = random.Random(seed)
    makers = (
        lambda: rng.gauss(0, 1) * 10.0 ** rng.randint(-40, 38),
        lambda: round(rng.uniform(-1000, 1000), rng.randint(0, 8)),
        lambda: rng.randint(-(10**6), 10**6) / rng.choice([1, 2, 4, 8, 10, 100, 1000]),
        lambda: float(f"{rng.randrange(10 ** rng.randint(1, 17))}e{rng.randint(-38, 20)}"),
        lambda: 2.0 ** rng.randint(-130, 60) * rng.choice([1, 3, 5]),
    )
    for _ in range(CASES):
        yield rng.choice(makers)()


@pytest.mark.parametrize(("even", "rounding"), [(False, ROUND_HALF_UP), (True, ROUND_HALF_EVEN)])
def test_doubles_to_decimals(even: bool, rounding: str) -> None:
    """The shortest decimal of a double, rounded; only what versions of Java write differently is unknown."""
    rng = random.Random(6)
    for value in doubles(7):
        scale = rng.randint(0, 38)
        found = number(roundings.from_f64(value, scale, int64(38), even))
        text = Decimal(repr(value)).scaleb(scale, EXACT).quantize(Decimal(1), rounding, EXACT)
        if found == UNKNOWN:
            mantissa, _ = math.frexp(value)
            assert abs(mantissa) == 0.5 or abs(value) >= 2**53, value
        else:
            assert found == at_most_38_digits(int(text)), (value, scale)


def test_roundings_of_doubles() -> None:
    """`round(x, n)` of what Python writes, for digits behind the point and before it."""
    for value in doubles(8):
        for digits in (0, 2, 7, -1, -3):
            unit = Decimal(1).scaleb(-digits)
            expected = float(Decimal(repr(value)).quantize(unit, ROUND_HALF_UP, EXACT)) + 0.0
            if digits >= 0:
                found = roundings.round_f64(value, digits, False)
            else:
                found = roundings.round_integer(value, int(10**-digits), False)
            assert roundings.is_unknown(found) or found == expected, (value, digits)


def test_functions_are_nearly_exact() -> None:
    """A gross mistake in the port of fdlibm; Spark's own results are compared in `tests/sql/math`."""
    for value in doubles(9):
        size = abs(value)
        assert math.isclose(fdlibm.expm1(value / 1e3), math.expm1(value / 1e3)) if size < 1e5 else True
        assert math.isclose(fdlibm_powers.cbrt(value), math.copysign(size ** (1 / 3), value), rel_tol=1e-12)
        assert math.isclose(fdlibm_angles.atan(value), math.atan(value), rel_tol=1e-15)
        if size > 0:
            assert math.isclose(fdlibm.log(size), math.log(size), rel_tol=1e-15)
            assert math.isclose(fdlibm_powers.strict_pow(size, 0.3), size**0.3, rel_tol=1e-14)
