"""Work over many rows in a few jobs, which threads may do side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

Together = Callable[[Sequence[Callable[[], Any]]], list[Any]]
"""Does jobs, perhaps at the same time, and gives their results in order."""

SHARE_ROWS: Final = 2**18


def in_turn(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """One job after the other."""
    return [job() for job in jobs]


def shares(count: int) -> Iterator[tuple[int, int]]:
    """`0 … count` in ranges worth a job of their own: at least one, which is empty for no rows."""
    for start in range(0, max(count, 1), SHARE_ROWS):
        yield start, min(count, start + SHARE_ROWS)
