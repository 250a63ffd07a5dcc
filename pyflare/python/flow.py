"""Control flow: a function's blocks become `if` and `while`, each once for each combination of types that gets there.

Python's variables have no types. A path knows the types of all its values; where paths meet, they go on as one if their
types agree, and else each goes on in code of its own (the technique is known as basic block versioning). Where paths
have to be told apart after they have met in the text, a variable says which it is, like a label that is jumped to.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from numba.core import ir

from pyflare.errors import Unsupported
from pyflare.python import values as v
from pyflare.python.frontend import Body, read, undecorated
from pyflare.python.paths import Block, Ends, Lines, Path
from pyflare.python.values import State, Value

RETURN: Final = -1
ARGUMENTS: Final = "$arguments"
_RESULT: Final = "$return"
_MAX_CALLS, _MAX_VERSIONS = 12, 6

Then = Callable[[Value, Path, "Scope | None"], bool]
Evaluate = Callable[["Frame", Any, Path], "Outcome"]


@dataclass(frozen=True)
class Place:
    """A block of one call of a function; `RETURN` is where the caller goes on."""

    frame: int
    label: int


@dataclass
class Frame:
    """One call of a function. `then` goes on with its result, for each `return` on its own if `last`."""

    number: int
    body: Body
    depth: int
    then: Then
    last: bool


@dataclass(frozen=True)
class Fork:
    """A value whose type depends on a condition at run time."""

    condition: str
    yes: Callable[[Path], Outcome]
    no: Callable[[Path], Outcome]


@dataclass(frozen=True)
class Call:
    """The result of another Python function."""

    function: Any
    arguments: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...] = ()


Outcome = Value | Fork | Call


@dataclass
class Arrival:
    """A path that has come to a place, with the statement that ends it there."""

    place: Place
    path: Path
    ending: str = ""


@dataclass
class Merge:
    """Paths to `targets` meet at the end of what is being written."""

    outer: Scope | None
    targets: frozenset[Place]
    arrivals: list[Arrival] = field(default_factory=list)


@dataclass
class Loop:
    """The loop that is being written, with the values that its variables have at its beginning."""

    outer: Scope | None
    place: Place
    blocks: frozenset[int]
    state: State
    changing: frozenset[str]
    rounds: list[Arrival] = field(default_factory=list)
    exits: list[Arrival] = field(default_factory=list)

    def contains(self, place: Place) -> bool:
        """Whether a place is in the loop; the functions that are called in it have greater numbers."""
        if place.frame != self.place.frame:
            return place.frame > self.place.frame
        return place.label in self.blocks


Scope = Merge | Loop


class Widen(Exception):
    """A loop's variables may have more values than was assumed: it is written anew."""

    def __init__(self, loop: Loop, state: State) -> None:
        super().__init__()
        self.loop, self.state = loop, state


