package org.apache.spark.sql.pyflare

import com.fasterxml.jackson.databind.JsonNode

import org.apache.spark.SparkContext
import org.apache.spark.sql.execution.SQLExecution
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}

/** The backend's figures as metrics in Spark's UI. */
private[pyflare] object FragmentMetrics {
  def create(sc: SparkContext): Map[String, SQLMetric] = Map(
    "rows" -> SQLMetrics.createMetric(sc, "number of output rows"),
    "bytesRead" -> SQLMetrics.createSizeMetric(sc, "size of data read"),
    "planNs" -> SQLMetrics.createNanoTimingMetric(sc, "time to decide"),
    "callNs" -> SQLMetrics.createNanoTimingMetric(sc, "time of the backend's call"),
    "runNs" -> SQLMetrics.createNanoTimingMetric(sc, "time to run"),
    "readNs" -> SQLMetrics.createNanoTimingMetric(sc, "time to read"),
    "compileNs" -> SQLMetrics.createNanoTimingMetric(sc, "time to compile kernels"),
    "kernelNs" -> SQLMetrics.createNanoTimingMetric(sc, "time in kernels"),
    "handoverNs" -> SQLMetrics.createNanoTimingMetric(sc, "time to hand rows over"),
    "rowGroups" -> SQLMetrics.createMetric(sc, "number of row groups read"),
    "rowGroupsPruned" -> SQLMetrics.createMetric(sc, "number of row groups pruned")
  )

  /** The backend's figures and the nanoseconds of its call; also without a Spark job, whose end would carry the values to the UI. */
  def update(exec: PyFlareExec, figures: JsonNode, callNanos: Long): Unit = {
    exec.metrics("callNs").set(callNanos)
    exec.getTagValue(Decision.took).foreach(exec.metrics("planNs").set(_))
    exec.metrics.foreach { case (name, metric) => Option(figures.get(name)).foreach(v => metric.set(v.asLong)) }
    val sc = exec.session.sparkContext
    SQLMetrics.postDriverMetricUpdates(sc, sc.getLocalProperty(SQLExecution.EXECUTION_ID_KEY), exec.metrics.values.toSeq)
  }
}
