package org.apache.spark.sql.pyflare

import java.lang.ref.WeakReference
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

import scala.reflect.ClassTag

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.{Dependency, OneToOneDependency, Partition, SparkContext, TaskContext}
import org.apache.spark.rdd.RDD

/** Some consecutive record batches of a result: `lender` knows where they are. */
private final class BatchesPartition(override val index: Int, schema: String, blocks: IndexedSeq[Block], lender: Lender) extends Partition {
  def open(): BatchReader = new BatchReader(lender.bytes, Schema.fromJSON(schema), blocks)
}

private final case class SparkPartition(index: Int, inSpark: Partition) extends Partition

/** How a task gets at the bytes of a result. */
private sealed trait Lender extends Serializable {
  def bytes: ArrowBytes
}

/** In local mode the tasks run in the JVM that has the result. */
private final class LentInside(id: Long) extends Lender {
  override def bytes: ArrowBytes = LentInside.results.get(id).get.bytes
}

private object LentInside {
  private val ids = new AtomicLong
  private val results = new ConcurrentHashMap[Long, WeakReference[ArrowResult]]

  def lend(result: ArrowResult): LentInside = {
    results.values.removeIf(_.get == null)
    val id = ids.incrementAndGet()
    results.put(id, new WeakReference(result))
    new LentInside(id)
  }
}

/** On a cluster they travel with the task. */
private final class Sent(content: Array[Byte]) extends Lender {
  override def bytes: ArrowBytes = new HeapBytes(content)
}

/**
 * A fragment as an RDD. The fragment runs once, on the driver, when somebody asks for the partitions. If the backend cannot deliver, this
 * becomes the RDD of the original plan.
 */
private[pyflare] final class FragmentRDD[A: ClassTag](
    sc: SparkContext,
    @transient private val run: () => Option[ArrowResult],
    @transient private val inSpark: () => RDD[A],
    single: Boolean,
    read: BatchReader => Iterator[A])
    extends RDD[A](sc, Nil) {

  @transient private lazy val outcome: Either[RDD[A], ArrowResult] = run().toRight(inSpark())

  override protected def getDependencies: Seq[Dependency[_]] = outcome.left.toSeq.map(new OneToOneDependency(_))

  override protected def getPartitions: Array[Partition] = outcome match {
    case Left(rdd) => rdd.partitions.map(p => SparkPartition(p.index, p))
    case Right(result) => slices(result)
  }

  private def slices(result: ArrowResult): Array[Partition] = {
    val blocks = result.stream.blocks
    val schema = result.stream.schema.toJson
    val count = if (single) 1 else math.max(1, math.min(sparkContext.defaultParallelism, blocks.length))
    Array.tabulate(count) { i =>
      val mine = blocks.slice(i * blocks.length / count, (i + 1) * blocks.length / count)
      if (sparkContext.isLocal) new BatchesPartition(i, schema, mine, LentInside.lend(result))
      else new BatchesPartition(i, schema, rebased(mine), new Sent(content(result, mine)))
    }
  }

  private def rebased(blocks: IndexedSeq[Block]): IndexedSeq[Block] = blocks.map(b => b.copy(offset = b.offset - blocks.head.offset))

  private def content(result: ArrowResult, blocks: IndexedSeq[Block]): Array[Byte] =
    if (blocks.isEmpty) Array.emptyByteArray
    else result.bytes.copy(blocks.head.offset, math.toIntExact(blocks.map(_.length).sum)).array

  override def compute(split: Partition, context: TaskContext): Iterator[A] = split match {
    case SparkPartition(_, inside) => firstParent[A].iterator(inside, context)
    case batches =>
      val reader = batches.asInstanceOf[BatchesPartition].open()
      context.addTaskCompletionListener[Unit](_ => reader.close())
      read(reader)
  }
}
