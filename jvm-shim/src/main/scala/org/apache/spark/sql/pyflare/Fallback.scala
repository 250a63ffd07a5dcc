package org.apache.spark.sql.pyflare

import org.apache.spark.sql.catalyst.expressions.{DynamicPruningExpression, Literal}
import org.apache.spark.sql.execution.{InSubqueryExec, QueryExecution, SparkPlan, SubqueryAdaptiveBroadcastExec}

/** Makes the plan that a fragment replaced executable, without PyFlare and without adaptive execution. */
private[pyflare] object Fallback {
  def prepare(exec: PyFlareExec): SparkPlan = Settings.withoutPyFlare {
    exec.session.withActive(QueryExecution.prepareExecutedPlan(exec.session, executable(exec.original.plan)))
  }

  /** Only adaptive execution can run its own kind of dynamic pruning. Pruning is never needed for the right rows. */
  private def executable(plan: SparkPlan): SparkPlan = plan.transform { case p =>
    p.transformExpressions { case DynamicPruningExpression(InSubqueryExec(_, _: SubqueryAdaptiveBroadcastExec, _, _, _, _)) =>
      DynamicPruningExpression(Literal.TrueLiteral)
    }
  }
}
