"""The functions that queries share, and having them compiled before they are called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final

from pyflare.runtime.aggregation import find_or_insert, rehash
from pyflare.runtime.joins import count_groups, gather, hash_keys, mark_ends, put_in_order
from pyflare.runtime.shared import Shared

# In the order in which queries come to need them.
FUNCTIONS: Final[tuple[Shared, ...]] = (
    mark_ends, hash_keys, find_or_insert, gather, rehash, count_groups, put_in_order,
)  # fmt: skip


def compile_each() -> Iterator[None]:
    """Compile every function for all its signatures, one at each step."""
    for function in FUNCTIONS:
        for index in range(len(function.signatures)):
            function.compile(index)
            yield


def expect_all(elsewhere: Callable[[str], threading.Event]) -> None:
    """Have everything usual compiled elsewhere that nobody has begun to compile; `elsewhere` is told a name."""
    for function in FUNCTIONS:
        function.expect(elsewhere)


def compile_named(name: str) -> None:
    """Compile what `expect_all` has asked for."""
    title, index = name.split()
    next(function for function in FUNCTIONS if function.__name__ == title).compile(int(index))
