package org.apache.spark.sql.pyflare

import java.nio.file.{Files, Path}
import java.util.{Base64, UUID}
import java.util.concurrent.ExecutionException

import scala.util.control.NonFatal

import com.fasterxml.jackson.databind.JsonNode

import org.apache.spark.internal.Logging
import org.apache.spark.sql.types.DataType

/** The backend's rows before anybody has read them. */
private[pyflare] sealed trait Delivery
private[pyflare] final case class InFile(path: Path) extends Delivery
private[pyflare] final case class Inline(base64: String) extends Delivery

/** One run of one fragment (`docs/wire.md`, section 4); its rows go to the file that the caller has `lent`, else to one of ours. */
private[pyflare] final class FragmentRun(exec: PyFlareExec, lent: Option[Path] = None, id: String = UUID.randomUUID.toString)
    extends Logging {
  private val conf = exec.session.sparkContext.conf

  /** The rows, or nothing when Spark is to run the original plan. Throws only what has nothing to do with us, cancellation for instance. */
  def result(): Option[ArrowResult] = deliver().flatMap { delivery =>
    attempt {
      val bytes = delivery match {
        case InFile(path) => new MappedBytes(path)
        case Inline(base64) => new HeapBytes(Base64.getDecoder.decode(base64))
      }
      Some(checked(new ArrowResult(bytes)))
    }
  }

  /** What `use` makes of the rows. */
  def read[A](use: ArrowResult => A): Option[A] = result().flatMap { rows =>
    attempt {
      try Some(use(rows))
      finally rows.close()
    }
  }

  /** The rows as the backend left them. */
  def deliver(): Option[Delivery] =
    if (exec.original.refused.get) None
    else attempt(withInputs((worker, files, inputs) => delivery(worker, lent.getOrElse(files.out()), inputs)))

  /** Has the rows written to a pipe as they come. What the backend says if it does not get to the end; some rows may have gone then. */
  def stream(pipe: Path): Option[Refusal] =
    try
      withInputs { (worker, _, inputs) =>
        val started = System.nanoTime
        val text = request(pipe, inputs, stream = true)
        val reply = asking(() => Decision.read(Attendance.alone(worker, id, text)))
        if (accepted(reply, System.nanoTime - started, pipe).isDefined) None
        else Some(Refusal(reply.path("kind").asText, reply.path("message").asText))
      }
    catch {
      case e if Attendance.isCancellation(e) => throw e
      case e: ExecutionException => broken(e.getCause)
      case NonFatal(e) => broken(e)
    }

  private def broken(cause: Throwable): Option[Refusal] = {
    failed(cause)
    Some(Refusal("internal", cause.toString))
  }

  private def withInputs[A](use: (WorkerProcess, RunFiles, Seq[(Int, Path)]) => A): A = {
    val worker = Worker.get(conf)
    val files = new RunFiles(worker.directory, id)
    try {
      val inputs = exec.fragment.inputs.zip(exec.children).map { case (node, child) => node -> files.input(node) -> child }
      inputs.foreach { case ((_, path), child) => InputStage.write(child, path) }
      use(worker, files, inputs.map(_._1))
    } finally files.removeInputs()
  }

  private def delivery(worker: WorkerProcess, out: Path, inputs: Seq[(Int, Path)]): Option[Delivery] = {
    var delivered = Option.empty[Delivery]
    val started = System.nanoTime
    try delivered = accepted(ask(worker, request(out, inputs, stream = false)), System.nanoTime - started, out)
    finally if (lent.isEmpty && !delivered.contains(InFile(out))) Files.deleteIfExists(out)
    delivered
  }

  private def ask(worker: WorkerProcess, request: String): JsonNode =
    asking(() => Decision.read(Attendance.of(exec, worker, id, request)))

  /** A restarted backend does not know the fragment until it has seen the plan again. */
  private def asking(send: () => JsonNode): JsonNode = {
    val reply = send()
    if (reply.path("kind").asText != "unknown-fragment") reply
    else {
      Worker.plan(conf, exec.original.document)
      send()
    }
  }

  private def accepted(reply: JsonNode, nanos: Long, out: Path): Option[Delivery] =
    if (reply.path("ok").asBoolean) {
      FragmentMetrics.update(exec, reply.path("metrics"), nanos)
      Some(Option(reply.get("inline")).filterNot(_.isNull).map(b => Inline(b.asText)).getOrElse(InFile(out)))
    } else {
      refused(reply.path("kind").asText, reply.path("message").asText)
      None
    }

  private def refused(kind: String, message: String): Unit = {
    if (kind == "cancelled") throw Attendance.cancelled(message)
    exec.original.refused.set(true)
    // Spark raises an error of its own, as a rule. If it finds none, the user of `explain` learns why the query took longer.
    if (kind == "data" && Settings.explain(exec.conf) == "none") logDebug(s"Fragment ${exec.fragment.id} goes to Spark: $message")
    else logWarning(s"Fragment ${exec.fragment.id} goes to Spark ($kind): $message")
  }

  private def request(out: Path, inputs: Seq[(Int, Path)], stream: Boolean): String = {
    val json = new JsonWriter(1024)
    json.obj {
      json.field("fragment", exec.fragment.id)
      json.field("run", id)
      json.field("out", out.toString)
      json.field("stream", stream)
      json.key("inputs")
      json.obj(inputs.foreach { case (node, path) => json.field(node.toString, path.toString) })
    }
    json.result
  }

  /** A column of another type than the plan's would be read as garbage. */
  private def checked(result: ArrowResult): ArrowResult = {
    val types = ArrowStream.types(result.stream.schema)
    val expected = exec.output.map(_.dataType)
    val same = types.corresponds(expected)(DataType.equalsStructurally(_, _, ignoreNullability = true))
    def names(types: Seq[DataType]): String = types.map(_.sql).mkString("(", ", ", ")")
    require(same, s"the worker delivered ${names(types)} for ${names(expected)}")
    result
  }

  private def attempt[A](body: => Option[A]): Option[A] =
    try body
    catch {
      case e if Attendance.isCancellation(e) => throw e
      case e: ExecutionException => failed(e.getCause)
      case NonFatal(e) => failed(e)
    }

  private def failed(cause: Throwable): Option[Nothing] = {
    logWarning(s"Fragment ${exec.fragment.id} goes to Spark: $cause")
    logDebug("The cause", cause)
    None
  }
}

/** The files of one run, all made by this side. */
private[pyflare] final class RunFiles(directory: WorkerDirectory, run: String) {
  private val inputs = s"$run-in"

  def out(): Path = directory.create(s"$run.arrow")

  def input(node: Int): Path = directory.create(s"$inputs-$node.arrow")

  def removeInputs(): Unit = directory.removeAll(inputs)
}
