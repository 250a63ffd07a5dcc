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
    val send = new Part(child.schema, child.conf.sessionLocalTimeZone, batchRows, Option.when(sc.isLocal)(path.toString))
    Using.resource(new BufferedOutputStream(Files.newOutputStream(path))) { out =>
      val stream = new ArrowBatchStreamWriter(child.schema, out, send.zone, false, false)
      val parts = new InOrder[Array[Array[Byte]]]((index, sent) => {
        if (sc.isLocal) Part.append(path.toString, index, out)
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
}

/**
 * What a task does with its rows, which become Arrow batches: it sends them, or, beside the driver, leaves them in the file of its number
 * whose name begins with `files`.
 */
private[pyflare] final class Part(schema: StructType, val zone: String, batchRows: Long, files: Option[String]) extends Serializable {
  def apply(context: TaskContext, rows: Iterator[InternalRow]): Array[Array[Byte]] = {
    val batches = ArrowConverters.toBatchIterator(rows, schema, batchRows, zone, false, false, context)
    files.fold(batches.toArray) { prefix =>
      val file = Files.newOutputStream(Part.file(prefix, context.partitionId()))
      Using.resource(new BufferedOutputStream(file))(out => batches.foreach(out.write))
      Array.empty
    }
  }
}

private[pyflare] object Part {
  private def file(prefix: String, index: Int): Path = Paths.get(s"$prefix.$index")

  /** Moves what a task has left to the end of a stream. */
  def append(prefix: String, index: Int, out: OutputStream): Unit = {
    Files.copy(file(prefix, index), out)
    Files.delete(file(prefix, index))
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
