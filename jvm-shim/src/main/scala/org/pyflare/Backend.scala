package org.pyflare

/** What the Python backend implements; every text is JSON, described in `docs/wire.md`. */
trait Backend {
  def plan(json: String): String
  def run(json: String): String
  def progress(run: String): String
  def cancel(run: String): Unit
  def command(name: String, json: String): String
}
