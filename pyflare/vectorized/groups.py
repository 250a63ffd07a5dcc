"""Groups of rows on their way to functions and back, through PySpark's serializers, but not through a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FunctionType
from typing import Any

import pyarrow as pa

Group = Sequence[Sequence[pa.RecordBatch]]
"""The batches of each table that a group has: one, or two of a cogroup, which may be empty, but have a batch."""


def of_groups(serializer: Any, groups: Iterable[Group]) -> Iterator[Any]:
    """What the serializer's `load_stream` makes of groups.

    From its file, it reads how many tables a group has, and then each as an Arrow stream; a zero ends the groups. Here
    the same code runs where the two names for that mean the groups themselves.
    """
    load = type(serializer).load_stream
    names = {**load.__globals__, "read_int": _Groups.move_on, "ArrowStreamSerializer": _Groups}
    load_groups: Callable[[Any, _Groups], Iterator[Any]] = FunctionType(load.__code__, names, closure=load.__closure__)
    return load_groups(serializer, _Groups(groups))


class _Groups:
    """Takes the place of a file of groups."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._groups = iter(groups)
        self._tables: Iterator[Sequence[pa.RecordBatch]] = iter(())

    def move_on(self) -> int:
        """How many tables the next group has; none if there is no group."""
        group = next(self._groups, ())
        self._tables = iter(group)
        return len(group)

    @staticmethod
    def load_stream(_serializer: Any, groups: _Groups) -> Iterator[pa.RecordBatch]:
        """The batches of the group's next table."""
        return iter(next(groups._tables))


def written(serializer: Any, results: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    """The batches that the serializer's `dump_stream` would write, of one that leaves the writing to its base class."""
    from pyspark.sql.pandas.serializers import ArrowStreamSerializer

    class Kept(ArrowStreamSerializer):
        def dump_stream(self, iterator: Iterator[pa.RecordBatch], stream: Any) -> None:
            stream.batches = iterator

    kind, file = type(serializer), _Nowhere()
    serializer.__class__ = type(kind.__name__, (kind, Kept), {})
    serializer.dump_stream(results, file)
    return file.batches


class _Nowhere:
    """A file for what a serializer writes before its first batch."""

    batches: Iterator[pa.RecordBatch]

    def write(self, _data: bytes) -> None:
        """Nothing reads it."""
