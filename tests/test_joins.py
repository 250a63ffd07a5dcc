"""Joins that once went wrong, and those that depend on how files are laid out."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from pyflare.codegen.generate import Generated, TableShape
from pyflare.codegen.joins import join_spec
from pyflare.io.columns import Batch, Column, Encoding, Layout
from pyflare.pipeline.model import BuildNode, SourceNode
from pyflare.plan import operators as ops
from pyflare.plan.expressions import AttributeReference
from pyflare.run.joins import build_table
from pyflare.run.table import Table, concatenated
from pyflare.types import STRING
from tests.differential import Answer, assert_same, configured
from tests.join_tables import DDL, KeyTable

NOTHING = KeyTable(rows=0, keys="unique", nulls="none", far=False, seed=1, files=2, group=10)
SOME = KeyTable(rows=30, keys="unique", nulls="none", far=False, seed=1, files=2, group=10)


def _view(spark: SparkSession, folder: Path, name: str, table: KeyTable) -> None:
    table.write(folder / name)
    spark.read.schema(DDL).parquet(str(folder / name)).createOrReplaceTempView(name)


def test_texts_of_no_batch_are_views() -> None:
    """Files without row groups give no batch; what reads the rows expects views all the same."""
    column = concatenated(Table((Layout(STRING),), ())).columns[0]
    assert column.lengths is not None
    assert len(column.lengths) == len(column.data) == 0


@pytest.mark.parametrize("kind", ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"])
@pytest.mark.parametrize(("left", "right"), [(SOME, NOTHING), (NOTHING, SOME), (NOTHING, NOTHING)])
def test_files_without_row_groups(
    spark: SparkSession, tmp_path: Path, kind: str, left: KeyTable, right: KeyTable
) -> None:
    """Where the key of the other side is computed, nothing is filtered between the file and the join table."""
    _view(spark, tmp_path, "a", left)
    _view(spark, tmp_path, "b", right)
    assert_same(spark, f"SELECT a.id, a.text FROM a {kind} b ON cast(a.k32 AS string) = b.text")


def test_computed_text_keys_stay_in_memory() -> None:
    """A join that only asks for matches keeps no rows, but the texts that its keys are."""
    texts = np.frombuffer(b"ab", np.uint8).copy()
    addresses = np.array([texts.ctypes.data, texts.ctypes.data + 1], np.uint64)
    layout = Layout(STRING, Encoding.VIEWS, nullable=False)
    batch = Batch(2, (Column(addresses, lengths=np.ones(2, np.int32)),), keep=(texts,))
    attr = AttributeReference(type=STRING, nullable=False, label="key", id=1)
    source = SourceNode(attrs=(attr,), operator=ops.Input(attrs=(attr,), node=1))
    node = BuildNode(attrs=(attr,), child=source, keys=(0,), marks=False, rows=False)
    shape = TableShape((layout,), 2)
    build = Generated(node, (), shape, spec=join_spec(node, (layout,), 2))
    alive = weakref.ref(texts)
    built = build_table(Table((layout,), (batch,)), build)
    del texts, batch
    gc.collect()
    assert alive() is not None
    assert built.rows == 2


@pytest.mark.parametrize("kind", ["LEFT SEMI", "LEFT ANTI"])
def test_computed_text_keys(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    _view(spark, tmp_path, "a", SOME)
    _view(spark, tmp_path, "b", SOME)
    for _ in range(5):
        assert_same(spark, f"SELECT a.id FROM a {kind} JOIN b ON upper(b.text) = concat(a.text, '') AND b.v > 2")


@pytest.mark.parametrize("aqe", ["true", "false"])
def test_dynamic_partition_pruning(spark: SparkSession, tmp_path: Path, aqe: str) -> None:
    """A partitioned table joined with a filtered dimension on its partition column."""
    _view(spark, tmp_path, "a", SOME)
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        spark.sql("SELECT id, v, k16 % 5 AS part FROM a").write.partitionBy("part").parquet(str(tmp_path / "facts"))
    spark.read.parquet(str(tmp_path / "facts")).createOrReplaceTempView("facts")
    query = "SELECT facts.id, facts.part, a.text FROM facts JOIN a ON facts.part = a.k16 WHERE a.v > 3"
    pruning = {"spark.sql.optimizer.dynamicPartitionPruning.fallbackFilterRatio": "100"}
    conf = {"spark.sql.adaptive.enabled": aqe, **pruning}
    with configured(spark, {**conf, "spark.pyflare.enabled": "false"}):
        plan = spark.sql(query)._jdf.queryExecution().executedPlan().toString()
        assert "dynamicpruning" in plan
    found = assert_same(spark, query, conf=conf)
    assert isinstance(found, Answer)
    assert found.rows
