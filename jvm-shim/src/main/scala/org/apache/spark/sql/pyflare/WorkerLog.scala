package org.apache.spark.sql.pyflare

import java.io.{BufferedReader, IOException}

import scala.collection.mutable

import org.slf4j.LoggerFactory
import org.slf4j.event.Level

/** Passes the worker's output on to this JVM's log, so that one log tells all. Lines begin with Python's level, or follow such a line. */
private[pyflare] final class WorkerLog(pid: Long) {
  private val log = LoggerFactory.getLogger("org.pyflare.worker")
  private var level = Level.INFO
  private val recent = mutable.Queue.empty[String]

  /** What the worker said last, for the message about its end. */
  def last: String = recent.mkString("\n")

  def follow(lines: BufferedReader): Unit =
    try Iterator.continually(lines.readLine()).takeWhile(_ != null).foreach(line)
    catch { case _: IOException => }

  private def line(text: String): Unit = {
    level = WorkerLog.levels.collectFirst { case (prefix, l) if text.startsWith(prefix) => l }.getOrElse(level)
    log.atLevel(level).log(s"[$pid] $text")
    recent += text
    if (recent.length > WorkerLog.remembered) recent.dequeue()
  }
}

private[pyflare] object WorkerLog {
  private val remembered = 5

  /** What Python's logging, an uncaught exception and a crash of the interpreter begin with. */
  private val levels = Seq(
    "DEBUG " -> Level.DEBUG,
    "INFO " -> Level.INFO,
    "WARNING " -> Level.WARN,
    "ERROR " -> Level.ERROR,
    "CRITICAL " -> Level.ERROR,
    "Traceback " -> Level.WARN,
    "Fatal Python error" -> Level.ERROR
  )
}
