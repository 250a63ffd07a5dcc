package org.pyflare

import java.util.Properties

import org.apache.spark.sql.{Dataset, SparkSession}
import org.apache.spark.sql.pyflare.{Inspection, QueryStream}

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

  /**
   * The rows of a query that is one fragment, for `DataFrame.collect`: JSON as of `toArrow`, whether the backend has delivered them or Spark.
   * Null, and nothing has run, when the query is another one or `spark.pyflare.python.collect` is off.
   */
  def collectToPython(df: Dataset[_]): String = Inspection.collectToPython(df)

  /**
   * Runs a query and writes its rows to a pipe as they come, as one Arrow stream. Null at its end, or `{"kind", "message"}` when the backend
   * did not get there. `id` is a new name for this run; `inSpark` leaves the backend out; `properties` are the local ones of its jobs.
   */
  def stream(df: Dataset[_], id: String, pipe: String, inSpark: Boolean, properties: Properties): String =
    QueryStream.write(df, id, pipe, inSpark, properties)

  /** Ends a `stream` of which nobody wants more. */
  def cancelStream(session: SparkSession, id: String): Unit = QueryStream.cancel(session, id)

  /** The backend's answer to `kernels` with the list of the fragments' ids. */
  def kernels(df: Dataset[_]): String = Inspection.kernels(df)

  /** Anything else that the backend can do. */
  def command(name: String, argument: String): String = Inspection.command(SparkSession.active, name, argument)
}
