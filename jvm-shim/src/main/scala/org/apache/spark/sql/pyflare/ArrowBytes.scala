package org.apache.spark.sql.pyflare

import java.lang.ref.Cleaner
import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN
import java.nio.channels.FileChannel
import java.nio.channels.FileChannel.MapMode.READ_ONLY
import java.nio.file.{Files, Path}
import java.nio.file.StandardOpenOption.READ

import org.apache.spark.storage.StorageUtils

/** Where an Arrow stream lies. */
private[pyflare] trait ArrowBytes {
  def size: Long

  /** A few bytes for reading metadata. */
  def copy(offset: Long, length: Int): ByteBuffer

  /** Direct memory, to be given back with `release`. */
  def region(offset: Long, length: Long): ByteBuffer

  def release(region: ByteBuffer): Unit

  def close(): Unit
}

/** A file that has no name any more: nothing is left behind, however this JVM ends. It is gone when it is closed or not referred to. */
private[pyflare] final class MappedBytes(path: Path) extends ArrowBytes {
  private val channel = FileChannel.open(path, READ)
  Files.delete(path)

  override val size: Long = channel.size

  private val hold = Held.register(this, channel, size)

  override def copy(offset: Long, length: Int): ByteBuffer = {
    val buffer = ByteBuffer.allocate(length)
    while (buffer.hasRemaining && channel.read(buffer, offset + buffer.position()) >= 0) {}
    buffer.flip().order(LITTLE_ENDIAN)
  }

  override def region(offset: Long, length: Long): ByteBuffer = channel.map(READ_ONLY, offset, length)

  override def release(region: ByteBuffer): Unit = StorageUtils.dispose(region)

  override def close(): Unit = hold.clean()
}

/**
 * The files that results hold. The collector gives those back that nobody closes, but sees only the few bytes that they take on the heap:
 * it is called when they have grown much.
 */
private object Held {
  private val cleaner = Cleaner.create()
  private val start = 2L << 30
  private var bytes = 0L
  private var limit = start

  def register(owner: AnyRef, channel: FileChannel, size: Long): Cleaner.Cleanable = {
    add(size)
    cleaner.register(owner, () => { channel.close(); add(-size) })
  }

  private def add(size: Long): Unit = {
    val much = synchronized {
      bytes += size
      val over = bytes > limit
      limit = math.max(start, if (over) 2 * bytes else math.min(limit, 2 * bytes))
      over
    }
    if (much) System.gc()
  }
}

/** A small result, or one that came to an executor with its task. */
private[pyflare] final class HeapBytes(bytes: Array[Byte]) extends ArrowBytes {
  override val size: Long = bytes.length

  override def copy(offset: Long, length: Int): ByteBuffer = ByteBuffer.wrap(bytes, offset.toInt, length).slice.order(LITTLE_ENDIAN)

  override def region(offset: Long, length: Long): ByteBuffer =
    ByteBuffer.allocateDirect(length.toInt).put(bytes, offset.toInt, length.toInt).flip()

  override def release(region: ByteBuffer): Unit = StorageUtils.dispose(region)

  override def close(): Unit = ()
}
