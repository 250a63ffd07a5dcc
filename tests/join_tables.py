"""Random small tables for joins: a column of each key type whose values meet those of other tables."""

from __future__ import annotations

import datetime
import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

ROWS: Final = (0, 1, 8, 30)
DISTINCT: Final = 40
"""Keys are made from numbers below this one."""
NULLS: Final = {"none": (0.0,), "some": (0.2,), "mixed": (0.0, 0.3, 1.0)}
"""The shares of nulls that the columns of a table may have."""

_NAN_WITH_PAYLOAD: Final = struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\xff")[0]
_SPECIAL_DOUBLES: Final = (float("nan"), -0.0, 0.0, float("inf"), _NAN_WITH_PAYLOAD)
_TEXTS: Final = ("", "k", "K", "ä", "k" * 40)


def _double(n: int, _far: bool) -> float:
    return _SPECIAL_DOUBLES[n] if n < len(_SPECIAL_DOUBLES) else float(n - 3)


def _decimal(n: int, far: bool) -> Decimal:
    """Some have a fraction; the others equal the integers."""
    return Decimal((n - 3) * (10**7 if far else 100) + 5 * (n % 3 == 2)).scaleb(-2)


def _wide(n: int, _far: bool) -> Decimal:
    """Some need two words; the others equal the integers."""
    return Decimal((n - 3) * (10**22 if n % 4 == 3 else 1000)).scaleb(-3)


COLUMNS: Final[dict[str, tuple[pa.DataType, Callable[[int, bool], Any]]]] = {
    "k16": (pa.int16(), lambda n, far: (n - 3) * (800 if far else 1)),
    "k32": (pa.int32(), lambda n, far: (n - 3) * (10**7 if far else 1)),
    "k64": (pa.int64(), lambda n, far: (n - 3) * (10**7 if far else 1)),
    "text": (pa.string(), lambda n, _: _TEXTS[n] if n < len(_TEXTS) else str(n - 3)),
    "dec": (pa.decimal128(9, 2), _decimal),
    "wide": (pa.decimal128(25, 3), _wide),
    "day": (pa.date32(), lambda n, far: datetime.date(1999, 12, 30) + datetime.timedelta(n * (3000 if far else 1))),
    "dbl": (pa.float64(), _double),
    "flag": (pa.bool_(), lambda n, _: n % 2 == 0),
    "ts": (pa.timestamp("us", "UTC"), lambda n, _: datetime.datetime(1969, 12, 31, n % 24, tzinfo=datetime.UTC)),
}
"""The key columns: their types, and what each makes of a number and of whether its values lie far apart."""
SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        *(pa.field(name, kind) for name, (kind, _) in COLUMNS.items()),
        pa.field("v", pa.int32()),
    ]
)
DDL: Final = (
    "id BIGINT, k16 SMALLINT, k32 INT, k64 BIGINT, text STRING, dec DECIMAL(9,2), wide DECIMAL(25,3), day DATE,"
    " dbl DOUBLE, flag BOOLEAN, ts TIMESTAMP, v INT"
)


@dataclass(frozen=True)
class KeyTable:
    """A random table: how many rows, how often a key comes again, where nulls are, and how the rows are stored."""

    rows: int
    keys: str
    nulls: str
    far: bool
    seed: int
    files: int
    group: int

    def table(self) -> pa.Table:
        """The rows."""
        rng = random.Random(self.seed)
        columns = {name: self._column(rng, make) for name, (_, make) in COLUMNS.items()}
        columns["v"] = self._with_nulls(rng, [rng.randrange(-5, 10) for _ in range(self.rows)])
        return pa.table({"id": list(range(self.rows)), **columns}, schema=SCHEMA)

    def _column(self, rng: random.Random, make: Callable[[int, bool], Any]) -> list[Any]:
        return self._with_nulls(rng, [make(number, self.far) for number in self._numbers(rng)])

    def _numbers(self, rng: random.Random) -> list[int]:
        if self.keys == "sorted":
            return sorted(rng.randrange(DISTINCT) for _ in range(self.rows))
        if self.keys == "unique":
            return rng.sample(range(DISTINCT), self.rows)
        if self.keys == "duplicated":
            return [rng.randrange(6) for _ in range(self.rows)]
        common = rng.randrange(6)
        return [common if rng.random() < 0.7 else rng.randrange(DISTINCT) for _ in range(self.rows)]

    def _with_nulls(self, rng: random.Random, values: list[Any]) -> list[Any]:
        share = rng.choice(NULLS[self.nulls])
        return [None if rng.random() < share else value for value in values]

    def write(self, folder: Path) -> None:
        """Write the table's files into an empty folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        table = self.table()
        size = -(-self.rows // self.files)
        for number in range(self.files):
            part = table.slice(min(number * size, self.rows), size)
            pq.write_table(
                part, folder / f"part-{number}.parquet", row_group_size=self.group, use_dictionary=self.seed % 2 == 0
            )


def key_tables() -> st.SearchStrategy[KeyTable]:
    """Random tables."""
    return st.builds(
        KeyTable,
        rows=st.sampled_from(ROWS),
        keys=st.sampled_from(("unique", "duplicated", "skewed", "sorted")),
        nulls=st.sampled_from(tuple(NULLS)),
        far=st.booleans(),
        seed=st.integers(0, 10**6),
        files=st.integers(1, 3),
        group=st.sampled_from((7, 1000)),
    )
