"""What PyFlare takes over of a query, and why the rest stays with Spark."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

_NOT_ASKED: Final = "PyFlare did not plan this: it is off, or its worker does not run (then the log says why)"


@dataclass(frozen=True)
class Fragment:
    """A part of the plan that runs in PyFlare: its root's number, its operators, the inputs that Spark runs."""

    id: str
    node: int
    operators: tuple[str, ...]
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Reason:
    """Why one operator of the plan stays with Spark."""

    node: int
    op: str
    reason: str

    def __str__(self) -> str:
        return f"{self.op} (node {self.node}): {self.reason}"


@dataclass(frozen=True, repr=False)
class Explanation:
    """The decision about one query; nodes are numbered in pre-order over Spark's physical plan."""

    fragments: tuple[Fragment, ...]
    reasons: tuple[Reason, ...]

    @classmethod
    def parse(cls, text: str) -> Explanation:
        """Read the answer of `org.pyflare.PyFlare.explain`."""
        document = json.loads(text)
        decision = document["decision"]
        if decision is None:
            return cls((), (Reason(0, "query", _NOT_ASKED),))
        operators = {fragment["id"]: tuple(fragment["operators"]) for fragment in document["fragments"]}
        fragments = (_fragment(fragment, operators) for fragment in decision["fragments"])
        reasons = (Reason(r["node"], r["op"], r["reason"]) for r in decision["reasons"])
        return cls(tuple(fragments), tuple(reasons))

    @property
    def fully_accelerated(self) -> bool:
        """Whether one fragment stands for the whole plan and Spark runs nothing below it."""
        return any(fragment.node == 0 and not fragment.inputs for fragment in self.fragments)

    @property
    def coverage(self) -> str:
        """`fully`, `partly` or `no`."""
        if self.fully_accelerated:
            return "fully"
        return "partly" if self.fragments else "no"

    def __repr__(self) -> str:
        """What a notebook shows."""
        return str(self)

    def __str__(self) -> str:
        summary = {"fully": "All of it runs in PyFlare", "partly": "Some of it runs in PyFlare", "no": "Spark runs it"}
        taken = [f"  PyFlare  {' <- '.join(f.operators)}" for f in self.fragments]
        left = [f"  Spark    {reason}" for reason in self.reasons]
        return "\n".join([summary[self.coverage], *taken, *left])


def _fragment(fragment: dict[str, Any], operators: dict[str, tuple[str, ...]]) -> Fragment:
    taken = operators.get(fragment["id"], ())
    return Fragment(fragment["id"], fragment["node"], taken, tuple(fragment.get("inputs", ())))
