package org.apache.spark.sql.pyflare

import org.apache.spark.sql.catalyst.InternalRow

/** The rows of a fragment that has run. */
private[pyflare] final class ArrowResult(val bytes: ArrowBytes) extends AutoCloseable {
  val stream: ArrowStream = ArrowStream.index(bytes)

  def rows: Long = stream.rows

  def toRows: Array[InternalRow] = toRows(0, rows)

  def toRows(from: Long, count: Long): Array[InternalRow] = {
    val reader = open()
    try reader.rows.slice(math.max(from, 0).toInt, math.min(from + count, rows).toInt).map(_.copy()).toArray
    finally reader.close()
  }

  /** Gives the memory back with the last row; if that is never asked for, the collector does. */
  def iterator: Iterator[InternalRow] = {
    val reader = open()
    new Iterator[InternalRow] {
      private var open = true
      override def hasNext: Boolean = open && (reader.rows.hasNext || end())
      override def next(): InternalRow = reader.rows.next().copy()
      private def end(): Boolean = {
        open = false
        reader.close()
        close()
        false
      }
    }
  }

  private def open(): BatchReader = new BatchReader(bytes, stream.schema, stream.blocks)

  override def close(): Unit = bytes.close()
}
