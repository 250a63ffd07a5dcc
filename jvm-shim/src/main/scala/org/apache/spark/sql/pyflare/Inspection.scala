package org.apache.spark.sql.pyflare

import java.nio.file.{Files, Paths}

import org.apache.spark.sql.{Dataset, SparkSession}
import org.apache.spark.sql.classic.{Dataset => ClassicDataset}
import org.apache.spark.sql.execution.{QueryExecution, SparkPlan, SQLExecution}
import org.apache.spark.sql.execution.adaptive.{AdaptiveSparkPlanExec, AdaptiveSparkPlanHelper, ResultQueryStageExec}

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
