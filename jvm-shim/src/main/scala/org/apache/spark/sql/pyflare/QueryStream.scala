package org.apache.spark.sql.pyflare

import java.io.{BufferedOutputStream, OutputStream}
import java.nio.file.{Files, Path, Paths}
import java.util.Properties
import java.util.concurrent.ConcurrentHashMap

import scala.collection.mutable
import scala.concurrent.duration.Duration
import scala.util.Using

import org.apache.spark.{FutureAction, TaskContext}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.{Dataset, SparkSession}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.classic.{Dataset => ClassicDataset}
import org.apache.spark.sql.execution.SQLExecution
import org.apache.spark.sql.execution.arrow.ArrowBatchStreamWriter
import org.apache.spark.sql.types.StructType
import org.apache.spark.util.{ThreadUtils, Utils}

/** Why the backend has not come to the end of a stream. */
private[pyflare] final case class Refusal(kind: String, message: String)

/**
 * Writes the rows of a query to a pipe while it runs. Whoever reads the pipe sets the pace, and ends the query by closing it. There is no
 * companion job, which would hold Spark's cores for as long as the reader takes.
 */
object QueryStream {
  /** The runs under way; true for those in the backend. */
  private val runs = new ConcurrentHashMap[String, Boolean]

  /**
   * Null when all rows have been written, else `{"kind", "message"}` of what the backend answered after any number of rows. `inSpark` leaves
   * the backend out. Jobs get the `properties` of the thread that has asked for the stream, which is not the one that comes here.
   */
  def write(df: Dataset[_], id: String, pipe: String, inSpark: Boolean, properties: Properties): String = {
    val query = df.asInstanceOf[ClassicDataset[_]].queryExecution
    val sc = query.sparkSession.sparkContext
    val before = sc.getLocalProperties
    runs.put(id, false)
    sc.setLocalProperties(Utils.cloneProperties(properties))
    sc.addJobTag(id)
    try
      SQLExecution.withNewExecutionId(query, Some("stream")) {
        val whole = Inspection.root(query.executedPlan)
        val taken = whole.filterNot(inSpark || _.original.refused.get)
        runs.put(id, taken.isDefined)
        taken.map(new FragmentRun(_, id = id).stream(Paths.get(pipe))).getOrElse {
          val plan = query.executedPlan
          val rdd = whole.fold(plan.execute())(_.executeInSpark())
          new PartitionStream(rdd, plan.schema, plan.conf.sessionLocalTimeZone, plan.conf.arrowMaxRecordsPerBatch).write(Paths.get(pipe))
          None
        }
      }.map(json).orNull
    finally {
      sc.setLocalProperties(before)
      runs.remove(id)
    }
  }

  /** Ends a query of which nobody wants more rows, wherever it runs. */
  def cancel(session: SparkSession, id: String): Unit = {
    val sc = session.sparkContext
    if (runs.containsKey(id)) sc.cancelJobsWithTag(id)
    if (runs.getOrDefault(id, false)) Worker.call(Worker.get(sc.conf).backend.cancel(id))
  }

  private def json(refusal: Refusal): String = {
    val json = new JsonWriter(256)
    json.obj {
      json.field("kind", refusal.kind)
      json.field("message", refusal.message)
    }
    json.result
  }
}

/**
 * The rows of an RDD as one Arrow stream, in the order of the partitions. As many partitions as there are cores are computed ahead of the
 * one that is written, each by a job of its own. In local mode they wait on disk, on a cluster in the driver's memory.
 */
private final class PartitionStream(rdd: RDD[InternalRow], schema: StructType, zone: String, batchRows: Long) {
  private type Batches = Array[Array[Byte]]
  private val sc = rdd.sparkContext

  def write(pipe: Path): Unit = Using.resource(new BufferedOutputStream(Files.newOutputStream(pipe), 1 << 20)) { out =>
    val directory = Option.when(sc.isLocal)(Utils.createTempDir(Utils.getLocalDir(sc.conf), "pyflare-stream"))
    try write(out, directory.map(_.toPath.resolve("part").toString))
    finally directory.foreach(Utils.deleteRecursively)
  }

  private def write(out: OutputStream, files: Option[String]): Unit = {
    val stream = new ArrowBatchStreamWriter(schema, out, zone, false, false)
    val waiting = rdd.partitions.indices.iterator
    val running = mutable.Queue.empty[(Int, FutureAction[Batches])]
    try
      while (waiting.hasNext || running.nonEmpty) {
        while (waiting.hasNext && running.size < sc.defaultParallelism) running += submit(waiting.next(), files)
        val (partition, job) = running.head
        val batches = ThreadUtils.awaitReady(job, Duration.Inf).value.get.get
        files.fold(stream.writeBatches(batches.iterator))(Part.append(_, partition, out))
        running.dequeue()
      }
    finally running.foreach(_._2.cancel())
    stream.end()
  }

  private def submit(partition: Int, files: Option[String]): (Int, FutureAction[Batches]) = {
    var batches: Batches = Array.empty
    val part = new Part(schema, zone, batchRows, files)
    val convert = (rows: Iterator[InternalRow]) => part(TaskContext.get(), rows)
    partition -> sc.submitJob[InternalRow, Batches, Batches](rdd, convert, Seq(partition), (_, found) => batches = found, batches)
  }
}
