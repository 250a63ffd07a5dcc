package org.apache.spark.sql.pyflare

import scala.collection.immutable.ArraySeq
import scala.jdk.CollectionConverters._

import org.apache.spark.api.python.{PythonFunction, SimplePythonFunction}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Expression, InSet, PythonFuncExpression}
import org.apache.spark.sql.execution._
import org.apache.spark.sql.execution.adaptive.QueryStageExec
import org.apache.spark.sql.execution.datasources.PartitionedFile
import org.apache.spark.sql.execution.python.ArrowPythonRunner
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.StructType

/** The operators and expressions whose meaning is not in their constructor's fields. Each method returns whether it wrote the fields. */
private[pyflare] final class Leaves(out: PlanWriter) {
  import Leaves._

  private val json = out.json

  def fields(plan: SparkPlan): Boolean = plan match {
    case scan: FileSourceScanExec => fileScan(scan); true
    case range: RangeExec => rangeScan(range); true
    case table: LocalTableScanExec => localTable(table); true
    case _: QueryStageExec | _: BaseSubqueryExec => true
    case _ => false
  }

  def fields(e: Expression): Boolean = e match {
    case udf: PythonFuncExpression => pythonUdf(udf); true
    case in: InSet => inSet(in); true
    case _ => false
  }

  private def fileScan(scan: FileSourceScanExec): Unit = {
    val relation = scan.relation
    json.field("format", PlanWriter.className(relation.fileFormat.getClass))
    schema("requiredSchema", scan.requiredSchema)
    schema("partitionSchema", relation.partitionSchema)
    schema("dataSchema", relation.dataSchema)
    field("partitionFilters", scan.partitionFilters)
    field("dataFilters", scan.dataFilters)
    json.key("options")
    out.map(relation.options.toSeq.sortBy(_._1))
    json.field("bucketed", scan.bucketedScan)
    field("metadataColumns", scan.fileConstantMetadataColumns.map(_.name))
    json.key("files")
    files(scan.selectedPartitions.toPartitionArray, relation.partitionSchema)
  }

  private def files(files: Array[PartitionedFile], partitionSchema: StructType): Unit =
    if (files.length > maxFiles) out.opaque(files)
    else json.list(files)(file(_, partitionSchema))

  private def file(f: PartitionedFile, partitionSchema: StructType): Unit = json.obj {
    json.field("path", f.urlEncodedPath)
    json.field("len", f.fileSize)
    json.field("mtime", f.modificationTime)
    json.key("pv")
    row(f.partitionValues, partitionSchema)
  }

  private def rangeScan(range: RangeExec): Unit = {
    json.field("start", range.start)
    json.field("end", range.end)
    json.field("step", range.step)
    json.field("numSlices", range.numSlices)
  }

  private def localTable(table: LocalTableScanExec): Unit = {
    json.key("rows")
    val writable = table.output.forall(a => Literals.isWritable(a.dataType))
    if (writable && table.rows.length <= maxRows) json.list(table.rows)(row(_, table.schema)) else out.opaque(table.rows)
  }

  private def row(r: InternalRow, schema: StructType): Unit =
    json.list(schema.indices)(i => Literals.element(out, r.get(i, schema(i).dataType), schema(i).dataType))

  private def pythonUdf(udf: PythonFuncExpression): Unit = {
    field("name", udf.name)
    field("evalType", udf.evalType)
    field("udfDeterministic", udf.udfDeterministic)
    field("resultId", udf.resultId)
    field("children", udf.children)
    json.key("conf")
    out.map(ArrowPythonRunner.getPythonRunnerConfMap(SQLConf.get).toSeq.sortBy(_._1))
    json.key("func")
    function(udf.func)
  }

  private def function(f: PythonFunction): Unit = f match {
    case s: SimplePythonFunction =>
      json.obj {
        json.field("o", "SimplePythonFunction")
        json.key("f")
        json.obj {
          json.key("command")
          json.base64(bytes(s.command))
          field("pythonExec", s.pythonExec)
          field("pythonVer", s.pythonVer)
          json.key("envVars")
          out.map(s.envVars.asScala.toSeq.sortBy(_._1))
          field("pythonIncludes", s.pythonIncludes.asScala)
          field("broadcastVars", s.broadcastVars.size)
        }
      }
    case _ => out.opaque(f)
  }

  /** A set has no order of its own: sorted texts keep documents reproducible. */
  private def inSet(in: InSet): Unit = {
    field("child", in.child)
    json.key("hset")
    json.list(in.hset.toSeq.sortBy(String.valueOf))(Literals.element(out, _, in.child.dataType))
  }

  private def schema(name: String, value: StructType): Unit = {
    json.key(name)
    out.dataType(value)
  }

  private def field(name: String, value: Any): Unit = {
    json.key(name)
    out.value(value)
  }
}

private[pyflare] object Leaves {
  private val maxFiles = 20000
  private val maxRows = 1000

  private def bytes(command: Seq[Byte]): Array[Byte] = command match {
    case a: ArraySeq.ofByte => a.unsafeArray
    case other => other.toArray
  }
}
