"""Building join tables: rows are numbered by their key, and the rows of one key lie side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64, njit, uint64

from pyflare.runtime.memory import OPTIONS, hash_bytes, hash_word

Array = npt.NDArray[Any]


@njit(**OPTIONS)
def hash_keys(words: Array, texts: Array, count: int) -> Array:
    """The hash of each row's key words, as the kernels compute it (`codegen.sinks`)."""
    width = len(texts)
    hashes = np.empty(count, np.uint64)
    for row in range(count):
        h = uint64(0)
        w = 0
        while w < width:
            at = row * width + w
            if texts[w]:
                part = hash_bytes(uint64(words[at]), words[at + 1])
                step = 2
            else:
                part = uint64(words[at])
                step = 1
            h = hash_word(part if w == 0 else h ^ part)
            w += step
        hashes[row] = h
    return hashes


@njit(**OPTIONS)
def rows_by_group(places: Array, groups: int) -> tuple[Array, Array]:
    """Counting sort of rows by group; a negative group comes last.

    Gives the first position of each group (`groups` + 2 entries: the last two bound the rows without a group) and the
    rows in order.
    """
    starts = np.zeros(groups + 2, np.int64)
    for row in range(len(places)):
        g = places[row] if places[row] >= 0 else int64(groups)
        starts[g + 1] += 1
    for g in range(groups + 1):
        starts[g + 1] += starts[g]
    cursor = starts.copy()
    order = np.empty(len(places), np.int64)
    for row in range(len(places)):
        g = places[row] if places[row] >= 0 else int64(groups)
        order[cursor[g]] = row
        cursor[g] += 1
    return starts, order
