"""Keeping row groups that are being read in slices, whatever the cache evicts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyflare.io.cache import Chunk

MAX_ROW_GROUPS: Final = 2


class Pins:
    """The decoded columns of the row groups that a scan used last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: OrderedDict[tuple[int, int], dict[int, Chunk]] = OrderedDict()

    def of(self, file: int, row_group: int) -> dict[int, Chunk]:
        """The pinned columns of a row group by index: the caller reads and adds to them."""
        with self._lock:
            group = self._groups.setdefault((file, row_group), {})
            self._groups.move_to_end((file, row_group))
            if len(self._groups) > MAX_ROW_GROUPS:
                self._groups.popitem(last=False)
            return group

    def clear(self) -> None:
        """Keep nothing. Those who have a group's columns go on with them."""
        with self._lock:
            self._groups.clear()