class Flow:
    """Writes a function. `evaluate` knows what the single statements mean."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._frames: list[Frame] = []

    # Calls ------------------------------------------------------------------------------------------------------------

    def call(self, call: Call, path: Path, scope: Scope | None, then: Then, depth: int = 0, last: bool = False) -> bool:
        """Write a function's body here and go on with its result. Returns whether control may fall out of the lines."""
        if depth > _MAX_CALLS:
            raise Unsupported(f"{call.function.__name__} calls itself, or functions call each other too deeply")
        body = read(call.function)
        frame = Frame(len(self._frames), body, depth, then, last)
        self._frames.append(frame)
        merge = Merge(scope, frozenset((Place(frame.number, RETURN),)))
        mark = len(path.lines)
        state: State = {ARGUMENTS: v.Items(_bound(call))}
        self.goto(Place(frame.number, body.start), Path(path.source, path.lines, state), merge)
        return self._settle(merge, path.lines, mark)

    def follow(self, outcome: Outcome, path: Path, scope: Scope | None, then: Then, depth: int) -> bool:
        """Go on with a value, in each of the ways in which it comes about."""
        if isinstance(outcome, Call):
            return self.call(outcome, path, scope, then, depth + 1)
        if not isinstance(outcome, Fork):
            return then(outcome, path, scope)
        if outcome.condition in ("True", "False"):
            side = outcome.yes if outcome.condition == "True" else outcome.no
            return self.follow(side(path), path, scope, then, depth)

        def go(side: Callable[[Path], Outcome]) -> Callable[[Path, Scope | None], bool]:
            def write(path: Path, scope: Scope | None) -> bool:
                try:
                    return self.follow(side(path), path, scope, then, depth)
                except Ends:
                    path.line(path.source.needs_spark)
                    return False

            return write

        return self._either(outcome.condition, go(outcome.yes), go(outcome.no), path, scope)

    @staticmethod
    def _either(
        condition: str,
        yes: Callable[[Path, Scope | None], bool],
        no: Callable[[Path, Scope | None], bool],
        path: Path,
        scope: Scope | None,
    ) -> bool:
        """An `if`; there is no need of an `else` where nothing falls out of it."""
        lines: Lines = []
        path.source.count()
        path.lines.append(Block(f"if {condition}", lines))
        falls = yes(path.aside(lines, condition, True), scope)
        if not falls:
            return no(path.aside(path.lines, condition, False), scope)
        otherwise = Block("else", [])
        path.lines.append(otherwise)
        no(path.aside(otherwise.lines, condition, False), scope)
        return True

    # Places -----------------------------------------------------------------------------------------------------------

    def goto(self, place: Place, path: Path, scope: Scope | None) -> bool:
        """Go on at a place: later, where others wait for it too, or here."""
        arrival = Arrival(place, Path(path.source, path.lines, self._needed(place, path.state)))
        around = scope
        while isinstance(around, Merge):
            if place in around.targets:
                assert isinstance(scope, Merge)
                scope.arrivals.append(arrival)
                return True
            around = around.outer
        if around is not None and place == around.place:
            return self._again(around, arrival, scope)
        if around is not None and not around.contains(place):
            arrival.ending = "break"
            around.exits.append(arrival)
            return False
        return self._enter(place, arrival.path, scope)

    def _enter(self, place: Place, path: Path, scope: Scope | None) -> bool:
        frame = self._frames[place.frame]
        if place.label == RETURN:
            return frame.then(path.state[_RESULT], path, scope)
        if place.label in frame.body.loops:
            return self._loop(place, path, scope)
        return self._run(frame, place.label, 0, path, scope)

    def _needed(self, place: Place, state: State) -> State:
        """The variables that are read from a place on."""
        if place.label == RETURN:
            return {_RESULT: state[_RESULT]}
        body = self._frames[place.frame].body
        wanted = {*body.live[place.label], *((ARGUMENTS,) if place.label == body.start else ())}
        return {name: value for name, value in state.items() if name in wanted}

    @staticmethod
    def _is_known(place: Place, scope: Scope | None) -> bool:
        """Whether paths to a place are awaited further outside."""
        while isinstance(scope, Merge):
            if place in scope.targets:
                return True
            scope = scope.outer
        return scope is not None and (place == scope.place or not scope.contains(place))

    # Merges -----------------------------------------------------------------------------------------------------------

    def _settle(self, merge: Merge, lines: Lines, mark: int) -> bool:
        """Go on at each of the places that paths have come to, each of them after what leads to it."""
        selector, number, falls = "", 0, False
        while merge.arrivals:
            place = min((arrival.place for arrival in merge.arrivals), key=lambda p: self._turn(p, merge))
            here = [arrival for arrival in merge.arrivals if arrival.place == place]
            merge.arrivals = [arrival for arrival in merge.arrivals if arrival.place != place]
            groups = self._groups(here)
            for position, (state, arrivals) in enumerate(groups):
                number += 1
                alone = not merge.arrivals and position == len(groups) - 1 and not falls
                if not alone and not selector:
                    selector = arrivals[0].path.source.fresh("way")
                    lines.insert(mark, f"{selector} = 0")
                for arrival in arrivals:
                    _assign(arrival, state, "" if alone else f"{selector} = {number}")
                target = lines
                if not alone:
                    lines.append(Block(f"if {selector} == {number}", target := []))
                path = Path(arrivals[0].path.source, target, state)
                falls |= self._resume(place, path, merge)
        return falls

    def _turn(self, place: Place, merge: Merge) -> tuple[bool, int, int]:
        """Where a place comes: those that are awaited further outside last."""
        order = self._frames[place.frame].body.order
        return self._is_known(place, merge.outer), -place.frame, order.get(place.label, len(order))

    def _resume(self, place: Place, path: Path, merge: Merge) -> bool:
        if self._is_known(place, merge.outer):
            return self.goto(place, path, merge.outer)
        self._enter(place, path, merge)  # what falls out of it has arrived at another place of the merge
        return False

    def _groups(self, arrivals: list[Arrival]) -> list[tuple[State, list[Arrival]]]:
        """Arrivals that can go on as one, with the state in which they do."""
        groups: list[list[Arrival]] = []
        for arrival in arrivals:
            for group in groups:
                if _join([*(a.path.state for a in group), arrival.path.state], lambda hint: hint) is not None:
                    group.append(arrival)
                    break
            else:
                groups.append([arrival])
        found = []
        for group in groups:
            state = _join([arrival.path.state for arrival in group], group[0].path.source.fresh)
            assert state is not None
            found.append((state, group))
        return found

    # Loops ------------------------------------------------------------------------------------------------------------

    def _loop(self, place: Place, path: Path, scope: Scope | None) -> bool:
        body = self._frames[place.frame].body
        blocks = body.loops[place.label]
        changing = body.assigned_in(blocks) & body.live[place.label]
        if _versions(place, scope) > _MAX_VERSIONS:
            raise Unsupported("the types of variables change from round to round of a loop")
        start, wide = path.state, path.state
        while True:
            state = {n: _any_of(x, path.source.fresh) if n in changing else x for n, x in wide.items()}
            loop, lines = Loop(scope, place, blocks, state, changing), list[str | Block]()
            try:
                self._run(self._frames[place.frame], place.label, 0, Path(path.source, lines, dict(state)), loop)
                break
            except Widen as widen:
                if widen.loop is not loop:
                    raise
                wide = widen.state
        _assign(Arrival(place, Path(path.source, path.lines, start)), state, "")
        for arrival in loop.rounds:
            _assign(arrival, state, "")
        mark = len(path.lines)
        path.lines.append(Block("while True", lines))
        exits = frozenset(arrival.place for arrival in loop.exits)
        merge = Merge(scope, exits | self._merges(self._frames[place.frame], blocks, scope), loop.exits)
        return self._settle(merge, path.lines, mark)

    def _again(self, loop: Loop, arrival: Arrival, scope: Scope | None) -> bool:
        """The end of a round: the next one runs the same code if the types are the same."""
        state = arrival.path.state
        fits = _fits(loop, state)
        if fits:
            arrival.ending = "continue"
            loop.rounds.append(arrival)
            return False
        after = {**loop.state, **{name: state[name] for name in loop.changing if name in state}}
        wide = _join([loop.state, after], lambda hint: hint)
        if wide is not None and wide.keys() == state.keys():
            raise Widen(loop, wide)
        if any(_fits(other, state) for other in _loops(loop.outer) if other.place == loop.place):
            arrival.ending = "break"
            loop.exits.append(arrival)
            return False
        return self._loop(loop.place, arrival.path, scope)

    # Blocks -----------------------------------------------------------------------------------------------------------

    def _run(self, frame: Frame, label: int, index: int, path: Path, scope: Scope | None) -> bool:
        """Write a block from one of its statements on."""
        block = frame.body.blocks[label]
        try:
            if _raises(block.terminator):
                raise Ends
            for position in range(index, len(block.body)):
                statement = block.body[position]
                if isinstance(statement, ir.Assign):
                    outcome = self._evaluate(frame, statement.value, path)
                    if isinstance(outcome, Fork | Call):
                        caller = path.state if isinstance(outcome, Call) else None
                        then = self._after(frame, label, position, caller)
                        return self.follow(outcome, path, scope, then, frame.depth)
                    path.state[statement.target.name] = outcome
                elif not isinstance(statement, ir.Del):
                    return self._leave(frame, label, statement, path, scope)
        except Ends:
            path.line(path.source.needs_spark)
        return False

    def _after(self, frame: Frame, label: int, position: int, caller: State | None) -> Then:
        """What comes after the statement at `position`, with the variables of the caller if it is a call."""
        target = frame.body.blocks[label].body[position].target.name

        def then(value: Value, path: Path, scope: Scope | None) -> bool:
            state = {**(path.state if caller is None else caller), target: value}
            return self._run(frame, label, position + 1, Path(path.source, path.lines, state), scope)

        return then

    def _leave(self, frame: Frame, label: int, statement: Any, path: Path, scope: Scope | None) -> bool:
        def place(target: int) -> Place:
            return Place(frame.number, target)

        if isinstance(statement, ir.Return):
            result = read_variable(path, statement.value.name)
            if frame.last:
                return frame.then(result, path, scope)
            path.state[_RESULT] = result
            return self.goto(place(RETURN), path, scope)
        if isinstance(statement, ir.Jump):
            return self.goto(place(statement.target), path, scope)
        if not isinstance(statement, ir.Branch):
            raise Unsupported(f"a statement of the kind {type(statement).__name__} is not supported")
        condition = v.is_true(read_variable(path, statement.cond.name))
        if condition is None:
            raise Unsupported(f"whether {v.described(path.state[statement.cond.name])} is true is not known")
        if condition in ("True", "False"):
            return self.goto(place(statement.truebr if condition == "True" else statement.falsebr), path, scope)
        yes = partial(self.goto, place(statement.truebr))
        no = partial(self.goto, place(statement.falsebr))
        targets = self._merges(frame, (label,), scope)
        if not targets:
            return self._either(condition, yes, no, path, scope)
        merge, mark = Merge(scope, targets), len(path.lines)
        self._either(condition, yes, no, path, merge)
        return self._settle(merge, path.lines, mark)

    def _merges(self, frame: Frame, labels: Iterable[int], scope: Scope | None) -> frozenset[Place]:
        """Where paths meet that part at some blocks, and do not leave a loop for it."""
        loop = next(iter(_loops(scope)), None)
        places = (Place(frame.number, merged) for label in labels for merged in frame.body.merges[label])
        return frozenset(place for place in places if loop is None or loop.contains(place))


