"""The files in `tests/sql`: queries with the few words of comment that say how to run them.

```
-- data: moderate, extreme        the rows behind the view `t` (tests/tables.py); each is tried
-- files: many, empty             how they are stored; each is tried
-- ansi: both                     on (default), off or both
-- aqe: both                      on (default), off or both
-- zones: UTC, +05:30            the session's time zone; each is tried; the default is that of `tests/conftest.py`
-- conf: spark.sql.timestampType=TIMESTAMP_NTZ
-- floats: close                  floating-point results are sums: compare to 1e-9 instead of exactly

-- fallback: allowed              or words of the reason why it must stay with Spark; the default is that none may
-- raises: ARITHMETIC_OVERFLOW    the error condition that Spark ends with, in at least one of the modes
SELECT sum(i32) FROM t;
```

What stands above the first empty line holds for the whole file, the rest for the next query. `CREATE`, `INSERT`, `DROP`
and `SET` are preparations: they run once, before the first query.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

_DIRECTIVE: Final = re.compile(r"-- ([a-z]+): *(.*)")
_PREPARATION: Final = re.compile(r"(create|insert|drop|set)\b", re.IGNORECASE)
_SWITCH: Final[Mapping[str, tuple[str, ...]]] = {"on": ("true",), "off": ("false",), "both": ("true", "false")}


@dataclass(frozen=True)
class Options:
    """How to run a query; every field is a directive."""

    data: tuple[str, ...] = ("moderate",)
    files: tuple[str, ...] = ("many",)
    ansi: tuple[str, ...] = ("true",)
    aqe: tuple[str, ...] = ("true",)
    zones: tuple[str, ...] = ()
    conf: tuple[tuple[str, str], ...] = ()
    floats: str = "exact"
    fallback: str = ""
    raises: str = ""

    def with_directive(self, name: str, value: str) -> Options:
        """These options and one more. Raises KeyError for a directive that does not exist."""
        return replace(self, **{name: _READERS[name](self, value)})

    def modes(self) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
        """Every ((data, files), settings) to try."""
        zones = [{"spark.sql.session.timeZone": zone} for zone in self.zones] or [{}]
        for data, files, ansi, aqe, zone in itertools.product(self.data, self.files, self.ansi, self.aqe, zones):
            settings = {"spark.sql.ansi.enabled": ansi, "spark.sql.adaptive.enabled": aqe, **zone, **dict(self.conf)}
            yield (data, files), settings

    @property
    def accelerated(self) -> bool | str:
        """The argument of `assert_same`."""
        if self.fallback == "allowed":
            return False
        return self.fallback or True


_READERS: Final[Mapping[str, Any]] = {
    "data": lambda _, value: _names(value),
    "files": lambda _, value: _names(value),
    "ansi": lambda _, value: _SWITCH[value],
    "aqe": lambda _, value: _SWITCH[value],
    "zones": lambda _, value: _names(value),
    "conf": lambda options, value: (*options.conf, tuple(value.split("=", 1))),
    "floats": lambda _, value: value,
    "fallback": lambda _, value: value,
    "raises": lambda _, value: value,
}


@dataclass(frozen=True)
class Case:
    """One query of a file."""

    line: int
    sql: str
    options: Options


@dataclass(frozen=True)
class SqlFile:
    """A file of `tests/sql`."""

    preparations: tuple[str, ...]
    cases: tuple[Case, ...]


def read(path: Path) -> SqlFile:
    """Parse a file. Raises KeyError for an unknown directive."""
    lines = path.read_text().splitlines()
    header = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    defaults = _options(lines[:header], Options())
    statements = list(_statements(lines[header:], header + 1))
    preparations = tuple(sql for _, sql, _ in statements if _PREPARATION.match(sql))
    cases = (
        Case(line, sql, _options(notes, defaults)) for line, sql, notes in statements if not _PREPARATION.match(sql)
    )
    return SqlFile(preparations, tuple(cases))


def _options(comments: list[str], options: Options) -> Options:
    for comment in comments:
        if match := _DIRECTIVE.match(comment):
            options = options.with_directive(match[1], match[2].strip())
    return options


def _statements(lines: list[str], first: int) -> Iterator[tuple[int, str, list[str]]]:
    """(line, statement, comments before it) for everything that ends with `;` at the end of a line."""
    start, sql, comments = first, "", list[str]()
    for number, line in enumerate(lines, first):
        if line.startswith("--") and not sql:
            comments.append(line)
        elif line.strip() or sql:
            start = start if sql else number
            sql += line + "\n"
            if line.rstrip().endswith(";"):
                yield start, sql.strip()[:-1], comments
                sql, comments = "", []
    if sql.strip():
        yield start, sql.strip(), comments


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(","))
