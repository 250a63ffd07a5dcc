package org.apache.spark.sql.pyflare

import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{BoundReference, InterpretedUnsafeProjection, UnsafeProjection}
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.ColumnarBatch

/** Reads record batches where they lie. To be closed, which gives back the memory of all its batches. */
private[pyflare] final class BatchReader(bytes: ArrowBytes, schema: Schema, blocks: Seq[Block]) extends AutoCloseable {
  private val allocator = ArrowUtils.rootAllocator.newChildAllocator("pyflare", 0, Long.MaxValue)
  private val loaded = ArrayBuffer.empty[ColumnarBatch]

  /** Each batch is valid until the reader is closed. */
  lazy val batches: Iterator[ColumnarBatch] = blocks.iterator.map(load)

  /** Each row is valid until the next one is asked for. */
  lazy val rows: Iterator[InternalRow] = {
    val project = projection
    blocks.iterator.flatMap { block =>
      release()
      load(block).rowIterator.asScala.map(project)
    }
  }

  /** Compiling a projection takes longer than interpreting it for a few rows. */
  private def projection: UnsafeProjection = {
    val columns = ArrowStream.types(schema).zipWithIndex.map { case (t, i) => BoundReference(i, t, nullable = true) }
    if (blocks.map(_.rows).sum < BatchReader.few) InterpretedUnsafeProjection.createProjection(columns)
    else UnsafeProjection.create(columns)
  }

  private def load(block: Block): ColumnarBatch = {
    val batch = ArrowStream.load(bytes, block, schema, allocator)
    loaded += batch
    batch
  }

  private def release(): Unit = {
    loaded.foreach(_.close())
    loaded.clear()
  }

  override def close(): Unit = {
    release()
    allocator.close()
  }
}

private[pyflare] object BatchReader {
  private val few = 2000L
}