def read_variable(path: Path, name: str) -> Value:
    """A variable's value; Python raises where it has none."""
    if name not in path.state:
        raise Ends
    return path.state[name]


def _bound(call: Call) -> tuple[Value, ...]:
    """The values of a function's parameters, in their order."""
    function = call.function
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.signature(undecorated(function))
    if any(parameter.kind not in kinds for parameter in signature.parameters.values()):
        raise Unsupported(f"{function.__name__} takes any number of arguments")
    try:
        bound = signature.bind(*call.arguments, **dict(call.keywords)).arguments
    except TypeError:
        raise Ends from None
    return tuple(bound[n] if n in bound else v.constant(p.default) for n, p in signature.parameters.items())


def _raises(terminator: Any) -> bool:
    return isinstance(terminator, ir.Raise | ir.StaticRaise | ir.DynamicRaise)


def _join(states: Iterable[State], fresh: Callable[[str], str]) -> State | None:
    """One state for several; None where their variables or types differ."""
    states = list(states)
    if any(state.keys() != states[0].keys() for state in states):
        return None
    found = {name: v.joined([state[name] for state in states], fresh) for name in states[0]}
    return None if None in found.values() else {name: value for name, value in found.items() if value is not None}


def _assign(arrival: Arrival, state: State, selector: str) -> None:
    """What a path has to do so that it can go on in `state`."""
    pairs: list[tuple[str, str]] = []
    for name, value in state.items():
        pairs += v.assignments(value, arrival.path.state[name])
    pairs = list(dict.fromkeys(pairs))
    if pairs:
        arrival.path.line(f"{', '.join(name for name, _ in pairs)} = {', '.join(code for _, code in pairs)}")
    for text in (selector, arrival.ending):
        if text:
            arrival.path.line(text)


