"""A path through a function: the statements written on it so far, and the values that its variables have there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from pyflare.codegen.writer import INDENT
from pyflare.errors import Unsupported
from pyflare.python.values import Bool, Float, Int, Maybe, Nothing, Scalar, State, Value, described, negated

_MAX_LINES: Final = 800


class Ends(Exception):
    """Python raises here: the path ends, and Spark is asked."""


@dataclass
class Block:
    """Statements under a header."""

    header: str
    lines: Lines


Lines = list["str | Block"]


def render(lines: Lines, depth: int) -> list[str]:
    """Lines of source at a depth."""
    text: list[str] = []
    for line in lines:
        if isinstance(line, str):
            text.append(INDENT * depth + line)
        elif line.lines or line.header != "else":
            text.append(f"{INDENT * depth}{line.header}:")
            text += render(line.lines or ["pass"], depth + 1)
    return text


@dataclass
class Source:
    """What all paths of one function share: names, imports, and the statement that sends the query to Spark."""

    fresh: Callable[[str], str]
    use: Callable[[str], str]
    needs_spark: str
    written: int = 0
    results: list[Value] = field(default_factory=list)

    def count(self) -> None:
        """Keep what is written within limits. Raises `Unsupported`."""
        self.written += 1
        if self.written > _MAX_LINES:
            raise Unsupported("it becomes too long: its variables have too many different types on its paths")


@dataclass
class Path:
    """One way through the function. What is unknown of values raises `Unsupported`, what Python raises `Ends`."""

    source: Source
    lines: Lines
    state: State = field(default_factory=dict)

    def line(self, text: str) -> None:
        self.source.count()
        self.lines.append(text)

    def let(self, hint: str, code: str) -> str:
        """Give `code` a name."""
        name = self.source.fresh(hint)
        self.line(f"{name} = {code}")
        return name

    def call(self, helper: str, *arguments: str) -> str:
        """The call of a runtime helper."""
        return f"{self.source.use(helper)}({', '.join(arguments)})"

    def number(self, hint: str, code: str, numpy: bool = False) -> Float:
        return Float(self.let(hint, code), numpy)

    def test(self, code: str, numpy: bool = False) -> Bool:
        """A truth value: constants and names stay as they are."""
        simple = code in ("True", "False") or code.removeprefix("not ").isidentifier()
        return Bool(code if simple else self.let("test", code), numpy)

    def whole(self, hint: str, code: str, low: int, high: int) -> Int:
        """An integer within bounds."""
        if low == high:
            return Int(f"int64({low})", low, low)
        return Int(self.let(hint, code), low, high)

    def bail_when(self, condition: str) -> None:
        """Send the query to Spark when a condition holds."""
        if condition == "True":
            raise Ends
        if condition != "False":
            self.source.count()
            self.lines.append(Block(f"if {condition}", [self.source.needs_spark]))

    def aside(self, lines: Lines, condition: str, truth: bool) -> Path:
        """This path where it goes on in other lines, when a condition is `truth`."""
        return Path(self.source, lines, known(self.state, condition, truth))

    def present(self, value: Value) -> Value:
        """A value that Python needs to be no None; from here on it is known to be none."""
        if isinstance(value, Nothing):
            raise Ends
        if not isinstance(value, Maybe):
            return value
        self.bail_when(negated(value.ok))
        self.state.update(known(self.state, value.ok, True))
        return value.value

    def scalar(self, value: Value, what: str) -> Scalar:
        """A number or a truth value that is present; NumPy's truth values are no numbers to NumPy."""
        found = self.present(value)
        if not isinstance(found, Scalar) or (isinstance(found, Bool) and found.numpy):
            raise Unsupported(f"{what} of {described(found)} is not supported")
        return found


def known(state: State, condition: str, truth: bool) -> State:
    """A state where a condition is known to be true or false: what may be None is or is not."""
    return {name: _known(value, condition, truth) for name, value in state.items()}


def _known(value: Value, condition: str, truth: bool) -> Value:
    if not isinstance(value, Maybe):
        return value
    if condition == value.ok:
        return value.value if truth else Nothing()
    if condition == negated(value.ok):
        return Nothing() if truth else value.value
    if truth and condition.startswith(f"({value.ok} and "):
        return value.value
    return value


def as_int(value: Scalar) -> Int:
    """A truth value as the number that Python takes it for."""
    if isinstance(value, Int):
        return value
    if isinstance(value, Bool):
        if value.code in ("True", "False"):
            number = int(value.code == "True")
            return Int(f"int64({number})", number, number)
        return Int(f"int64({value.code})", 0, 1)
    raise TypeError(value)


def as_float(value: Scalar) -> Float:
    """A number as a float."""
    if isinstance(value, Float):
        return value
    number = as_int(value)
    if number.low == number.high and number.is_exact_float:
        return Float(repr(float(number.low)))
    return Float(f"float64({number.code})")


def without_numpy(value: Float) -> Float:
    return replace(value, numpy=False)
