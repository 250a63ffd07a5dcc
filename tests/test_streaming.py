"""The rows of a query while it runs: the same as its whole result, few of them at a time, and nothing left behind."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pytest
from pyspark.errors import ArithmeticException, PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import udf

import pyflare
from pyflare.errors import ExecutionError
from pyflare.streaming import PIPE_BYTES, Query
from tests.differential import configured
from tpch import crime, training

Tables: TypeAlias = dict[tuple[str, str], DataFrame]

FAST: Final = "SELECT id, id * 2 AS twice FROM range({rows})"
ENDLESS: Final = FAST.format(rows=2_000_000_000)
QUERIES: Final = (
    "SELECT * FROM moderate_many WHERE id % 3 <> 1",
    "SELECT s, d9, id FROM moderate_many",
    "SELECT g, count(*) AS n, sum(i32) AS total FROM moderate_many GROUP BY g",
    "SELECT id, s FROM moderate_many ORDER BY s DESC, id LIMIT 100",
    "SELECT id, d9 FROM moderate_many WHERE i8 > 0 LIMIT 70 OFFSET 30",
    "SELECT id, s FROM moderate_one WHERE b UNION ALL SELECT max(id), min(s) FROM moderate_many GROUP BY g",
    "SELECT a.id, b.s FROM moderate_one a FULL OUTER JOIN moderate_many b ON a.id = b.id * 2",
    "SELECT id, g FROM moderate_one WHERE id < 0",
)


@pytest.fixture(params=["true", "false"], ids=["on", "off"])
def engine(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[str]:
    """PyFlare on, and off."""
    with configured(spark, {"spark.pyflare.enabled": request.param}):
        yield request.param


def left_behind(spark: SparkSession) -> list[str]:
    """What a stream that is over must not leave: its thread, its pipe, a run in the driver or the backend, a job."""
    threads = [thread.name for thread in threading.enumerate() if thread.name == "pyflare-stream"]
    pipes = [f"pipe {path.name}" for path in Path("/proc/self/fd").iterdir() if _is_stream(int(path.name))]
    jobs = [f"job {job}" for job in spark.sparkContext.statusTracker().getActiveJobsIds()]
    return threads + pipes + jobs


def _is_stream(descriptor: int) -> bool:
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) == PIPE_BYTES
    except OSError:
        return False


def soon_nothing(spark: SparkSession) -> list[str]:
    """What is left when everything has had time to end."""
    deadline = time.monotonic() + 20
    while (left := left_behind(spark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("text", QUERIES)
def test_the_rows_are_those_of_the_whole_result(spark: SparkSession, typed: Tables, engine: str, text: str) -> None:
    frame = pyflare.flare(text, spark)
    assert frame.explain().fully_accelerated == (engine == "true")
    streamed = pa.Table.from_batches(list(Query(frame.df)), None if "id < 0" not in text else Query(frame.df).schema)
    whole = frame.to_arrow()
    assert streamed.schema.names == whole.schema.names
    columns = [(name, "ascending") for name in whole.column_names if not pa.types.is_nested(whole[name].type)]
    arranged = [table.cast(whole.schema) for table in (streamed, whole)]
    if "ORDER BY" not in text:
        arranged = [table.sort_by(columns) for table in arranged]
    assert arranged[0].equals(arranged[1])


def test_more_rows_than_memory(spark: SparkSession) -> None:
    """20 million rows are 320 MB; the query may hold 32."""
    with configured(spark, {"spark.pyflare.memory": "32m"}):
        frame = pyflare.flare(FAST.format(rows=20_000_000), spark)
        assert frame.explain().fully_accelerated
        rows = [(batch.num_rows, batch["twice"][0].as_py()) for batch in Query(frame.df)]
    assert sum(count for count, _ in rows) == 20_000_000
    assert max(count for count, _ in rows) < 300_000
    starts = np.cumsum([0, *(count for count, _ in rows[:-1])])
    assert [first for _, first in rows] == (2 * starts).tolist()


def test_a_reader_that_stops_ends_the_query(spark: SparkSession) -> None:
    query = Query(spark.sql(ENDLESS))
    for _ in range(2):
        batches = iter(query)
        assert next(batches).num_rows > 0
        batches.close()  # type: ignore[attr-defined]
        assert left_behind(spark) == []


def test_a_reader_that_stops_ends_sparks_jobs(spark: SparkSession) -> None:
    with configured(spark, {"spark.pyflare.enabled": "false"}):
        query = Query(spark.sql("SELECT id, id * 2 AS twice FROM range(0, 200000000, 1, 1000)"))
        query.plan()
    batches = iter(query)
    assert next(batches)["twice"][1].as_py() == 2
    batches.close()  # type: ignore[attr-defined]
    assert soon_nothing(spark) == []
    local = Path(spark._jvm.org.apache.spark.util.Utils.getLocalDir(spark.sparkContext._jsc.sc().conf()))
    assert list(local.glob("pyflare-stream*")) == []


def test_a_failing_row_raises_sparks_error(spark: SparkSession, engine: str) -> None:
    for row in (3, 2_900_000):
        query = Query(spark.sql(f"SELECT id, 1 / (id - {row}) AS q FROM range(3000000)"))
        with pytest.raises(ArithmeticException, match="DIVIDE_BY_ZERO"):
            list(query)
    assert soon_nothing(spark) == []


def test_a_failing_function_raises_its_own_error(spark: SparkSession) -> None:
    @udf("long", useArrow=False)
    def reciprocal(n: int) -> int:
        return 100 // (n - 300_000)

    frame = spark.range(0, 310_000, 1, 1).select(reciprocal("id"))
    with pytest.raises(PythonException, match="integer division or modulo by zero"):
        list(Query(frame))


@pytest.mark.parametrize("row", [3, 600_000])
def test_a_row_that_only_spark_can_treat(spark: SparkSession, row: int) -> None:
    """Before the first rows have gone, Spark takes over; after that it does so when the query is read again."""
    hexadecimal = f"concat(if(id = {row}, '0x', ''), '1', if(id = {row}, 'p3', '.5'))"
    text = f"SELECT CAST({hexadecimal} AS DOUBLE) AS d FROM range(700000)"
    frame = pyflare.flare(text, spark)
    assert frame.explain().fully_accelerated
    query = Query(frame.df)
    if row > 300_000:
        with pytest.raises(ExecutionError, match="so read it again"):
            list(query)
    total = sum(batch["d"].to_numpy().sum() for batch in query)
    assert total == 1.5 * 699_999 + 8.0


def test_jobs_belong_to_the_group_of_the_thread_that_asked(spark: SparkSession) -> None:
    spark.sparkContext.setJobGroup("mine", "a stream")
    try:
        with configured(spark, {"spark.pyflare.enabled": "false"}):
            query = Query(spark.sql(FAST.format(rows=1000)))
            query.plan()
    finally:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)
    before = len(spark.sparkContext.statusTracker().getJobIdsForGroup("mine"))
    assert sum(batch.num_rows for batch in query) == 1000
    assert len(spark.sparkContext.statusTracker().getJobIdsForGroup("mine")) > before


def test_two_readers_at_once(spark: SparkSession) -> None:
    query = Query(spark.sql(FAST.format(rows=400_000)))
    pairs = list(zip(query, query, strict=True))
    assert len(pairs) > 1
    assert all(left.equals(right) for left, right in pairs)


# As a data set -------------------------------------------------------------------------------------------------------


def flowers(spark: SparkSession) -> pyflare.frame.Flare:
    return pyflare.flare(
        "SELECT id, id / 2 AS half, CAST(id % 3 AS INT) AS kind, array(id, -id) AS v FROM range(1000)", spark
    )


def batches_of(dataset: Any) -> list[Any]:
    return list(dataset.as_numpy_iterator())


def test_a_dataset_of_a_query(spark: SparkSession, engine: str) -> None:
    tf = pytest.importorskip("tensorflow")
    found = flowers(spark).dataset(64, columns=["half", "v"], label="kind")
    assert found.element_spec == (tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([None], tf.int32))
    epochs = [batches_of(found), batches_of(found)]
    for epoch in epochs:
        features, labels = (np.concatenate(part) for part in zip(*epoch, strict=True))
        assert features.tolist() == [[n / 2, n, -n] for n in range(1000)]
        assert labels.tolist() == [n % 3 for n in range(1000)]
    assert soon_nothing(spark) == []


def test_orders_repeat_with_the_seed(spark: SparkSession, engine: str) -> None:
    def epochs() -> list[list[float]]:
        found = flowers(spark).dataset(100, columns=["id"], shuffle=300, seed=7)
        return [np.concatenate(batches_of(found)).ravel().tolist() for _ in range(2)]

    first, second = epochs()
    assert epochs() == [first, second]
    assert first != second
    assert sorted(first) == sorted(second) == list(range(1000))


def test_a_row_has_one_reader(spark: SparkSession, engine: str) -> None:
    readers = [flowers(spark).dataset(64, columns=["id"], num_shards=3, index=i, rows=1000) for i in range(3)]
    assert [int(reader.cardinality()) for reader in readers] == [6, 6, 6]
    rows = [np.concatenate(batches_of(reader)).ravel().tolist() for reader in readers]
    assert rows == [list(range(index, 1000, 3)) for index in range(3)]


def test_a_loop_that_is_left_ends_the_query(spark: SparkSession) -> None:
    found = pyflare.flare(ENDLESS, spark).dataset(1000)
    for batch in found.take(3):
        assert batch.shape == (1000, 2)
    for batch in found:
        assert batch.shape == (1000, 2)
        break
    assert soon_nothing(spark) == []


def test_the_querys_error_comes_out_of_the_dataset(spark: SparkSession, engine: str) -> None:
    tf = pytest.importorskip("tensorflow")
    found = pyflare.flare("SELECT 1 / (id - 900000) AS q FROM range(1000000)", spark).dataset(100_000)
    with pytest.raises(tf.errors.OpError, match="DIVIDE_BY_ZERO"):
        batches_of(found)


def test_columns_that_nobody_reads_are_not_computed(spark: SparkSession) -> None:
    found = pyflare.flare("SELECT id AS `a.b`, 1 / (id - 5) AS fails FROM range(10)", spark).dataset(4, columns=["a.b"])
    assert [len(batch) for batch in batches_of(found)] == [4, 4, 2]


def test_the_benchmark_learns_the_same_in_all_ways(spark: SparkSession, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    frame = spark.read.parquet(str(crime.generate(2000, tmp_path)))
    results = []
    for way in training.WAYS:
        history = training.two_layers().fit(way.rows_of(frame, 256), shuffle=False, verbose=0)
        results.append(training.Result(way.name, 2000, 256))
        results[-1].add({"seconds": 1.0, "peak_mib": 10, "grown_mib": 1, "loss": history.history["loss"][-1]})
    assert training.same_loss(results)
    assert "PyFlare, dataset" in training.report(results)
    assert training.document(results)["results"][0]["ratios"] == {"seconds": 1.0, "peak_mib": 1.0, "grown_mib": 1.0}