def _any_of(value: Value, fresh: Callable[[str], str]) -> Value:
    """Any value of a type."""
    if isinstance(value, v.Int):
        return v.Int(fresh("number"))
    if isinstance(value, v.Bool):
        return v.Bool(fresh("truth"), value.numpy)
    if isinstance(value, v.Float):
        return v.Float(fresh("number"), value.numpy)
    if isinstance(value, v.Maybe):
        inner = _any_of(value.value, fresh)
        assert isinstance(inner, v.Scalar)
        return v.Maybe(inner, fresh("there"))
    if isinstance(value, v.Items):
        return v.Items(tuple(_any_of(one, fresh) for one in value.values))
    return value


def _fits(loop: Loop, state: State) -> bool:
    """Whether the code of a loop is right for the values that its variables have after a round."""
    if loop.state.keys() != state.keys():
        return False
    return all(_is_one_of(state[name], loop.state[name]) for name in loop.changing & state.keys())


def _is_one_of(value: Value, general: Value) -> bool:
    if isinstance(general, v.Maybe):
        inner = value.value if isinstance(value, v.Maybe) else value
        return isinstance(value, v.Nothing) or _is_one_of(inner, general.value)
    if type(value) is not type(general):
        return False
    if isinstance(general, v.Items):
        assert isinstance(value, v.Items)
        if len(value.values) != len(general.values):
            return False
        return all(map(_is_one_of, value.values, general.values))
    if isinstance(general, v.Bool | v.Float):
        return general.numpy == value.numpy  # type: ignore[union-attr]
    return isinstance(general, v.Int) or value == general


def _loops(scope: Scope | None) -> list[Loop]:
    """The loops around, the innermost first."""
    found = []
    while scope is not None:
        if isinstance(scope, Loop):
            found.append(scope)
        scope = scope.outer
    return found


def _versions(place: Place, scope: Scope | None) -> int:
    return sum(loop.place == place for loop in _loops(scope))


__all__ = ["ARGUMENTS", "Call", "Flow", "Fork", "Frame", "Outcome", "read_variable"]
