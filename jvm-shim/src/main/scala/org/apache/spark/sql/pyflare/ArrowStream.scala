package org.apache.spark.sql.pyflare

import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import org.apache.arrow.flatbuf.{Message, MessageHeader, RecordBatch}
import org.apache.arrow.memory.{ArrowBuf, BufferAllocator, ForeignAllocation}
import org.apache.arrow.memory.util.MemoryUtil
import org.apache.arrow.vector.{VectorLoader, VectorSchemaRoot}
import org.apache.arrow.vector.ipc.message.MessageSerializer
import org.apache.arrow.vector.types.pojo.{Field, Schema}

import org.apache.spark.sql.types.DataType
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch, ColumnVector}

/** A record batch in an IPC stream: where its message starts, how long metadata (with its prefix) and body are. */
private[pyflare] final case class Block(offset: Long, metadata: Int, body: Long, rows: Long) {
  def length: Long = metadata + body
}

/** The parts of an Arrow IPC stream, found without touching the data. */
private[pyflare] final case class ArrowStream(schema: Schema, blocks: IndexedSeq[Block]) {
  def rows: Long = blocks.map(_.rows).sum
}

private[pyflare] object ArrowStream {
  private val prefix = 8
  private val continuation = -1

  /** Spark would read a dictionary's codes as if they were the values. */
  def types(schema: Schema): Seq[DataType] = schema.getFields.asScala.toSeq.map { f =>
    require(!encoded(f), s"column ${f.getName} is dictionary encoded")
    ArrowUtils.fromArrowField(f)
  }

  private def encoded(f: Field): Boolean = f.getDictionary != null || f.getChildren.asScala.exists(encoded)

  def index(bytes: ArrowBytes): ArrowStream = {
    val blocks = mutable.ArrayBuffer.empty[Block]
    var schema: Schema = null
    var offset = 0L
    var length = metadataLength(bytes, offset)
    while (length > 0) {
      val message = Message.getRootAsMessage(bytes.copy(offset + prefix, length))
      message.headerType match {
        case MessageHeader.Schema => schema = MessageSerializer.deserializeSchema(message)
        case MessageHeader.RecordBatch => blocks += Block(offset, prefix + length, message.bodyLength, header(message).length)
        case other => throw new IllegalStateException(s"an Arrow message of type $other")
      }
      offset += prefix + length + message.bodyLength
      length = metadataLength(bytes, offset)
    }
    ArrowStream(schema, blocks.toIndexedSeq)
  }

  /** 0 at the end of the stream, marked or not. */
  private def metadataLength(bytes: ArrowBytes, offset: Long): Int =
    if (offset + prefix > bytes.size) 0
    else {
      val start = bytes.copy(offset, prefix)
      require(start.getInt() == continuation, s"no Arrow message at byte $offset")
      start.getInt()
    }

  private def header(message: Message): RecordBatch = message.header(new RecordBatch).asInstanceOf[RecordBatch]

  /** The batch over the memory where it lies. Closing it gives the memory back. */
  def load(bytes: ArrowBytes, block: Block, schema: Schema, allocator: BufferAllocator): ColumnarBatch = {
    val region = bytes.region(block.offset, block.length)
    val metadata = region.duplicate.position(prefix).limit(block.metadata).slice.order(LITTLE_ENDIAN)
    val batch = MessageSerializer.deserializeRecordBatch(Message.getRootAsMessage(metadata), wrap(bytes, region, block, allocator))
    val root = VectorSchemaRoot.create(schema, allocator)
    try new VectorLoader(root).load(batch)
    finally batch.close()
    val columns = root.getFieldVectors.asScala.map(v => new ArrowColumnVector(v): ColumnVector).toArray
    new ColumnarBatch(columns, block.rows.toInt)
  }

  private def wrap(bytes: ArrowBytes, region: ByteBuffer, block: Block, allocator: BufferAllocator): ArrowBuf = {
    val address = MemoryUtil.getByteBufferAddress(region) + block.metadata
    // The region is a field of the allocation so that it stays reachable as long as a vector points into it.
    allocator.wrapForeignAllocation(new ForeignAllocation(block.body, address) {
      override def release0(): Unit = bytes.release(region)
    })
  }
}
