package org.apache.spark.sql.pyflare

import java.util.concurrent.{Future, TimeUnit, TimeoutException}

import scala.util.Try

import org.apache.spark.SparkException
import org.apache.spark.errors.SparkCoreErrors

/** Waits for a run on behalf of the query's thread, and sees to it that whatever ends the query ends the run. */
private[pyflare] object Attendance {
  private val patienceMillis = 300L
  private val stepMillis = 100L

  def of(exec: PyFlareExec, worker: WorkerProcess, run: String, request: String): String = {
    val answer = Worker.call(worker.backend.run(request))
    cancelling(worker, run)(within(answer, patienceMillis).getOrElse(attended(exec, worker, run, answer)))
  }

  /** The answer of a run that goes at its reader's pace, without a companion. */
  def alone(worker: WorkerProcess, run: String, request: String): String =
    cancelling(worker, run)(Worker.call(worker.backend.run(request)).get())

  private def cancelling[A](worker: WorkerProcess, run: String)(wait: => A): A =
    try wait
    catch {
      case e if isCancellation(e) =>
        Worker.call(worker.backend.cancel(run))
        throw e
    }

  private def attended(exec: PyFlareExec, worker: WorkerProcess, run: String, answer: Future[String]): String = {
    val companion = Companion.start(exec)
    try {
      var reply = Option.empty[String]
      var progress = Worker.call(worker.backend.progress(run))
      while (reply.isEmpty) {
        reply = within(answer, stepMillis)
        companion.failure.foreach(throw _)
        if (progress.isDone) {
          Try(Decision.read(progress.get)).foreach(companion.update)
          progress = Worker.call(worker.backend.progress(run))
        }
      }
      reply.get
    } finally companion.end()
  }

  private def within(answer: Future[String], millis: Long): Option[String] =
    try Some(answer.get(millis, TimeUnit.MILLISECONDS))
    catch { case _: TimeoutException => None }

  def cancelled(reason: String): Throwable = SparkCoreErrors.sparkJobCancelled(-1, reason, null)

  def isCancellation(e: Throwable): Boolean = e match {
    case s: SparkException => s.getCondition == "SPARK_JOB_CANCELLED"
    case _ => e.isInstanceOf[InterruptedException]
  }
}
