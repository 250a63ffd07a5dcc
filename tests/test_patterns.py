"""Date and time patterns: which are known, and what they become."""

from __future__ import annotations

import pytest

from pyflare.codegen.patterns import read, written
from pyflare.errors import Unsupported
from pyflare.runtime import datetexts as texts


def test_written() -> None:
    """Fields, quoted text and other characters."""
    assert written("yyyy-MM") == bytes((255, texts.YEAR, 4, 45, 255, texts.MONTH, 2))
    assert written("'at' h''a") == b"at " + bytes((255, texts.HOUR_OF_HALF, 1)) + b"'" + bytes((255, texts.HALF, 2))
    assert written("''''") == b"'"
    assert written("年") == "年".encode()


@pytest.mark.parametrize("pattern", ["G", "yy", "MMMM", "EEEE", "VV", "XXX", "SSSSSSS", "[yyyy]", "'open", "DDD"])
def test_not_written(pattern: str) -> None:
    """Fields that depend on a locale, a time zone or the version of Java."""
    with pytest.raises(Unsupported):
        written(pattern)


def test_read() -> None:
    """Fields by their place; what is missing is the first month, the first day."""
    assert read("MM/yyyy") == (bytes((255, 44, 2, 47, 255, 50, 4)), 1 << 38)
    assert read("yyyy")[1] == 1 << 44 | 1 << 38
    assert read("yyyy-MM-dd HH:mm:ss.SSS")[1] == 0


@pytest.mark.parametrize(
    "pattern", ["", "MM", "dd-MM", "yyyy-dd", "yyyy-M-d", "yyyy yyyy", "yyyy-MM-dd SSS", "yyyy MMM"]
)
def test_not_read(pattern: str) -> None:
    """Fields of variable width, twice, or without the larger ones."""
    with pytest.raises(Unsupported):
        read(pattern)
