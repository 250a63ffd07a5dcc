package org.apache.spark.sql.pyflare

import java.io.{BufferedReader, File, InputStreamReader}
import java.net.{InetAddress, Socket}
import java.nio.charset.StandardCharsets.UTF_8
import java.security.SecureRandom
import java.util.Base64
import java.util.concurrent.{CompletableFuture, ExecutionException, TimeoutException, TimeUnit}
import javax.net.SocketFactory

import scala.util.Try
import scala.util.control.NonFatal

import org.pyflare.Backend
import py4j.{CallbackClient, GatewayServer}

import org.apache.spark.SparkConf
import org.apache.spark.api.python.PythonUtils
import org.apache.spark.util.Utils

/**
 * One `python -m pyflare.worker` beside this JVM. The child gets port, token and directory as the first line of its standard input
 * (never as arguments, which every user can list), answers by registering the port it listens at, and leaves when its input ends: that
 * is how it dies with this JVM, whatever kills it.
 */
private[pyflare] final class WorkerProcess(conf: SparkConf) {
  import WorkerProcess._

  val directory: WorkerDirectory = WorkerDirectory.create(conf)
  private val token = newToken()
  private val registered = new CompletableFuture[Int]
  private val gateway = newGateway(token, new Registration(registered))
  private val process = launch()

  /** Waits for the child to be there. The heavy imports go on in the child's background. */
  lazy val backend: Backend = {
    gateway.resetCallbackClient(loopback, port())
    // Py4J makes its proxy with the thread's loader, which need not know the classes of a jar that came with `spark.jars`.
    Utils.withContextClassLoader(classOf[Backend].getClassLoader) {
      gateway.getPythonServerEntryPoint(Array[Class[_]](classOf[Backend])).asInstanceOf[Backend]
    }
  }

  private def port(): Int =
    try registered.get(startSeconds, TimeUnit.SECONDS)
    catch {
      case e: ExecutionException => throw e.getCause
      case _: TimeoutException => throw new IllegalStateException(s"the worker was not ready within $startSeconds s")
    }

  def isAlive: Boolean = process.isAlive

  /** For after a failed call: whether that was because the worker has ended, which shows a moment later. */
  def hasEnded: Boolean = process.waitFor(endMillis, TimeUnit.MILLISECONDS)

  def stop(): Unit = {
    Try(process.getOutputStream.close())
    if (!process.waitFor(stopMillis, TimeUnit.MILLISECONDS)) process.destroyForcibly()
    gateway.shutdown()
    directory.remove()
  }

  private def launch(): Process =
    try {
      gateway.start()
      val builder = new ProcessBuilder(Settings.python(conf), "-m", "pyflare.worker").redirectErrorStream(true)
      builder.environment.put("PYTHONPATH", pythonPath)
      builder.environment.put("PYTHONUNBUFFERED", "1")
      builder.environment.put("PYTHONSAFEPATH", "1")
      builder.environment.putIfAbsent("PYTHONHASHSEED", "0") // as in Spark's workers
      val child = builder.start()
      greet(child)
      val log = new WorkerLog(child.pid)
      daemon("pyflare-worker-log") {
        log.follow(new BufferedReader(new InputStreamReader(child.getInputStream, UTF_8)))
        ended(child.waitFor(), log.last)
      }
      child
    } catch {
      case NonFatal(e) =>
        gateway.shutdown()
        directory.remove()
        throw e
    }

  private def greet(child: Process): Unit = {
    val hello = new JsonWriter(256)
    hello.obj {
      hello.field("port", gateway.getListeningPort)
      hello.field("token", token)
      hello.field("dir", directory.path.toString)
      javaZones.foreach(hello.field("zones", _))
    }
    child.getOutputStream.write((hello.result + "\n").getBytes(UTF_8))
    child.getOutputStream.flush()
  }

  private def ended(status: Int, lastWords: String): Unit = {
    registered.completeExceptionally(new IllegalStateException(s"the worker ended with status $status before it was ready: $lastWords"))
    gateway.shutdown()
    directory.remove()
  }

  /** Where `pyflare` is, what was there before, and at the end Spark's own Python sources with the Py4J that fits them. */
  private def pythonPath: String =
    (Settings.pythonPath(conf).toSeq ++ sys.env.get("PYTHONPATH") ++ Try(PythonUtils.sparkPythonPath).toOption)
      .filter(_.nonEmpty)
      .mkString(File.pathSeparator)
}

private[pyflare] object WorkerProcess {
  private val startSeconds = 30L
  private val stopMillis = 2000L
  private val endMillis = 50L
  private val loopback = InetAddress.getLoopbackAddress

  /** What the child calls once it listens. */
  final class Registration(port: CompletableFuture[Int]) {
    def register(listening: Int): Unit = port.complete(listening)
  }

  /** Without this a call of 10 kB waits 40 ms for an acknowledgement. */
  private object NoDelay extends SocketFactory {
    private def noDelay(socket: Socket): Socket = { socket.setTcpNoDelay(true); socket }
    override def createSocket(): Socket = noDelay(new Socket)
    override def createSocket(host: String, port: Int): Socket = noDelay(new Socket(host, port))
    override def createSocket(host: String, port: Int, local: InetAddress, localPort: Int): Socket =
      noDelay(new Socket(host, port, local, localPort))
    override def createSocket(host: InetAddress, port: Int): Socket = noDelay(new Socket(host, port))
    override def createSocket(host: InetAddress, port: Int, local: InetAddress, localPort: Int): Socket =
      noDelay(new Socket(host, port, local, localPort))
  }

  private def newGateway(token: String, entry: Registration): GatewayServer =
    new GatewayServer.GatewayServerBuilder(entry)
      .javaPort(0)
      .javaAddress(loopback)
      .authToken(token)
      .callbackClient(new CallbackClient(0, loopback, token, 30L, TimeUnit.SECONDS, NoDelay, false, 0))
      .build()

  private def newToken(): String = {
    val bytes = new Array[Byte](32)
    new SecureRandom().nextBytes(bytes)
    Base64.getUrlEncoder.withoutPadding.encodeToString(bytes)
  }

  /** Where `java.time` reads its zones from: the worker reads them there, too. None when the rules come from somewhere else. */
  private def javaZones: Option[String] =
    if (System.getProperty("java.time.zone.DefaultZoneRulesProvider") != null) None
    else Option(System.getProperty("java.home")).map(home => s"$home/lib/tzdb.dat")

  def daemon(name: String)(body: => Unit): Unit = {
    val thread = new Thread(() => body, name)
    thread.setDaemon(true)
    thread.start()
  }
}
