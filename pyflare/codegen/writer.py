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
        self._taken: dict[str, int] = {}

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
        name, count = base, self._taken.get(base, 0)
        while count or keyword.iskeyword(name) or name in RESERVED or name in self._taken:
            count += 1
            name = f"{base}_{count}"
            if name not in self._taken:
                break
        self._taken[base] = max(count, 1)
        self._taken.setdefault(name, 1)
        return name

    def text(self) -> str:
        """The source so far."""
        return "\n".join(self.lines) + "\n"


RESERVED: Final = frozenset(
    {"i", "lo", "hi", "kernel", "abs", "len", "max", "min", "range", "boolean", "float32", "float64"}
    | {"array", "buffer", "given", "arguments", "words", "it"}
    | {f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64)}
)
