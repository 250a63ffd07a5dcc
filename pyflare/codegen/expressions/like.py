"""`LIKE` and the regular expressions that are no more than that.

A constant pattern without `_` is a few pieces between percent signs: one search for each. Any other goes to the matcher
in `runtime/like.py`. For a dictionary-coded column the pattern is matched once for each entry.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyflare.codegen.expressions.comparison import compare, dictionary_predicate
from pyflare.codegen.expressions.strings import answered, called, text_literal
from pyflare.codegen.kernel import Kernel, emits, null_value
from pyflare.codegen.values import Value
from pyflare.errors import Unsupported
from pyflare.plan import expressions as e
from pyflare.plan import expressions_strings as s
from pyflare.types import BOOLEAN, Kind

_REPLACEMENT = "\ufffd"  # what Spark's matcher sees in the place of malformed bytes
_LITERAL = re.compile(r"(\^?)((?:\.\*)?)([^\\^$.|?*+()\[\]{}\x00-\x1f\x7f-\x9f\u2028\u2029]*)((?:\.\*)?)(\$?)")


@dataclass(frozen=True)
class Pattern:
    """A pattern of `LIKE` as its pieces: texts, `%` (None) and `_` (a number of characters)."""

    pieces: tuple[str | int | None, ...]

    @property
    def is_simple(self) -> bool:
        """Whether it is texts between percent signs, none of which malformed bytes could look like."""
        return not any(isinstance(p, int) or (isinstance(p, str) and _REPLACEMENT in p) for p in self.pieces)

    @property
    def texts(self) -> list[bytes]:
        """Of a simple pattern: the texts before, between and behind the percent signs."""
        texts = [""]
        for piece in self.pieces:
            if piece is None:
                texts.append("")
            else:
                texts[-1] += str(piece)
        return [text.encode() for text in texts]


def parse(pattern: str, escape: str) -> Pattern:
    """A pattern's pieces. Raises `Unsupported` for one that Spark does not accept."""
    pieces: list[str | int | None] = []
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            character = next(characters, "")
            if character not in ("_", "%", escape):
                raise Unsupported("a pattern that Spark does not accept", "Like")
            pieces.append(character)
        else:
            pieces.append({"%": None, "_": 1}.get(character, character))
    return Pattern(tuple(pieces))


@emits(e.Like)
def like(kernel: Kernel, expr: e.Like) -> Value:
    """The pattern may be constant or not."""
    text = kernel.emit(expr.left)
    if isinstance(expr.right, e.Literal):
        return constant_like(kernel, text, expr.right.value, expr.escapeChar)
    pattern = kernel.emit(expr.right)
    return _matched(kernel, text, pattern, expr.escapeChar)


def constant_like(kernel: Kernel, text: Value, pattern: bytes | None, escape: str) -> Value:
    """`text LIKE pattern`."""
    if pattern is None:
        return Value(BOOLEAN, Kind.BOOL, "False", "False")
    try:
        parsed = parse(pattern.decode(), escape)
    except UnicodeDecodeError as error:
        raise Unsupported("a pattern that is not valid UTF-8", "Like") from error
    if text.codes is not None:
        return dictionary_predicate(kernel, text, ("like", parsed), matcher(parsed))
    if not parsed.is_simple:
        return _matched(kernel, text, text_literal(kernel, pattern), escape)
    texts = parsed.texts
    if len(texts) == 1:
        return kernel.boolean(compare(kernel, "==", text, text_literal(kernel, texts[0])), text.ok, "holds")
    return _sought(kernel, text, texts)


def _matched(kernel: Kernel, text: Value, pattern: Value, escape: str) -> Value:
    call = called(kernel, "like.like", text, pattern, text_literal(kernel, escape.encode()))
    return answered(kernel, call, kernel.all_ok(text, pattern))


