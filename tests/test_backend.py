"""What the backend remembers of plans and their programs."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pyflare import backend
from pyflare.backend import Backend
from pyflare.compile import Decision


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans that are decided, one fragment each, by a backend that remembers three."""
    decided: list[str] = []

    def decide(document: dict[str, Any], identity: str, _cache: object) -> Decision:
        decided.append(document["plan"])
        subtree = SimpleNamespace(node=0, inputs=(), ordered=False, single=False)
        return Decision((SimpleNamespace(id=f"{identity}:0", subtree=subtree),), ())  # type: ignore[arg-type]

    monkeypatch.setattr(backend, "decide", decide)
    monkeypatch.setattr(backend, "Programs", lambda fragment: fragment)
    monkeypatch.setattr(backend, "_KNOWN_PLANS", 3)
    monkeypatch.setattr(Backend, "_warm", lambda _self: None)
    return decided


def plan(known: Backend, name: str) -> str:
    """Plan a query by its name; returns its fragment's id."""
    document = {"plan": name, "conf": {"spark.pyflare.rehearsing": "true"}}
    fragment: str = json.loads(known.plan(json.dumps(document)))["fragments"][0]["id"]
    return fragment


def test_a_plan_is_decided_anew_when_its_program_is_forgotten(planned: list[str]) -> None:
    """Also one that has been asked for all the time."""
    known = Backend()
    first = plan(known, "hot")
    for name in "abc":
        plan(known, name)
        assert plan(known, "hot") == first
    assert known._known(first)
    assert planned.count("hot") == 2


def test_a_program_that_runs_is_not_forgotten_before_others(planned: list[str]) -> None:
    known = Backend()
    first = plan(known, "hot")
    for name in "abcdef":
        plan(known, name)
        assert json.loads(known.run(json.dumps({"fragment": first, "run": name})))["kind"] == "internal"
    assert planned.count("hot") == 1


def test_an_unknown_fragment_leaves_nothing(planned: list[str]) -> None:
    known = Backend()
    assert json.loads(known.run(json.dumps({"fragment": "x:0", "run": "1"})))["kind"] == "unknown-fragment"
    assert not known._running
