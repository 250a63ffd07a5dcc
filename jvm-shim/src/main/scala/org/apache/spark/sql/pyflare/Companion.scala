package org.apache.spark.sql.pyflare

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

import scala.util.Failure

import com.fasterxml.jackson.databind.JsonNode

import org.apache.spark.{SimpleFutureAction, TaskContext}

/**
 * A Spark job that does nothing beside a long run but be there: it moves Spark's progress bar, shows in the UI, and takes the cancellation
 * that is meant for the query (job groups, tags, `cancelAllJobs`, Ctrl-C). Its tasks sleep until the run has got as far as they stand for.
 */
private[pyflare] final class Companion private (progress: Progress, job: Option[SimpleFutureAction[Unit]]) {

  /** The last task stays: between two phases of a run all that is known of is done, and a job that has ended takes no cancellation. */
  def update(reply: JsonNode): Unit = {
    val total = reply.path("total").asLong
    if (total > 0) progress.reach(math.min(reply.path("done").asDouble / total, Companion.nearly))
  }

  def failure: Option[Throwable] = job.flatMap(_.value).collect { case Failure(e) => e }

  /** The tasks end by themselves now, those too that have not got a place to run yet: nobody waits for them. */
  def end(): Unit = progress.end()
}

private[pyflare] object Companion {
  private val tasks = 10
  private val nearly = 0.99

  /** On a cluster the tasks would be in other processes, where nobody can tell them how far the run is. */
  def start(exec: PyFlareExec): Companion = {
    val sc = exec.session.sparkContext
    val progress = new Progress
    val job = Option.when(sc.isLocal && !Rehearsal.isOn) {
      val id = Progress.register(progress)
      val rdd = sc.parallelize(1 to tasks, tasks).setName(exec.nodeName)
      val wait = (steps: Iterator[Int]) => steps.foreach(step => Progress.await(id, step.toDouble / tasks))
      sc.submitJob[Int, Unit, Unit](rdd, wait, 0 until tasks, (_, _) => (), ())
    }
    new Companion(progress, job)
  }
}

/** How far a run is, from 0 to 1, and whoever waits for that. */
private[pyflare] final class Progress {
  private var reached = 0.0

  def reach(fraction: Double): Unit = synchronized {
    reached = math.max(reached, fraction)
    notifyAll()
  }

  def end(): Unit = {
    Progress.running.values.remove(this)
    reach(Double.MaxValue)
  }

  def await(fraction: Double, stop: => Boolean): Unit = synchronized {
    while (reached < fraction && !stop) wait(Progress.lookMillis)
  }
}

private[pyflare] object Progress {
  private val lookMillis = 200L
  private val ids = new AtomicLong
  private val running = new ConcurrentHashMap[Long, Progress]

  def register(progress: Progress): Long = {
    val id = ids.incrementAndGet()
    running.put(id, progress)
    id
  }

  def await(id: Long, fraction: Double): Unit = {
    val context = TaskContext.get()
    Option(running.get(id)).foreach(_.await(fraction, context.isInterrupted()))
  }
}
