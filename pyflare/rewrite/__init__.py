"""IR → IR: rules, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from pyflare.plan.operators import Operator
from pyflare.rewrite.drop_sorts import drop_sorts
from pyflare.rewrite.prune_columns import prune_columns

Rule = Callable[[Operator], Operator]
RULES: tuple[Rule, ...] = (drop_sorts, prune_columns)


def rewrite(operator: Operator) -> Operator:
    """The operator after every rule."""
    for rule in RULES:
        operator = rule(operator)
    return operator
