package org.apache.spark.sql.pyflare

import java.nio.channels.{FileChannel, OverlappingFileLockException}
import java.nio.file.{Files, Path, Paths}
import java.nio.file.StandardOpenOption.{CREATE, WRITE}
import java.nio.file.attribute.PosixFilePermissions

import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

import org.apache.spark.SparkConf
import org.apache.spark.util.Utils

/**
 * The private directory through which a worker and this JVM hand data to each other. A lock held as long as this JVM lives tells other
 * JVMs that it is in use (process ids would not: containers can share `/dev/shm` and still number their processes differently).
 */
private[pyflare] final class WorkerDirectory private (val path: Path, lock: FileChannel) {

  /** An empty file that only this user can read. */
  def create(name: String): Path =
    Files.createFile(path.resolve(name), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))

  def removeAll(prefix: String): Unit =
    Using.resource(Files.newDirectoryStream(path, prefix + "*"))(_.asScala.foreach(Files.deleteIfExists(_)))

  def remove(): Unit = {
    WorkerDirectory.delete(path)
    lock.close()
  }
}

private[pyflare] object WorkerDirectory {
  private val prefix = "pyflare-"
  private val lockName = "lock"
  private val enoughSpace = 512L << 20
  private val settled = 60000L

  def create(conf: SparkConf): WorkerDirectory = {
    val parent = sharedMemory.getOrElse(Paths.get(Utils.getLocalDir(conf)))
    sweep(parent)
    val permissions = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
    val path = Files.createTempDirectory(parent, prefix, permissions)
    val lock = FileChannel.open(path.resolve(lockName), CREATE, WRITE)
    lock.lock()
    new WorkerDirectory(path, lock)
  }

  private def sharedMemory: Option[Path] =
    Some(Paths.get("/dev/shm")).filter(p => Files.isWritable(p) && Try(Files.getFileStore(p).getUsableSpace > enoughSpace).getOrElse(false))

  /** Removes what a JVM that was killed together with its worker could not remove. */
  private def sweep(parent: Path): Unit = Try {
    val me = System.getProperty("user.name")
    Using.resource(Files.newDirectoryStream(parent, prefix + "*")) { found =>
      found.asScala.filter(p => Try(Files.getOwner(p).getName == me && abandoned(p)).getOrElse(false)).foreach(delete)
    }
  }

  private def abandoned(directory: Path): Boolean = {
    val lock = directory.resolve(lockName)
    if (Files.exists(lock))
      Using.resource(FileChannel.open(lock, WRITE)) { channel =>
        try Option(channel.tryLock()).isDefined
        catch { case _: OverlappingFileLockException => false }
      }
    else System.currentTimeMillis() - Files.getLastModifiedTime(directory).toMillis > settled
  }

  private def delete(directory: Path): Unit = Try {
    Using.resource(Files.newDirectoryStream(directory))(_.asScala.foreach(Files.deleteIfExists(_)))
    Files.deleteIfExists(directory)
  }
}
