"""Spark's Bloom filters on the larger side of a join: `InjectRuntimeFilter` puts them there, users cannot.

A row whose key is not in the filter would find no match in the join above, which drops it anyway. So they are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyflare.plan.decode import Json


def without_runtime_filters(condition: Json) -> Json | None:
    """A wire condition without the conjuncts that are such filters; None if there are no others."""
    if condition["e"] == "And":
        sides = [without_runtime_filters(condition["f"][side]) for side in ("left", "right")]
        left, right = sides
        if left is None or right is None:
            return left or right
        return {**condition, "f": {"left": left, "right": right}}
    return None if _is_runtime_filter(condition) else condition


def _is_runtime_filter(json: Json) -> bool:
    """`might_contain(<Bloom filter of the hashed keys of the other side>, xxhash64(key))`."""
    if json["e"] != "BloomFilterMightContain":
        return False
    filter_, value = json["f"]["bloomFilterExpression"], json["f"]["valueExpression"]
    if filter_["e"] == "GetStructField":  # Spark has merged subqueries over the same rows
        filter_ = filter_["f"]["child"]
    if value["e"] != "XxHash64" or filter_["e"] != "ScalarSubquery":
        return False
    made = (found for found in _within(filter_["f"]["plan"]) if found["e"] == "BloomFilterAggregate")
    return {found["f"]["child"]["e"] for found in made} == {"XxHash64"}


def _within(json: Any) -> Iterator[Json]:
    """All expressions in a wire value."""
    if isinstance(json, Mapping):
        if "e" in json:
            yield json
        json = json.values()
    elif not isinstance(json, list):
        return
    for part in json:
        yield from _within(part)
