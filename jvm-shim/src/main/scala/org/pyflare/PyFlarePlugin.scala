package org.pyflare

import java.util.{Collections, Map => JMap}

import scala.util.control.NonFatal

import org.slf4j.LoggerFactory

import org.apache.spark.SparkContext
import org.apache.spark.api.plugin.{DriverPlugin, ExecutorPlugin, PluginContext, SparkPlugin}
import org.apache.spark.sql.pyflare.Hooks

/** `spark.plugins=org.pyflare.PyFlarePlugin`: adds the extension to every session of the application and starts the worker early. */
class PyFlarePlugin extends SparkPlugin {
  override def driverPlugin(): DriverPlugin = new PyFlareDriver

  override def executorPlugin(): ExecutorPlugin = null
}

private class PyFlareDriver extends DriverPlugin {
  private val extensions = "spark.sql.extensions"

  /** An exception in here would end the application, so there is none. */
  override def init(sc: SparkContext, context: PluginContext): JMap[String, String] = {
    try {
      val conf = context.conf
      val present = conf.get(extensions, "").split(',').map(_.trim).filter(_.nonEmpty).toSeq
      conf.set(extensions, (present :+ classOf[PyFlareExtensions].getName).distinct.mkString(","))
      Hooks.start(conf)
    } catch {
      case NonFatal(e) => LoggerFactory.getLogger(classOf[PyFlarePlugin]).warn("PyFlare is not available", e)
    }
    Collections.emptyMap[String, String]
  }

  override def shutdown(): Unit = Hooks.stop()
}
