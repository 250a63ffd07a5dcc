package org.apache.spark.sql.pyflare

import scala.util.Try

import org.apache.spark.SparkConf
import org.apache.spark.sql.internal.SQLConf

/** The configuration that the shim itself reads, and the part of the session's that travels with each plan. */
private[pyflare] object Settings {
  private val off = ThreadLocal.withInitial[java.lang.Boolean](() => false)

  def enabled(conf: SQLConf): Boolean =
    !off.get && Try(conf.getConfString("spark.pyflare.enabled", "true").trim.toBoolean).getOrElse(true)

  /** Whether Python drivers that can take a result as Arrow get it so. */
  def collectsArrow(conf: SQLConf): Boolean =
    Try(conf.getConfString("spark.pyflare.python.collect", "true").trim.toBoolean).getOrElse(true)

  /** Plans and runs `body` on this thread as if PyFlare were not there. */
  def withoutPyFlare[A](body: => A): A = {
    val before = off.get
    off.set(true)
    try body
    finally off.set(before)
  }

  def explain(conf: SQLConf): String = conf.getConfString("spark.pyflare.explain", "none").trim.toLowerCase

  def pythonPath(conf: SparkConf): Option[String] = conf.getOption("spark.pyflare.pythonPath").filter(_.nonEmpty)

  def python(conf: SparkConf): String =
    conf
      .getOption("spark.pyflare.python")
      .orElse(conf.getOption("spark.pyspark.python"))
      .orElse(sys.env.get("PYSPARK_PYTHON"))
      .getOrElse("python3")

  /** What is set, and what gives values or errors their meaning even when it is not set. */
  def travelling(conf: SQLConf): Seq[(String, String)] = {
    val set = conf.getAllConfs.filter { case (k, _) => travels(k) }
    val meaning = meanings.flatMap(k => Try(conf.getConfString(k)).toOption.filter(_ != null).map(k -> _))
    (set ++ meaning).toSeq.sortBy(_._1)
  }

  private def travels(key: String): Boolean =
    (key.startsWith("spark.sql.") || key.startsWith("spark.pyflare.")) && !private_.exists(key.startsWith) && key != "spark.pyflare.python"

  /** Catalogs' options can be secrets; the rest says nothing about values. */
  private val private_ =
    Seq("catalog.", "hive.", "extensions", "warehouse.dir", "streaming.", "redaction.").map("spark.sql." + _) :+ "spark.pyflare.pythonPath"

  private val meanings = Seq(
    "adaptive.enabled",
    "ansi.enabled",
    "caseSensitive",
    "decimalOperations.allowPrecisionLoss",
    "execution.arrow.maxRecordsPerBatch",
    "files.ignoreCorruptFiles",
    "files.ignoreMissingFiles",
    "legacy.sizeOfNull",
    "legacy.timeParserPolicy",
    "mapKeyDedupPolicy",
    "parquet.binaryAsString",
    "parquet.datetimeRebaseModeInRead",
    "parquet.fieldId.read.enabled",
    "parquet.filterPushdown",
    "parquet.inferTimestampNTZ.enabled",
    "parquet.int96AsTimestamp",
    "parquet.int96RebaseModeInRead",
    "parquet.int96TimestampConversion",
    "parquet.mergeSchema",
    "session.timeZone",
    "shuffle.partitions",
    "sources.bucketing.enabled",
    "timestampType"
  ).map("spark.sql." + _)
}
