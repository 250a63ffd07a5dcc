package org.apache.spark.sql.pyflare

import java.io.BufferedOutputStream
import java.nio.file.{Files, Path, Paths}

import scala.util.Using

import org.apache.spark.sql.{Dataset, SparkSession}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.classic.{Dataset => ClassicDataset}
import org.apache.spark.sql.execution.{QueryExecution, SparkPlan, SQLExecution}
import org.apache.spark.sql.execution.adaptive.{AdaptiveSparkPlanExec, AdaptiveSparkPlanHelper, ResultQueryStageExec}
import org.apache.spark.sql.execution.arrow.{ArrowBatchStreamWriter, ArrowConverters}
import org.apache.spark.sql.types._
import org.apache.spark.util.Utils

/** Answers what the Python driver asks about a query, always in JSON. */
object Inspection extends AdaptiveSparkPlanHelper {
  def explain(df: Dataset[_]): String = {
    val plan = planned(execution(df).executedPlan)
    val json = new JsonWriter
    json.obj {
      json.key("fragments")
      json.list(fragments(plan)) { f =>
        json.obj {
          json.field("id", f.fragment.id)
          json.key("operators")
          json.list(f.original.operators)(json.string)
        }
      }
      json.key("decision")
      decision(plan).map(_.json).fold(json.nul())(json.raw)
    }
    json.result
  }

  /** The backend's answer to `kernels` for the fragments of a query. */
  def kernels(df: Dataset[_]): String = {
    val json = new JsonWriter
    json.list(fragments(planned(execution(df).executedPlan)))(f => json.string(f.fragment.id))
    command(df.sparkSession, "kernels", json.result)
  }

  def command(session: SparkSession, name: String, argument: String): String =
    Worker.get(session.sparkContext.conf).backend.command(name, argument)

  /**
   * Runs a query that is one fragment and leaves its rows to the caller: in the file that the caller has lent, or in one which the caller
   * removes. Null when Spark has to run the query.
   */
  def toArrow(df: Dataset[_], lent: String): String = {
    val file = Option(lent).map(Paths.get(_)).filter(Files.isWritable(_))
    val query = execution(df)
    if (!query.executedPlan.isInstanceOf[AdaptiveSparkPlanExec] && root(query.executedPlan).isEmpty) null
    else
      SQLExecution.withNewExecutionId(query, Some("toArrow")) {
        root(query.executedPlan).flatMap(_.executeArrow(file)).map(delivered).orNull
      }
  }

  /**
   * `Dataset.collectToPython` of a query that is one fragment: JSON as of `toArrow`, with Spark's rows in a file when the backend does not
   * deliver. Null when the query is another one, or has columns of other types; it has not run then.
   */
  def collectToPython(df: Dataset[_]): String = {
    val query = execution(df)
    query.executedPlan match {
      case f: PyFlareExec if Settings.collectsArrow(df.sparkSession.sessionState.conf) && df.schema.forall(isFlat) =>
        SQLExecution.withNewExecutionId(query, Some("collectToPython")) {
          f.resetMetrics()
          delivered(f.executeArrow(None).getOrElse(InFile(written(f.executeCollectInSpark(), f))))
        }
      case _ => null
    }
  }

  /** Whether Python's values of a type can be made from an Arrow column without another look at its type. */
  private def isFlat(field: StructField): Boolean = field.dataType match {
    case BooleanType | DateType | TimestampType | TimestampNTZType | _: NumericType | _: StringType => true
    case _ => false
  }

  private def written(rows: Array[InternalRow], plan: SparkPlan): Path = {
    val (zone, batchRows) = (plan.conf.sessionLocalTimeZone, plan.conf.arrowMaxRecordsPerBatch)
    val file = Files.createTempFile(Paths.get(Utils.getLocalDir(plan.session.sparkContext.conf)), "pyflare-", ".arrow")
    Using.resource(new BufferedOutputStream(Files.newOutputStream(file))) { out =>
      val stream = new ArrowBatchStreamWriter(plan.schema, out, zone, false, false)
      stream.writeBatches(ArrowConverters.toBatchIterator(rows.iterator, plan.schema, batchRows, zone, false, false, null))
      stream.end()
    }
    file
  }

  private def delivered(delivery: Delivery): String = {
    val json = new JsonWriter(256)
    json.obj(delivery match {
      case InFile(path) => json.field("path", path.toString)
      case Inline(base64) => json.field("inline", base64)
    })
    json.result
  }

  /** The fragment that is the whole of a query. */
  private[pyflare] def root(plan: SparkPlan): Option[PyFlareExec] = plan match {
    case f: PyFlareExec => Some(f)
    case r: ResultQueryStageExec => root(r.plan)
    case a: AdaptiveSparkPlanExec if root(a.executedPlan).isDefined => root(a.finalPhysicalPlan)
    case _ => None
  }

  /** The plan that was decided about, not what adaptive execution has made of it since. */
  private def planned(plan: SparkPlan): SparkPlan = plan match {
    case a: AdaptiveSparkPlanExec => a.initialPlan
    case _ => plan
  }

  private def decision(plan: SparkPlan): Option[Decision] = collectFirst(plan) {
    case p if p.getTagValue(Decision.tag).isDefined => p.getTagValue(Decision.tag).get
  }

  private def fragments(plan: SparkPlan): Seq[PyFlareExec] = collectWithSubqueries(plan) { case f: PyFlareExec => f }

  private def execution(df: Dataset[_]): QueryExecution = df.asInstanceOf[ClassicDataset[_]].queryExecution
}
