package org.apache.spark.sql.pyflare

import java.util.concurrent.ConcurrentHashMap

import scala.collection.mutable
import scala.util.Try

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.physical.UnspecifiedDistribution
import org.apache.spark.sql.catalyst.trees.TreeNode
import org.apache.spark.sql.execution._
import org.apache.spark.sql.execution.adaptive.{AdaptiveSparkPlanExec, BroadcastQueryStageExec, QueryStageExec, TableCacheQueryStageExec}
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.types.UTF8String

/**
 * Writes a physical plan down as data (`docs/wire.md`, section 2). It knows no operator and no expression: whatever is a case class
 * is written by its constructor's field names, and what cannot be written is marked opaque, so that the backend can refuse it. The
 * few classes whose meaning is not in their fields are in [[Leaves]].
 */
private[pyflare] final class PlanWriter {
  import PlanWriter._

  val json = new JsonWriter

  /** The node numbered `i` in the document. */
  val nodes = mutable.ArrayBuffer.empty[SparkPlan]

  private val leaves = new Leaves(this)
  private val exprIds = mutable.HashMap.empty[ExprId, Int]
  private val types = mutable.HashMap.empty[DataType, String]

  def node(plan: SparkPlan): Unit = {
    val op = unwrap(plan)
    json.obj {
      json.field("i", nodes.size)
      nodes += plan
      json.field("op", shapeOf(op).name)
      json.key("out")
      json.list(op.output)(a => if (op.children.isEmpty) attribute(a, a.name) else expression(a))
      json.key("f")
      json.obj(if (!leaves.fields(op)) fields(op, op.children))
      json.key("ch")
      json.list(op.children)(node)
      requirements(op)
    }
  }

  private def requirements(op: SparkPlan): Unit = {
    val distributions = op.requiredChildDistribution
    if (distributions.exists(_ != UnspecifiedDistribution)) {
      json.key("dist")
      json.list(distributions)(d => json.string(shapeOf(d).name))
    }
    if (op.requiredChildOrdering.exists(_.nonEmpty)) json.field("ord", value = true)
  }

  def expression(e: Expression): Unit = e match {
    case l: Literal => json.obj(typed(l, Literals.write(this, l.value, l.dataType)))
    case a: AttributeReference => attribute(a, reproducible(a.name))
    case a: Alias =>
      json.obj(typed(a, inFields {
        json.key("child")
        expression(a.child)
        json.field("name", a.name)
        json.field("exprId", number(a.exprId))
      }))
    case _ => json.obj(typed(e, inFields(if (!leaves.fields(e)) fields(e, Nil))))
  }

  private def attribute(a: Attribute, name: String): Unit = json.obj(typed(a, {
    json.field("name", name)
    json.field("id", number(a.exprId))
  }))

  private def typed(e: Expression, rest: => Unit): Unit = {
    json.field("e", shapeOf(e).name)
    Try(e.dataType).foreach { t =>
      json.key("t")
      dataType(t)
    }
    Try(e.nullable).foreach(json.field("n", _))
    rest
  }

  private def inFields(body: => Unit): Unit = {
    json.key("f")
    json.obj(body)
  }

  def fields(p: Product, children: Seq[SparkPlan]): Unit = {
    val names = shapeOf(p).fields
    var i = 0
    while (i < names.length) {
      val v = p.productElement(i)
      if (!isChild(v, children)) {
        json.key(names(i))
        value(v)
      }
      i += 1
    }
  }

  def value(v: Any): Unit = v match {
    case null | None => json.nul()
    case Some(x) => value(x)
    case e: Expression => expression(e)
    case s: BaseSubqueryExec => node(s)
    case t: DataType => json.obj { json.key("t"); dataType(t) }
    case id: ExprId => json.number(number(id))
    case b: Boolean => json.bool(b)
    case n @ (_: Byte | _: Short | _: Int | _: Long) => json.number(n.asInstanceOf[Number].longValue)
    case d @ (_: Double | _: Float) => json.double(d.asInstanceOf[Number].doubleValue)
    case s @ (_: String | _: UTF8String | _: Char) => json.string(s.toString)
    case _: TreeNode[_] => opaque(v)
    case m: collection.Map[_, _] => map(m)
    case items: Iterable[_] => json.list(items)(value)
    case items: Array[AnyRef] => json.list(items)(value)
    case p: Product if p.productPrefix.startsWith("Tuple") => json.list(p.productIterator.to(Seq))(value)
    case c: Class[_] => named(c.getName)
    case e: Enumeration#Value => named(e.toString)
    case e: Enum[_] => named(e.name)
    case p: Product if p.productArity == 0 => named(p.productPrefix)
    case p: Product if described.exists(p.getClass.getName.startsWith) =>
      json.obj {
        json.field("o", p.productPrefix)
        inFields(fields(p, Nil))
      }
    case _ => opaque(v)
  }

  def map(entries: Iterable[(_, _)]): Unit = json.obj {
    json.key("m")
    json.list(entries) { case (k, v) => json.arr { value(k); value(v) } }
  }

  def opaque(v: Any): Unit = json.obj(json.field("?", v.getClass.getName))

  private def named(name: String): Unit = json.obj(json.field("o", name))

  def dataType(t: DataType): Unit = json.raw(types.getOrElseUpdate(t, typeJson(t)))

  private def number(id: ExprId): Int = exprIds.getOrElseUpdate(id, exprIds.size)
}

