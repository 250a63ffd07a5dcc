package org.apache.spark.sql.pyflare

import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.execution.SparkPlan

/** A plan as it travels, and the plan's nodes by the numbers that the text gives them. */
private[pyflare] final case class Document(text: String, nodes: collection.IndexedSeq[SparkPlan])

private[pyflare] object Document {
  def write(plan: SparkPlan, session: SparkSession, root: Boolean): Document = {
    val sc = session.sparkContext
    val conf = session.sessionState.conf
    val writer = new PlanWriter
    val json = writer.json
    json.obj {
      json.field("v", 1)
      json.field("master", sc.master)
      json.field("cores", sc.defaultParallelism)
      json.field("appId", sc.applicationId)
      json.field("root", root)
      json.field("aqe", conf.adaptiveExecutionEnabled)
      json.key("conf")
      json.obj(Settings.travelling(conf).foreach { case (k, v) => json.field(k, v) })
      json.key("plan")
      writer.node(plan)
    }
    Document(json.result, writer.nodes)
  }
}
