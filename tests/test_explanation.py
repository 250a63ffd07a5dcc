"""Reading the shim's account of a decision."""

from __future__ import annotations

import json
from typing import Any

from pyflare.explanation import Explanation, Reason


def _answer(fragments: list[dict[str, Any]], reasons: list[dict[str, Any]]) -> str:
    described = [{"id": fragment["id"], "operators": ["FilterExec", "FileSourceScanExec"]} for fragment in fragments]
    return json.dumps({"fragments": described, "decision": {"fragments": fragments, "reasons": reasons, "log": ""}})


def test_everything_taken() -> None:
    found = Explanation.parse(_answer([{"id": "a:0", "node": 0, "inputs": []}], []))
    assert found.fully_accelerated
    assert found.coverage == "fully"
    assert str(found) == "All of it runs in PyFlare\n  PyFlare  FilterExec <- FileSourceScanExec"


def test_an_input_from_spark_is_not_everything() -> None:
    found = Explanation.parse(_answer([{"id": "a:0", "node": 0, "inputs": [3]}], []))
    assert found.coverage == "partly"


def test_reasons() -> None:
    reason = {"node": 1, "op": "WindowExec", "reason": "window functions are not supported"}
    found = Explanation.parse(_answer([{"id": "a:2", "node": 2, "inputs": []}], [reason]))
    assert not found.fully_accelerated
    assert found.reasons == (Reason(1, "WindowExec", "window functions are not supported"),)
    assert "Spark    WindowExec (node 1): window functions are not supported" in str(found)


def test_nothing_decided() -> None:
    found = Explanation.parse(json.dumps({"fragments": [], "decision": None}))
    assert found.coverage == "no"
    assert "did not plan" in found.reasons[0].reason