def _sought(kernel: Kernel, text: Value, texts: Sequence[bytes]) -> Value:
    """Whether the text begins with the first piece, ends with the last and holds the others between, in order."""
    first, *middle, last = texts
    address, length = kernel.text(text)
    at, end = "int64(0)", length
    if first or last:
        before, behind = text_literal(kernel, first), text_literal(kernel, last)
        call = called(kernel, "strings.enclosed", address, length, before, behind)
        at = kernel.let("at", call if text.ok is None else f"{call} if {text.ok} else int64(-1)")
        end = f"{length} - {behind.length}"
    for piece in filter(None, middle):
        call = called(kernel, "strings.find_behind", address, end, text_literal(kernel, piece), at)
        at = kernel.let("at", call if text.ok is None else f"{call} if {text.ok} else int64(-1)")
    return kernel.boolean(f"{at} >= 0", text.ok, "holds")


def matcher(pattern: Pattern) -> Callable[[bytes], bool]:
    """The pattern as a Python predicate over UTF-8 bytes. It raises `Unsupported` where these are malformed."""
    source = "".join(".*" if p is None else "." if p == 1 else re.escape(str(p)) for p in pattern.pieces)
    if pattern.is_simple:
        simple = re.compile(source.encode(), re.DOTALL)
        return lambda text: simple.fullmatch(text) is not None
    compiled = re.compile(source, re.DOTALL)
    return lambda text: compiled.fullmatch(decoded(text)) is not None


def decoded(text: bytes) -> str:
    """Python's text. Raises `Unsupported` for bytes that are not UTF-8."""
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise Unsupported("a string that is not valid UTF-8", "Like") from error


# Several patterns -----------------------------------------------------------------------------------------------------


@emits(s.LikeAll, s.NotLikeAll, s.LikeAny, s.NotLikeAny)
def multi_like(kernel: Kernel, expr: s.MultiLike) -> Value:
    """All or any of several patterns; `NOT` applies to each of them. A null among them is an unknown answer."""
    if any(p is not None and _REPLACEMENT in p for p in expr.patterns):
        raise Unsupported("a pattern with a replacement character", expr.name)
    tests = [_one_of_several(expr, pattern) for pattern in expr.patterns]
    combine = e.And if isinstance(expr, s.LikeAll | s.NotLikeAll) else e.Or
    return kernel.emit(functools.reduce(lambda a, b: combine(type=BOOLEAN, nullable=True, left=a, right=b), tests))


def _one_of_several(expr: s.MultiLike, pattern: str | None) -> e.Expr:
    literal = e.Literal(type=expr.child.type, nullable=True, value=None if pattern is None else pattern.encode())
    test = e.Like(type=BOOLEAN, nullable=True, left=expr.child, right=literal, escapeChar="\\")
    is_negated = isinstance(expr, s.NotLikeAll | s.NotLikeAny)
    return e.Not(type=BOOLEAN, nullable=True, child=test) if is_negated else test


# Regular expressions --------------------------------------------------------------------------------------------------


@emits(s.RLike)
def rlike(kernel: Kernel, expr: s.RLike) -> Value:
    """Alternatives of plain texts, possibly at the beginning or end; whatever else Java's syntax has is refused."""
    text, pattern = kernel.emit(expr.left), expr.right
    if not isinstance(pattern, e.Literal):
        raise Unsupported("a regular expression that is not constant", expr.name)
    if pattern.value is None:
        return null_value(BOOLEAN)
    alternatives = [_LITERAL.fullmatch(part) for part in pattern.value.decode(errors="replace").split("|")]
    if not all(alternatives) or _REPLACEMENT in pattern.value.decode(errors="replace"):
        raise Unsupported("regular expressions are not supported", expr.name)
    found = [_alternative(kernel, text, match.groups()) for match in alternatives if match is not None]
    return kernel.boolean(" or ".join(found), text.ok, "holds")


def _alternative(kernel: Kernel, text: Value, parts: tuple[str, ...]) -> str:
    """The test for `^`, `.*`, a text, `.*`, `$`; where an anchor meets `.*`, the line's end would matter."""
    begins, skips, literal, runs, ends = parts
    if (begins and skips) or (ends and runs):
        raise Unsupported("regular expressions are not supported", "RLike")
    piece = text_literal(kernel, literal.encode())
    if not begins and not ends:
        return called(kernel, "strings.contains", text, piece)
    anchors = "True" if begins else "False", "True" if ends else "False"
    return called(kernel, "strings.anchored", text, piece, *anchors)
