package org.apache.spark.sql.pyflare

import java.util.IdentityHashMap

import scala.util.control.NonFatal

import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution._
import org.apache.spark.sql.execution.adaptive.{AdaptiveSparkPlanExec, BroadcastQueryStageExec, QueryStageExec}
import org.apache.spark.sql.execution.command.{DataWritingCommandExec, ExecutedCommandExec}
import org.apache.spark.sql.execution.datasources.WriteFilesExec
import org.apache.spark.sql.execution.datasources.v2.V2CommandExec
import org.apache.spark.sql.execution.exchange.{BroadcastExchangeExec, Exchange, ValidateRequirements}

/**
 * Sends each whole physical plan to the backend and replaces the subtrees that it takes. Spark calls this at two places:
 *
 *   - `queryStagePrepRule`: adaptive execution on, the whole plan with its exchanges, and again whenever Spark plans the rest of a query
 *     anew;
 *   - `preColumnarTransitions`: adaptive execution off or skipped, the whole plan; under adaptive execution the parts of a plan that has
 *     been through the first place, which this leaves alone (`stages`).
 *
 * Whatever goes wrong here, the plan stays as Spark made it; only what the user has demanded of PyFlare ends the query.
 */
private[sql] final case class OffloadRule(stages: Boolean) extends Rule[SparkPlan] {

  override def apply(plan: SparkPlan): SparkPlan = plan match {
    case a: AdaptiveSparkPlanExec if stages => unwrapped(a)
    case _ => decidedOnce(plan)
  }

  /** Where the whole query has become one fragment there is nothing left to adapt, and re-planning it would take milliseconds. */
  private def unwrapped(adaptive: AdaptiveSparkPlanExec): SparkPlan = adaptive.initialPlan match {
    case whole: PyFlareExec if whole.children.isEmpty && !adaptive.isSubquery => whole
    case _ => adaptive
  }

  private def decidedOnce(plan: SparkPlan): SparkPlan =
    if (Settings.enabled(conf) && !(stages && seenBefore(plan)) && !declinedBefore(plan) && !isStreaming(plan)) offload(plan, root = true)
    else plan

  private def seenBefore(plan: SparkPlan): Boolean = plan.exists {
    case _: AdaptiveSparkPlanExec | _: QueryStageExec | _: PyFlareExec => true
    case _: Exchange => conf.adaptiveExecutionEnabled
    case p => p.getTagValue(Decision.tag).isDefined
  }

  /** The rest of a query of which the backend took nothing when it was whole. */
  private def declinedBefore(plan: SparkPlan): Boolean = plan.exists {
    case s: QueryStageExec => s.plan.getTagValue(Decision.declined).isDefined
    case _ => false
  }

  private def isStreaming(plan: SparkPlan): Boolean = plan.logicalLink.exists(_.isStreaming)

  private def offload(plan: SparkPlan, root: Boolean): SparkPlan = plan match {
    case _: DataWritingCommandExec | _: WriteFilesExec | _: V2CommandExec =>
      plan.withNewChildren(plan.children.map(offload(_, root = false)))
    case _: ExecutedCommandExec | _: CommandResultExec => plan
    case query =>
      try decided(query, root)
      catch {
        case e: DemandNotMet => throw e
        case NonFatal(e) =>
          Once.warn(log, e)
          query
      }
  }

  private def decided(query: SparkPlan, root: Boolean): SparkPlan = {
    if (!Rehearsal.isOn) Rehearsal.end()
    val started = System.nanoTime
    val session = query.session
    val written = Document.write(query, session, root)
    val decision = Decision.parse(Worker.plan(session.sparkContext.conf, written.text))
    report(decision)
    decision.error.foreach(message => throw new DemandNotMet(message))
    val result = Some(new Replacement(written, decision).replace(query)).filter(delivers(query, _)).filterNot(_ eq query)
    if (result.isEmpty) query.foreach { case e: Exchange => e.setTagValue(Decision.declined, ()); case _ => }
    val plan = result.getOrElse(query)
    plan.setTagValue(Decision.tag, decision)
    plan.setTagValue(Decision.took, System.nanoTime - started)
    plan
  }

  /** What a parent demands of its child's distribution and order was settled before this rule: a fragment has to keep it. */
  private def delivers(before: SparkPlan, after: SparkPlan): Boolean = {
    val fine = ValidateRequirements.validate(after) || !ValidateRequirements.validate(before)
    if (!fine) Once.warn(log, "PyFlare's fragments would not deliver the distribution that Spark's operators above them need")
    fine
  }

  private def report(decision: Decision): Unit = {
    val level = Settings.explain(conf)
    if (level == "fallback" || level == "all") decision.reasons.foreach(r => logWarning(s"PyFlare leaves to Spark: $r"))
    if (level == "all") {
      decision.fragments.foreach(f => logWarning(s"PyFlare takes node ${f.node} as fragment ${f.id}"))
      if (decision.log.nonEmpty) logWarning(decision.log)
    }
  }
}

/** Puts the fragments of a decision in place of the nodes that they stand for. */
private[pyflare] final class Replacement(document: Document, decision: Decision) {
  private val fragments = new IdentityHashMap[SparkPlan, Fragment]
  decision.fragments.foreach(f => fragments.put(document.nodes(f.node), f))

  def replace(plan: SparkPlan): SparkPlan = Option(fragments.get(plan)) match {
    case Some(f) => substitute(plan, f)
    case None if plan.children.isEmpty => plan
    case None => plan.withNewChildren(plan.children.map(replace))
  }

  private def operators(plan: SparkPlan, inputs: Seq[SparkPlan]): Seq[String] =
    if (inputs.exists(_ eq plan)) Nil
    else PlanWriter.className(plan.getClass) +: plan.children.flatMap(operators(_, inputs))

  /** A broadcast has no rows to hand over, what it broadcasts has. */
  private def rows(plan: SparkPlan): SparkPlan = plan match {
    case s: BroadcastQueryStageExec => rows(s.plan)
    case b: BroadcastExchangeExec => b.child
    case _ => plan
  }

  private def substitute(plan: SparkPlan, f: Fragment): SparkPlan = {
    val inputs = f.inputs.map(document.nodes)
    val exec = PyFlareExec(f, Original(plan, operators(plan, inputs), document.text), plan.output, inputs.map(i => replace(rows(i))))
    exec.copyTagsFrom(plan)
    // Adaptive execution needs a link into the logical plan at the root of each stage. `setLogicalLink` would pass it on to the inputs.
    if (exec.logicalLink.isEmpty) {
      val nearest = plan.collectFirst { case p if p.logicalLink.isDefined => p.logicalLink.get }
      nearest.foreach(exec.setTagValue(SparkPlan.LOGICAL_PLAN_INHERITED_TAG, _))
    }
    exec
  }
}
