package org.apache.spark.sql.pyflare

import java.lang.{StringBuilder => Text}
import java.util.Base64

/** Writes JSON text from the front to the back. The plan is written on every planning, so this allocates next to nothing. */
private[pyflare] final class JsonWriter(size: Int = 8192) {
  private val text = new Text(size)
  private var separate = false

  def result: String = text.toString

  def obj(body: => Unit): Unit = nested('{', '}')(body)

  def arr(body: => Unit): Unit = nested('[', ']')(body)

  def list[A](items: Iterable[A])(write: A => Unit): Unit = arr(items.foreach(write))

  def key(name: String): Unit = {
    string(name)
    text.append(':')
    separate = false
  }

  def field(name: String, value: String): Unit = { key(name); string(value) }

  def field(name: String, value: Long): Unit = { key(name); number(value) }

  def field(name: String, value: Boolean): Unit = { key(name); bool(value) }

  def number(value: Long): Unit = { begin(); text.append(value) }

  def bool(value: Boolean): Unit = { begin(); text.append(value) }

  /** Infinities and NaN have no JSON number: they are strings. */
  def double(value: Double): Unit =
    if (java.lang.Double.isFinite(value)) { begin(); text.append(value) } else string(value.toString)

  def nul(): Unit = { begin(); text.append("null") }

  def raw(json: String): Unit = { begin(); text.append(json) }

  def base64(bytes: Array[Byte]): Unit = string(Base64.getEncoder.encodeToString(bytes))

  def string(value: String): Unit = {
    begin()
    text.append('"')
    var i = 0
    while (i < value.length) {
      escape(value.charAt(i))
      i += 1
    }
    text.append('"')
  }

  private def escape(c: Char): Unit = c match {
    case '"' => text.append("\\\"")
    case '\\' => text.append("\\\\")
    case '\n' => text.append("\\n")
    case _ if c < ' ' || Character.isSurrogate(c) => text.append(f"\\u${c.toInt}%04x")
    case _ => text.append(c)
  }

  private def nested(open: Char, close: Char)(body: => Unit): Unit = {
    begin()
    text.append(open)
    separate = false
    body
    text.append(close)
    separate = true
  }

  private def begin(): Unit = {
    if (separate) text.append(',')
    separate = true
  }
}
