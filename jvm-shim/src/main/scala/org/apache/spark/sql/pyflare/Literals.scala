package org.apache.spark.sql.pyflare

import java.lang.Double.doubleToRawLongBits
import java.lang.Float.floatToRawIntBits

import org.apache.spark.sql.types._
import org.apache.spark.unsafe.types.{CalendarInterval, UTF8String}

/** Spark's internal values as exact JSON: numbers, floating-point bits, unscaled decimals, text or base64. */
private[pyflare] object Literals {
  /** Writes the one key `v`, `b64` or `?`. */
  def write(out: PlanWriter, value: Any, dataType: DataType): Unit = (value, dataType) match {
    case (bytes: Array[Byte], _: BinaryType) => binary(out, bytes)
    case (s: UTF8String, _) if !s.isValid => binary(out, s.getBytes)
    case _ =>
      if (isWritable(value, dataType)) {
        out.json.key("v")
        scalar(out, value, dataType)
      } else out.json.field("?", value.getClass.getName)
  }

  /** A value in a list, where its type is known: the scalar itself, or an object when it has no plain JSON form. */
  def element(out: PlanWriter, value: Any, dataType: DataType): Unit = value match {
    case s: UTF8String if !s.isValid => out.json.obj(binary(out, s.getBytes))
    case _ if isWritable(value, dataType) => scalar(out, value, dataType)
    case _ => out.json.obj(write(out, value, dataType))
  }

  def isWritable(value: Any, dataType: DataType): Boolean = value == null || isWritable(dataType)

  def isWritable(dataType: DataType): Boolean = dataType match {
    case BooleanType | ByteType | ShortType | IntegerType | LongType | FloatType | DoubleType | NullType => true
    case DateType | TimestampType | TimestampNTZType | _: DecimalType => true
    case _: YearMonthIntervalType | _: DayTimeIntervalType | CalendarIntervalType => true
    case s: StringType => s.isUTF8BinaryCollation
    case other => other.typeName.startsWith("time(") // Spark 4.0 has no TimeType
  }

  private def scalar(out: PlanWriter, value: Any, dataType: DataType): Unit = (value, dataType) match {
    case (null, _) => out.json.nul()
    case (b: Boolean, _) => out.json.bool(b)
    case (f: Float, _) => out.json.number(floatToRawIntBits(f).toLong)
    case (d: Double, _) => out.json.number(doubleToRawLongBits(d))
    case (d: Decimal, t: DecimalType) => out.json.string(d.toJavaBigDecimal.setScale(t.scale).unscaledValue.toString)
    case (n: Number, _) => out.json.number(n.longValue)
    case (i: CalendarInterval, _) => out.json.list(Seq[Long](i.months, i.days, i.microseconds))(out.json.number)
    case _ => out.json.string(value.toString)
  }

  private def binary(out: PlanWriter, bytes: Array[Byte]): Unit = {
    out.json.key("b64")
    out.json.base64(bytes)
  }
}