private[pyflare] object PlanWriter {
  /** Classes outside of these packages can hold anything, a whole catalog or file system for instance. */
  private val described =
    Seq("catalyst.expressions.", "catalyst.plans.", "catalyst.optimizer.", "execution.exchange.").map("org.apache.spark.sql." + _)

  private final case class Shape(name: String, fields: Array[String])

  private val shapes = new ConcurrentHashMap[Class[_], Shape]

  private def shapeOf(p: Product): Shape =
    shapes.computeIfAbsent(p.getClass, c => Shape(className(c), p.productElementNames.toArray))

  private def shapeOf(a: Any): Shape = a match {
    case p: Product => shapeOf(p)
    case _ => Shape(className(a.getClass), Array.empty)
  }

  def className(c: Class[_]): String = {
    val name = c.getName.stripSuffix("$")
    if (name.startsWith("org.apache.spark.sql.")) name.substring(name.lastIndexOf('.') + 1) else name
  }

  /** The plan that a wrapper stands for: documents contain Spark's own operators, without the traces of an earlier preparation. */
  def unwrap(plan: SparkPlan): SparkPlan = plan match {
    case a: AdaptiveSparkPlanExec => unwrap(a.inputPlan)
    case s @ (_: BroadcastQueryStageExec | _: TableCacheQueryStageExec) => unwrap(s.asInstanceOf[QueryStageExec].plan)
    case f: PyFlareExec => unwrap(f.original.plan)
    case r: ReusedSubqueryExec => unwrap(r.child)
    case w @ (_: WholeStageCodegenExec | _: InputAdapter | _: ColumnarToRowExec | _: RowToColumnarExec) => unwrap(w.children.head)
    case _ => plan
  }

  /** Spark puts ids into the names that it invents: `sum(price#5)`. */
  private def reproducible(name: String): String = if (name.indexOf('#') < 0) name else idInName.replaceAllIn(name, "")

  private val idInName = "(?<=\\w)#\\d+L?(?=\\W)".r

  private def isChild(v: Any, children: Seq[SparkPlan]): Boolean = v match {
    case p: SparkPlan => children.exists(_ eq p)
    case items: Seq[_] => items.nonEmpty && items.forall(isChild(_, children))
    case _ => false
  }

  /** `DataType.json` forgets a string's collation, which changes what the string equals: such a type is written as SQL text. */
  private def typeJson(t: DataType): String =
    if (t.existsRecursively { case s: StringType => !s.isUTF8BinaryCollation; case _ => false }) {
      val quoted = new JsonWriter(64)
      quoted.string(t.sql)
      quoted.result
    } else t.json
}
