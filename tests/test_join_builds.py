"""Join tables and large dense groups as threads arrange them, against NumPy and Spark."""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from pyflare.codegen.generate import Generated, TableShape
from pyflare.codegen.joins import join_spec
from pyflare.io.columns import Array, Batch, Column, Layout, view_layouts
from pyflare.pipeline.model import BuildNode, SourceNode
from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference
from pyflare.run.joins import build_table
from pyflare.run.table import Table
from pyflare.run.together import SHARE_ROWS, Together, in_turn
from pyflare.types import LONG, STRING, DataType
from tests.differential import assert_same
from tests.foreseen import only_foreseen_types

__all__ = ["only_foreseen_types"]

MANY = 2 * SHARE_ROWS + 77
LONGS = (-(2**63), 2**63 - 1)


@pytest.fixture(params=["one thread", "two threads"])
def together(request: pytest.FixtureRequest) -> Iterator[Together]:
    if request.param == "one thread":
        yield in_turn
        return
    with ThreadPoolExecutor(2) as pool:
        yield lambda jobs: [future.result() for future in [pool.submit(job) for job in jobs]]


def _keys(shape: str) -> Array:
    random = np.random.default_rng(7)
    return {
        "none": np.zeros(0, np.int64),
        "one": np.array([5]),
        "ascending": np.arange(MANY) * 3 - 1000,
        "ascending, repeated": np.sort(random.integers(-9, MANY // 3, MANY)),
        "ascending but the last": np.append(np.arange(MANY), 0),
        "shuffled": random.permutation(MANY),
        "shuffled, repeated": random.integers(-50, 500, MANY),
        "all the same": np.full(MANY, -4),
        "few, far apart": np.array([0, 0, 2, 9, 2**19, 2**19]),
        "extremes": random.choice(np.array([*LONGS, -1, 0, 1]), 40_000),
    }[shape].astype(np.int64)


SHAPES = (
    "none",
    "one",
    "ascending",
    "ascending, repeated",
    "ascending but the last",
    "shuffled",
    "shuffled, repeated",
    "all the same",
    "few, far apart",
    "extremes",
)


def _build(key: Layout, rows: int, *, kept: bool, used: tuple[int, ...]) -> Generated:
    types: tuple[DataType, ...] = (LONG, LONG, STRING)
    attrs = tuple(AttributeReference(type=t, nullable=True, label="c", id=i) for i, t in enumerate(types))
    source = SourceNode(attrs=attrs, operator=ops.Input(attrs=attrs, node=1))
    node = BuildNode(attrs=attrs, child=source, keys=(0,), marks=False, rows=kept)
    layouts = (key, Layout(LONG, nullable=False), Layout(STRING, nullable=False))
    shape = TableShape(view_layouts(layouts), rows)
    return Generated(node, (), shape, spec=join_spec(node, layouts, rows), used=used)


def _table(build: Generated, keys: Array, ok: Array | None, parts: int) -> Table:
    """Rows numbered in the second column, whose big-endian bytes are the third one's texts."""
    batches = []
    for rows in np.array_split(np.arange(len(keys)), parts):
        digits = rows.astype(">u8").tobytes() or b" "
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * 8
        valid = None if ok is None else ok[rows]
        columns = (Column(keys[rows], valid), Column(rows), Column(offsets, bytes=np.frombuffer(digits, np.uint8)))
        batches.append(Batch(len(rows), columns))
    layouts = (*build.shape.layouts[:2], Layout(STRING, nullable=False))
    return Table(layouts, tuple(batches))


@pytest.mark.parametrize("nulls", [False, True], ids=["no nulls", "nulls"])
@pytest.mark.parametrize("shape", SHAPES)
def test_groups_of_a_join_table(together: Together, shape: str, nulls: bool) -> None:
    """Every key finds its rows in their order; rows whose key is null are in no group."""
    keys = _keys(shape)
    ok = (np.arange(len(keys)) % 3 > 0).astype(np.uint8) if nulls else None
    valid = np.ones(len(keys), np.bool_) if ok is None else ok.astype(np.bool_)
    low, high = (int(keys.min()), int(keys.max())) if len(keys) else (0, 10)
    build = _build(Layout(LONG, nullable=nulls, low=low, high=high), len(keys), kept=True, used=(1, 2))
    built = build_table(_table(build, keys, ok, 5), build, together)
    starts, (_, numbers, texts) = built.arrays["starts"], built.batch.columns
    distinct = np.unique(keys[valid])
    groups = _groups_of(build, built.arrays, distinct)
    expected = np.flatnonzero(valid)[np.argsort(keys[valid], kind="stable")]
    begins = np.searchsorted(keys[expected], distinct)
    sizes = np.diff(np.append(begins, len(expected)))
    assert np.array_equal(starts[groups + 1] - starts[groups], sizes)
    assert starts[-1] == valid.sum()
    found = [numbers.data[starts[g] : starts[g + 1]] for g in groups[:2000]]
    assert np.array_equal(np.concatenate([*found, expected[:0]]), expected[: sum(map(len, found))])
    assert _texts(texts) == [int(number).to_bytes(8) for number in numbers.data[: len(keys)][:100]]


@pytest.mark.parametrize("used", [(), (1,)])
def test_the_texts_of_keys_are_kept(used: tuple[int, ...]) -> None:
    """Also where the rows are put in another order, without the key's column."""
    layouts = (Layout(STRING, nullable=False), Layout(LONG, nullable=False))
    types = (STRING, LONG)
    attrs = tuple(AttributeReference(type=t, nullable=True, label="c", id=i) for i, t in enumerate(types))
    source = SourceNode(attrs=attrs, operator=ops.Input(attrs=attrs, node=1))
    node = BuildNode(attrs=attrs, child=source, keys=(0,), marks=False, rows=True)
    words = np.frombuffer(b"abab" + bytes(8), np.uint8).copy()
    texts = Column(np.arange(5, dtype=np.int32), bytes=words)
    table = Table(layouts, (Batch(4, (texts, Column(np.arange(4)))),))
    build = Generated(node, (), TableShape(view_layouts(layouts), 4), spec=join_spec(node, layouts, 4), used=used)
    gone = weakref.ref(words)
    built = build_table(table, build)
    del words, texts, table
    gc.collect()
    addresses = built.arrays["keys"].reshape(-1, 2)[:2]
    assert [ctypes.string_at(int(address), int(length)) for address, length in addresses] == [b"a", b"b"]
    assert gone() is not None


def _groups_of(build: Generated, arrays: dict[str, Array], distinct: Array) -> Array:
    if "keys" not in arrays:
        return distinct - build.spec.low  # type: ignore[union-attr]
    held = arrays["keys"][: len(distinct)]
    order = np.argsort(held)
    assert np.array_equal(held[order], distinct)
    return order


def _texts(texts: Column) -> list[bytes]:
    """The first hundred views that are not empty."""
    assert texts.lengths is not None
    pairs = zip(texts.data[:100], texts.lengths[:100], strict=True)
    return [ctypes.string_at(int(address), int(length)) for address, length in pairs if length]


@pytest.mark.parametrize("shape", ["ascending, repeated", "shuffled, repeated", "extremes"])
def test_a_join_table_without_rows_has_the_same_groups(together: Together, shape: str) -> None:
    keys = _keys(shape)
    layout = Layout(LONG, nullable=False, low=int(keys.min()), high=int(keys.max()))
    starts = []
    for kept in (True, False):
        build = _build(layout, len(keys), kept=kept, used=(1,) if kept else ())
        built = build_table(_table(build, keys, None, 3), build, together)
        starts.append(built.arrays["starts"])
        if kept:
            assert len(built.batch.columns[2].data) == 0  # nobody reads it
    assert np.array_equal(*starts)


@pytest.mark.parametrize("order", ["ascending", "shuffled"])
def test_large_dense_groups(spark: SparkSession, tmp_path: Path, order: str) -> None:
    """More places than one share: some are met by one thread, some by several, some by none."""
    keys = np.repeat(np.arange(SHARE_ROWS // 2 + 500, dtype=np.int64) * 3, 2)
    if order == "shuffled":
        keys = np.random.default_rng(3).permutation(np.concatenate([keys, keys, keys[:1000]]))
    values = np.arange(len(keys)) % 1000 - 300
    table = pa.table({"k": pa.array(keys), "v": pa.array(values, mask=values % 7 == 0)})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=30_000)
    spark.read.parquet(str(tmp_path / "t.parquet")).createOrReplaceTempView("t")
    grouped = "SELECT k, sum(v) s, min(v) l, avg(v) a, count(*) c FROM t GROUP BY k"
    assert_same(spark, f"SELECT count(*), sum(k * s), sum(k * l), max(a), sum(k * c) FROM ({grouped})")
    assert_same(spark, f"{grouped} HAVING s > 1390")
