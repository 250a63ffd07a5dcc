package org.apache.spark.sql.pyflare

import java.util.concurrent.{Callable, ExecutionException, Executors, Future, TimeUnit, TimeoutException}

import scala.util.control.NonFatal

import org.apache.spark.SparkConf
import org.apache.spark.internal.Logging
import org.apache.spark.util.{ShutdownHookManager, ThreadUtils}

/** The worker of this JVM: started on first use or before, started again when it has died. */
private[sql] object Worker extends Logging {
  private val planSeconds = 60L
  private val retryNanos = TimeUnit.SECONDS.toNanos(60)

  private var current: Option[WorkerProcess] = None
  private var failed: Option[(Throwable, Long)] = None
  private lazy val hook = ShutdownHookManager.addShutdownHook(() => stop())

  /** Calls wait in threads of their own: a thread that waits in a socket can neither be interrupted nor look after anything else. */
  private val calls = Executors.newCachedThreadPool(ThreadUtils.namedThreadFactory("pyflare-call"))

  def call[A](body: => A): Future[A] = calls.submit((() => body): Callable[A])

  /** Starts the worker in the background. */
  def warm(conf: SparkConf): Unit = WorkerProcess.daemon("pyflare-start") {
    try get(conf)
    catch { case NonFatal(e) => Once.warn(log, e) }
  }

  /** The running worker. Throws when there is none and none can be started. */
  def get(conf: SparkConf): WorkerProcess = {
    val worker = started(conf)
    try {
      worker.backend
      worker
    } catch {
      case NonFatal(e) => throw failure(Some(worker), e)
    }
  }

  private def started(conf: SparkConf): WorkerProcess = synchronized {
    hook
    failed.filter(_._2 > System.nanoTime).foreach { case (cause, _) => throw cause }
    current.filter(_.isAlive).getOrElse {
      val worker =
        try new WorkerProcess(conf)
        catch { case NonFatal(e) => throw failure(None, e) }
      current = Some(worker)
      worker
    }
  }

  /** A worker that never came up, or does not answer, would fail again: the next queries do not wait for that. */
  private def failure(worker: Option[WorkerProcess], cause: Throwable): Throwable = synchronized {
    if (worker.isEmpty || current == worker) {
      worker.foreach(_.stop())
      current = None
      failed = Some((cause, System.nanoTime + retryNanos))
    }
    cause
  }

  /** The backend's answer to a plan, or an exception when that takes too long. */
  def plan(conf: SparkConf, document: String): String = {
    val worker = get(conf)
    try plan(worker, document)
    catch { case NonFatal(_) if worker.hasEnded => plan(get(conf), document) }
  }

  private def plan(worker: WorkerProcess, document: String): String = {
    val answer = call(worker.backend.plan(document))
    try answer.get(planSeconds, TimeUnit.SECONDS)
    catch {
      case e: ExecutionException => throw e.getCause
      case _: TimeoutException => throw failure(Some(worker), new IllegalStateException(s"the worker did not answer within $planSeconds s"))
    }
  }

  def stop(): Unit = synchronized {
    current.foreach(_.stop())
    current = None
    failed = None
  }
}
