"""The one place that writes Python source: indentation, fresh names, blocks."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INDENT: Final = "    "
_WORD: Final = re.compile(r"[^0-9a-zA-Z]+")


class Writer:
    """Lines of Python source, grown one by one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 0
        self.taken: dict[str, int] = {}

    def line(self, text: str) -> None:
        """Append one line at the current depth."""
        self.lines.append(INDENT * self.depth + text)

    def comment(self, text: str) -> None:
        """Append a comment; `text` may come from the user's query, so it is kept to one line."""
        self.line("# " + " ".join(text.split())[:150])

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Lines written inside are the body of `header:`."""
        self.line(header + ":")
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.depth -= 1

    @contextmanager
    def captured(self) -> Iterator[list[str]]:
        """Lines written inside go to the list instead, at the depth where they were written."""
        outer, self.lines = self.lines, []
        try:
            yield self.lines
        finally:
            self.lines = outer

    def fresh(self, hint: str) -> str:
        """A name that nothing else has, made readable from `hint`."""
        base = _WORD.sub("_", hint).strip("_").lower()[:40] or "v"
        if base[0].isdigit():
            base = "c_" + base
        name, count = base, self.taken.get(base, 0)
        while count or keyword.iskeyword(name) or _is_fixed(name) or name in self.taken:
            count += 1
            name = f"{base}_{count}"
            if name not in self.taken:
                break
        self.taken[base] = max(count, 1)
        self.taken.setdefault(name, 1)
        return name

    def text(self) -> str:
        """The source so far."""
        return "\n".join(self.lines) + "\n"


# Names that kernels have whatever is in them. A column may be called like one of them.
COUNTER: Final = "counter"
CAPACITY: Final = "capacity"
RESUME: Final = "resume"
_FIXED: Final = frozenset(
    {"i", "lo", "hi", "kernel", "abs", "len", "max", "min", "range", "boolean", "float32", "float64"}
    | {"array", "buffer", "given", "arguments", "words", "it", "compiled"}
    | {COUNTER, CAPACITY, RESUME, "n_out", "skip", "emitted", "projection"}
    | {f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64)}
)
_OF_A_JOIN: Final = re.compile(r"(begin|end|has|match|any|turn)\d+")


def _is_fixed(name: str) -> bool:
    return name in _FIXED or _OF_A_JOIN.fullmatch(name) is not None
