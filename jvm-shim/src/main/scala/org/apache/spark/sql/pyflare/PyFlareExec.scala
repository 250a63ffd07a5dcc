package org.apache.spark.sql.pyflare

import java.nio.file.Path
import java.util.concurrent.atomic.AtomicBoolean

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet, SortOrder}
import org.apache.spark.sql.catalyst.plans.QueryPlan
import org.apache.spark.sql.catalyst.plans.physical.{Partitioning, SinglePartition, UnknownPartitioning}
import org.apache.spark.sql.execution.{RowToColumnarExec, SparkPlan}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * The plan that a fragment replaces, its operators in pre-order without those that stay in Spark, and the document that it was decided in.
 * Not a tree node, so that Spark does not walk into it.
 */
private[pyflare] final case class Original(plan: SparkPlan, operators: Seq[String], document: String) {
  /** Set when the backend has refused to run this: it would do so again. */
  val refused: AtomicBoolean = new AtomicBoolean
}

/**
 * A part of a query that the backend runs. As the root of a query it answers actions without a Spark job. When the backend cannot
 * deliver, the original plan runs in Spark, so that its rows or its errors are those that the user would have seen anyway.
 */
private[sql] final case class PyFlareExec(fragment: Fragment, original: Original, output: Seq[Attribute], children: Seq[SparkPlan])
    extends SparkPlan {

  override def nodeName: String = s"PyFlare [${fragment.id.take(12)}]"

  override def simpleString(maxFields: Int): String = s"$nodeName ${original.operators.mkString("(", ", ", ")")}"

  override def verboseStringWithOperatorId(): String =
    s"""
       |$formattedNodeName
       |Output: ${output.mkString("[", ", ", "]")}
       |Replaces:
       |${original.plan.treeString.trim}
       |""".stripMargin

  override def producedAttributes: AttributeSet = outputSet

  override def supportsColumnar: Boolean = true

  override def supportsRowBased: Boolean = true

  override def outputPartitioning: Partitioning =
    if (fragment.single) SinglePartition else UnknownPartitioning(sparkContext.defaultParallelism)

  override def outputOrdering: Seq[SortOrder] = if (fragment.ordered) original.plan.outputOrdering else Nil

  override lazy val metrics: Map[String, SQLMetric] = FragmentMetrics.create(sparkContext)

  /** Fragments are equal when the plans that they stand for are: what else is in the document does not matter. */
  override protected def doCanonicalize(): SparkPlan = {
    val plan = original.plan.canonicalized
    PyFlareExec(
      Fragment("", 0, Nil, fragment.ordered, fragment.single),
      Original(plan, Nil, ""),
      output.map(QueryPlan.normalizeExpressions(_, output)),
      children.map(_.canonicalized)
    )
  }

  override protected def withNewChildrenInternal(newChildren: IndexedSeq[SparkPlan]): SparkPlan = copy(children = newChildren)

  @transient private lazy val inSpark: SparkPlan = Fallback.prepare(this)

  /** The rows as the backend left them, in `lent` if they are many, or nothing when Spark has to run the original plan. */
  def executeArrow(lent: Option[Path]): Option[Delivery] = executeQuery(new FragmentRun(this, lent).deliver())

  /** The original plan's rows. */
  def executeCollectInSpark(): Array[InternalRow] = Settings.withoutPyFlare(inSpark.executeCollect())

  private def run(): Option[ArrowResult] = new FragmentRun(this).result()

  private def answer[A](fromRows: ArrowResult => A)(fromSpark: SparkPlan => A): A = executeQuery {
    new FragmentRun(this).read(fromRows).getOrElse(Settings.withoutPyFlare(fromSpark(inSpark)))
  }

  override def executeCollect(): Array[InternalRow] = answer(_.toRows)(_.executeCollect())

  override def executeTake(n: Int): Array[InternalRow] = answer(_.toRows(0, n))(_.executeTake(n))

  override def executeTail(n: Int): Array[InternalRow] = answer(r => r.toRows(r.rows - n, n))(_.executeTail(n))

  override def executeToIterator(): Iterator[InternalRow] = executeQuery {
    run().map(_.iterator).getOrElse(Settings.withoutPyFlare(inSpark.executeToIterator()))
  }

  override private[spark] def executeCollectIterator(): (Long, Iterator[InternalRow]) = executeQuery {
    run().map(r => (r.rows, r.iterator)).getOrElse(Settings.withoutPyFlare(inSpark.executeCollectIterator()))
  }

  override protected def doExecute(): RDD[InternalRow] =
    new FragmentRDD[InternalRow](sparkContext, () => run(), () => asClaimed(inSpark.execute()), fragment.single, _.rows)

  override protected def doExecuteColumnar(): RDD[ColumnarBatch] =
    new FragmentRDD[ColumnarBatch](
      sparkContext, () => run(), () => asClaimed(RowToColumnarExec(inSpark).executeColumnar()), fragment.single, _.batches)

  /** The rows as Spark's own operators compute them. */
  def executeInSpark(): RDD[InternalRow] = Settings.withoutPyFlare(asClaimed(inSpark.execute()))

  private def asClaimed[A](rdd: RDD[A]): RDD[A] = if (fragment.single) rdd.coalesce(1) else rdd
}
