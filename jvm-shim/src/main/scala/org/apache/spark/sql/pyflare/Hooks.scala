package org.apache.spark.sql.pyflare

import org.apache.spark.SparkConf
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution.{ColumnarRule, SparkPlan}

/** What the classes that users name (`org.pyflare`) do not do themselves, because Spark's internals are open to this package only. */
object Hooks {
  def wholePlans: Rule[SparkPlan] = OffloadRule(stages = false)

  def columnar: ColumnarRule = new ColumnarRule {
    override def preColumnarTransitions: Rule[SparkPlan] = OffloadRule(stages = true)
  }

  def start(conf: SparkConf): Unit = if (conf.getBoolean("spark.pyflare.enabled", true)) {
    Worker.warm(conf)
    Rehearsal.start(conf)
  }

  def stop(): Unit = {
    Rehearsal.end()
    Worker.stop()
  }
}
