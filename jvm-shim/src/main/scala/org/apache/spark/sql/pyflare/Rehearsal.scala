package org.apache.spark.sql.pyflare

import java.util.concurrent.TimeUnit

import scala.util.control.NonFatal

import org.apache.spark.SparkConf
import org.apache.spark.internal.Logging
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic.{SparkSession => ClassicSession}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.command.RunnableCommand

/**
 * Queries of our own, planned and run in the background until the user's first one comes. What a JVM does for the first time, Spark's
 * planner above all, takes it seconds (classes to load, code to interpret), and for most of the time in which an application gets ready,
 * opens its files for instance, a core has nothing to do. Nobody sees the queries: they have a session of their own, no execution id
 * and no Spark job.
 */
private[sql] object Rehearsal extends Logging {
  private val seconds = 10L
  private val pollMillis = 20L
  private val file = "rehearsal.parquet"
  private val columns = "k BIGINT, price DECIMAL(15,2), rate DOUBLE, day DATE, word STRING"

  /** Planned and run: one kernel. */
  private val small =
    """SELECT sum(price * rate) AS s FROM a
      |WHERE day >= DATE '2001-01-01' AND day < DATE '2001-01-01' + INTERVAL '1' YEAR AND rate BETWEEN 0.02 AND 0.9 AND k < 24""".stripMargin

  /** Planned only: the user's own kernels would have to wait while these are compiled. */
  private val large = Seq(
    """SELECT word, sum(price) AS s, avg(price * (1 - price)) AS m, count(*) AS n FROM a WHERE day <= DATE '2001-12-01' - INTERVAL '90' DAY
      |GROUP BY word ORDER BY s DESC, word LIMIT 10""",
    """SELECT b.word, year(a.day) AS y, sum(CASE WHEN a.word LIKE 'x%' THEN a.price ELSE 0 END) AS s FROM a, a AS b, a AS c
      |WHERE a.k = b.k AND b.k = c.k AND c.word IN ('x', 'y') AND EXISTS (SELECT * FROM a AS d WHERE d.k = a.k AND d.rate > 0)
      |GROUP BY b.word, year(a.day) HAVING count(*) > 0 ORDER BY y"""
  ).map(_.stripMargin)

  @volatile private var over = true
  private val onStage = ThreadLocal.withInitial[java.lang.Boolean](() => false)

  /** Whether this thread is rehearsing. */
  def isOn: Boolean = onStage.get

  def start(conf: SparkConf): Unit = if (wanted(conf)) {
    over = false
    WorkerProcess.daemon("pyflare-rehearsal") {
      onStage.set(true)
      try awaitSession().foreach(play)
      catch { case NonFatal(e) => logDebug("The rehearsal has ended early", e) }
    }
  }

  /** The user's own query is here, or the application ends. */
  def end(): Unit = over = true

  /** A session in a Hive catalog would open the metastore, which is the user's to decide. */
  private def wanted(conf: SparkConf): Boolean =
    conf.getBoolean("spark.pyflare.rehearsal", true) && conf.get("spark.sql.catalogImplementation", "in-memory") == "in-memory"

  /** The session that the application makes once its context, which is being made now, is there. */
  private def awaitSession(): Option[ClassicSession] = {
    def session = SparkSession.getDefaultSession.collect { case s: ClassicSession if !s.sparkContext.isStopped => s }
    while (!over && session.isEmpty) Thread.sleep(pollMillis)
    session.filterNot(_ => over)
  }

  private def play(users: ClassicSession): Unit = {
    val directory = Worker.get(users.sparkContext.conf).directory
    try {
      val session = stage(users, directory.create(file).toString)
      val deadline = System.nanoTime + TimeUnit.SECONDS.toNanos(seconds)
      def planned(text: String): SparkPlan = session.sql(text).queryExecution.executedPlan
      while (!over && System.nanoTime < deadline) {
        run(planned(small))
        large.iterator.takeWhile(_ => !over).foreach(planned)
      }
    } finally directory.removeAll(file)
  }

  /** In the backend or not at all: Spark would run it as a job. */
  private def run(plan: SparkPlan): Unit = plan match {
    case whole: PyFlareExec => new FragmentRun(whole).read(_.toRows)
    case _ =>
  }

  private def stage(users: ClassicSession, path: String): ClassicSession = {
    Inspection.command(users, "rehearse", s"\"$path\"")
    val session = users.newSession()
    session.conf.set("spark.pyflare.explain", "none")
    session.conf.set("spark.pyflare.rehearsing", "true")
    view(session, s"CREATE TEMPORARY VIEW a ($columns) USING parquet OPTIONS (path '$path')")
    session
  }

  /** Run by itself: as a query it would be an execution in the user's UI. */
  private def view(session: ClassicSession, text: String): Unit = session.sessionState.sqlParser.parsePlan(text) match {
    case command: RunnableCommand => command.run(session)
    case other => throw new IllegalStateException(s"not a command: ${other.nodeName}")
  }
}
