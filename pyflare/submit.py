"""`spark-submit` with PyFlare's settings merged into those that its arguments and files give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyflare import session

_FLAGS: Final = (
    "--help",
    "-h",
    "--supervise",
    "--usage-error",
    "--verbose",
    "-v",
    "--version",
    "--load-spark-defaults",
)


@dataclass(frozen=True)
class Option:
    """One option of `spark-submit`; `value` is None for a flag."""

    name: str
    value: str | None

    @property
    def setting(self) -> tuple[str, str] | None:
        """The key and value that this option sets in Spark's configuration, for those that concern PyFlare."""
        if self.name in ("--conf", "-c") and self.value:
            key, _, value = self.value.partition("=")
            return key, value
        return ("spark.jars", self.value) if self.name == "--jars" and self.value else None

    @property
    def words(self) -> list[str]:
        return [self.name] if self.value is None else [self.name, self.value]


def with_pyflare(arguments: Sequence[str]) -> list[str]:
    """The arguments of `spark-submit` that load PyFlare as well; what belongs to the job is left alone."""
    options, job = split(arguments)
    settings = session.conf(_given(options))
    kept = [option for option in options if option.setting is None or option.setting[0] not in settings]
    ours = [Option("--conf", f"{key}={value}") for key, value in settings.items()]
    return [word for option in [*kept, *ours] for word in option.words] + job


def split(arguments: Sequence[str]) -> tuple[list[Option], list[str]]:
    """The options of `spark-submit`, and the job with its own arguments."""
    options, rest = [], list(arguments)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in _FLAGS or not (equals or rest):
            options.append(Option(word, None))
        else:
            options.append(Option(name, value) if equals else Option(word, rest.pop(0)))
    return options, rest


def _given(options: Iterable[Option]) -> Mapping[str, str]:
    """What the files and options set, later ones over earlier ones, as `spark-submit` reads them."""
    files = [option.value for option in options if option.name == "--properties-file" and option.value]
    settings = session.read_properties(Path(files[-1])) if files else session.defaults()
    return {**settings, **dict(option.setting for option in options if option.setting)}
