package org.apache.spark.sql.pyflare

import java.util.concurrent.ConcurrentHashMap

import org.slf4j.Logger

/** Warnings that would otherwise come with each query: one for each cause. The stack is for debugging. */
private[pyflare] object Once {
  private val most = 1000
  private val said = ConcurrentHashMap.newKeySet[String]

  def warn(log: Logger, cause: Throwable): Unit = {
    warn(log, s"PyFlare leaves queries to Spark: $cause")
    log.debug("The cause", cause)
  }

  def warn(log: Logger, message: String): Unit = if (said.size < most && said.add(message)) log.warn(message)
}
