package org.apache.spark.sql.pyflare

import java.io.{BufferedOutputStream, OutputStream}
import java.nio.file.{Files, Path, Paths}

import scala.collection.mutable
import scala.jdk.CollectionConverters._
import scala.util.Using

import org.apache.spark.TaskContext
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.{RowToColumnarExec, SparkPlan}
import org.apache.spark.sql.execution.arrow.{ArrowBatchStreamWriter, ArrowConverters}
import org.apache.spark.sql.types.StructType

/**
 * Runs a subtree that stays in Spark as a job and writes its rows as one Arrow stream, in the order of the partitions. In local mode the
 * tasks leave their part in a file beside the stream, so that the limit on results in the driver (`spark.driver.maxResultSize`), which
 * the query would not have met in Spark, is not met here; on a cluster they send it.
 */
private[pyflare] object InputStage {
  private val batchRows = 64L << 10

  def write(child: SparkPlan, path: Path): Unit = {
    val sc = child.session.sparkContext
    val send = new Part(child.schema, child.conf.sessionLocalTimeZone, Option.when(sc.isLocal)(path.toString))
    Using.resource(new BufferedOutputStream(Files.newOutputStream(path))) { out =>
      val stream = new ArrowBatchStreamWriter(child.schema, out, send.zone, false, false)
      val parts = new InOrder[Array[Array[Byte]]]((index, sent) => {
        if (sc.isLocal) append(part(path.toString, index), out)
        else stream.writeBatches(sent.iterator)
      })
      sc.runJob(rowsOf(child), send.apply _, parts.put _)
      stream.end()
    }
  }

  /** Arrow's writer reads the rows of a columnar batch as well as others. */
  private def rowsOf(child: SparkPlan): RDD[InternalRow] = child match {
    case r: RowToColumnarExec => r.child.execute()
    case c if c.supportsColumnar && !c.supportsRowBased => c.executeColumnar().mapPartitions(_.flatMap(_.rowIterator.asScala))
    case c => c.execute()
  }

  private def append(part: Path, out: OutputStream): Unit = {
    Files.copy(part, out)
    Files.delete(part)
  }

  private def part(stream: String, index: Int): Path = Paths.get(s"$stream.$index")

  /** What a task does with its rows. */
  private final class Part(schema: StructType, val zone: String, stream: Option[String]) extends Serializable {
    def apply(context: TaskContext, rows: Iterator[InternalRow]): Array[Array[Byte]] = {
      val batches = ArrowConverters.toBatchIterator(rows, schema, batchRows, zone, false, false, context)
      stream.fold(batches.toArray) { path =>
        val file = Files.newOutputStream(part(path, context.partitionId()))
        Using.resource(new BufferedOutputStream(file))(out => batches.foreach(out.write))
        Array.empty
      }
    }
  }
}

/** Hands items on by number, whatever order they come in. */
private[pyflare] final class InOrder[A](consume: (Int, A) => Unit) {
  private val waiting = mutable.HashMap.empty[Int, A]
  private var next = 0

  def put(index: Int, item: A): Unit = synchronized {
    waiting.put(index, item)
    while (waiting.contains(next)) {
      waiting.remove(next).foreach(consume(next, _))
      next += 1
    }
  }
}
