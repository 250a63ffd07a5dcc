package org.pyflare

import org.apache.spark.sql.{SparkSessionExtensions, SparkSessionExtensionsProvider}
import org.apache.spark.sql.pyflare.Hooks

/**
 * `spark.sql.extensions=org.pyflare.PyFlareExtensions`: the two places where Spark shows its physical plans, in the order in which it
 * comes by. The rule behind both is one, `OffloadRule`.
 */
class PyFlareExtensions extends SparkSessionExtensionsProvider {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectQueryStagePrepRule(_ => Hooks.wholePlans)
    extensions.injectColumnar(_ => Hooks.columnar)
  }
}
