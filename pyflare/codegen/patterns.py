"""Spark's date and time patterns, compiled to the bytes that `runtime/datetexts.py` goes through.

A letter, repeated or not, is a field, text in single quotes is itself, and so is every other character. Only fields are
here that all versions of Java write in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pyflare.errors import Unsupported
from pyflare.runtime import datetexts as texts

_TOKEN: Final = re.compile(r"(?P<field>([A-Za-z])\2*)|'(?P<quoted>(?:[^']|'')*)'|(?P<plain>[^A-Za-z'\[\]#{}]+)")

_WRITTEN: Final = {
    "yyyy": (texts.YEAR, 4),
    "y": (texts.PLAIN_YEAR, 1),
    "M": (texts.MONTH, 1),
    "MM": (texts.MONTH, 2),
    "MMM": (texts.MONTH_NAME, 3),
    "d": (texts.DAY, 1),
    "dd": (texts.DAY, 2),
    **dict.fromkeys(("E", "EE", "EEE"), (texts.DAY_NAME, 3)),
    "H": (texts.HOUR, 1),
    "HH": (texts.HOUR, 2),
    "h": (texts.HOUR_OF_HALF, 1),
    "hh": (texts.HOUR_OF_HALF, 2),
    "a": (texts.HALF, 2),
    "m": (texts.MINUTE, 1),
    "mm": (texts.MINUTE, 2),
    "s": (texts.SECOND, 1),
    "ss": (texts.SECOND, 2),
    **{"S" * width: (texts.FRACTION, width) for width in range(1, 7)},
}
# The bit at which a parsed field begins, and its width; from the largest unit to the smallest.
_READ: Final = {"yyyy": (50, 4), "MM": (44, 2), "dd": (38, 2), "HH": (32, 2), "mm": (26, 2), "ss": (20, 2)}
_FRACTIONS: Final = {"S" * width: (0, width) for width in range(1, 7)}


def written(pattern: str) -> bytes:
    """A pattern to write with."""
    return _compiled(pattern, _WRITTEN.get)


def read(pattern: str) -> tuple[bytes, int]:
    """A pattern to read with, and the fields that it does not have: the first month, the first day.

    It has fields of a fixed width only, each once, and none without all the larger ones.
    """
    fields = {**_READ, **_FRACTIONS}
    program = _compiled(pattern, fields.get)
    found = [token["field"] for token in _TOKEN.finditer(pattern) if token["field"]]
    whole = sorted((field for field in found if field in _READ), key=list(_READ).index)
    fractions = len(found) - len(whole)
    if not whole or whole != list(_READ)[: len(whole)] or fractions > (len(whole) == len(_READ)):
        raise _refused(pattern)
    return program, (("MM" not in whole) << 44) | (("dd" not in whole) << 38)


def _compiled(pattern: str, field: Callable[[str], tuple[int, int] | None]) -> bytes:
    parts, at = [], 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise _refused(pattern)
        parts.append(_part(pattern, token, field))
        at = token.end()
    return b"".join(parts)


def _part(pattern: str, token: re.Match[str], field: Callable[[str], tuple[int, int] | None]) -> bytes:
    if token["plain"] is not None:
        return token["plain"].encode()
    if token["quoted"] is not None:
        return (token["quoted"].replace("''", "'") or "'").encode()
    known = field(token["field"])
    if known is None:
        raise _refused(pattern)
    return bytes((texts.FIELD, *known))


def _refused(pattern: str) -> Unsupported:
    return Unsupported(f"the pattern {pattern} is not supported")
