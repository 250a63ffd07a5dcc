package org.pyflare

import org.apache.spark.sql.{Dataset, SparkSession}
import org.apache.spark.sql.pyflare.Inspection

/** What the Python driver calls over its own Py4J gateway; every answer is JSON. */
object PyFlare {
  /** PyFlare's version, out of the jar's manifest; null for classes that are in no jar. */
  def version: String = getClass.getPackage.getImplementationVersion

  /** What was decided about a query: `{"fragments": [{"id", "operators"}], "decision": the backend's answer or null}`. */
  def explain(df: Dataset[_]): String = Inspection.explain(df)

  /**
   * Runs a query that is one fragment: `{"path"}` or `{"inline"}` with its Arrow stream. Null when Spark has to run the query. `lent` is a
   * file of the caller's for the stream, or null.
   */
  def toArrow(df: Dataset[_], lent: String): String = Inspection.toArrow(df, lent)

  /** The backend's answer to `kernels` with the list of the fragments' ids. */
  def kernels(df: Dataset[_]): String = Inspection.kernels(df)

  /** Anything else that the backend can do. */
  def command(name: String, argument: String): String = Inspection.command(SparkSession.active, name, argument)
}
