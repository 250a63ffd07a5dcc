"""Programs in which equal subtrees have become one: a plan has them all, Spark finds them when it runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pyflare.codegen.generate import Generated
from pyflare.codegen.joins import JoinSpec
from pyflare.pipeline.equal import Sources, form, is_worth_sharing, leaves
from pyflare.pipeline.model import BuildNode


def share(programs: Sequence[Generated], sources: Sources) -> tuple[Generated, ...]:
    """The programs of a fragment, which run one after the other, with one object for all subtrees that are equal."""
    rough = Counter(_rough(part, sources) for part in _parts(programs))
    if all(count == 1 for count in rough.values()):
        return tuple(programs)
    sharing = _Sharing(sources, rough)
    for program in programs:
        sharing.count(program)
    return tuple(map(sharing.shared, programs))


def _parts(programs: Sequence[Generated]) -> Iterator[Generated]:
    for program in programs:
        if is_worth_sharing(program.node):
            yield program
        yield from _parts(program.inputs)


def _rough(program: Generated, sources: Sources) -> Hashable:
    """Equal for equal subtrees, and quick to find."""
    return type(program.node), leaves(program.node, sources)


class _Sharing:
    def __init__(self, sources: Sources, rough: Counter[Hashable]) -> None:
        self._sources = sources
        self._rough = rough
        self._keys: dict[int, Hashable | None] = {}
        self._users: dict[Hashable, list[Generated]] = {}
        self._made: dict[Hashable, Generated] = {}

    def count(self, program: Generated) -> None:
        """Note who computes what; what is below a subtree that is there already will not run."""
        key = self._key(program)
        if key is not None:
            users = self._users.setdefault(key, [])
            is_known = bool(users)
            users.append(program)
            if is_known:
                return
        for child in program.inputs:
            self.count(child)

    def shared(self, program: Generated) -> Generated:
        """The program, or the first that equals it."""
        key = self._key(program)
        if key is not None and key in self._made:
            return self._made[key]
        made = replace(program, inputs=tuple(map(self.shared, program.inputs)))
        if key is None:
            return made
        users = self._users[key]
        if len({id(user.node) for user in users}) > 1:
            used = tuple(sorted(set().union(*(user.used for user in users))))
            made = replace(made, used=used, is_shared=not isinstance(made.node, BuildNode), spec=_for_all(users))
        self._made[key] = made
        return made

    def _key(self, program: Generated) -> Hashable | None:
        """Equal for subtrees that compute the same; None where there is nothing to share."""
        node = program.node
        if id(node) not in self._keys:
            may_be = is_worth_sharing(node) and self._rough[_rough(program, self._sources)] > 1
            found = form(node, self._sources) if may_be else None
            self._keys[id(node)] = None if found is None else (found, program.shape)
        return self._keys[id(node)]


def _for_all(users: Sequence[Generated]) -> Any:
    """How to make what all users need."""
    spec = users[0].spec
    if not isinstance(spec, JoinSpec):
        return spec
    return replace(spec, members=any(isinstance(user.spec, JoinSpec) and user.spec.members for user in users))
