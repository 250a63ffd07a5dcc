package org.apache.spark.sql.pyflare

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

import org.apache.spark.sql.catalyst.trees.TreeNodeTag

/** A subtree that the backend takes: `inputs` are the nodes below it that Spark goes on running. */
private[pyflare] final case class Fragment(id: String, node: Int, inputs: Seq[Int], ordered: Boolean, single: Boolean)

/** The backend's answer to a plan (`docs/wire.md`, section 3). With an `error` the query must not run. */
private[pyflare] final case class Decision(
    fragments: Seq[Fragment],
    reasons: Seq[String],
    log: String,
    error: Option[String],
    json: String
)

/** What the user has demanded of PyFlare cannot be: PySpark knows this as its own `IllegalArgumentException`. */
private[pyflare] final class DemandNotMet(message: String) extends IllegalArgumentException(message)

private[pyflare] object Decision {
  /** Marks the root of each plan that was decided upon. */
  val tag: TreeNodeTag[Decision] = TreeNodeTag[Decision]("pyflare.decision")

  /** On the root of a plan: the nanoseconds that went by until it was decided upon and replaced. */
  val took: TreeNodeTag[Long] = TreeNodeTag[Long]("pyflare.took")

  /** Marks the exchanges of a plan of which the backend took nothing. */
  val declined: TreeNodeTag[Unit] = TreeNodeTag[Unit]("pyflare.declined")

  private val mapper = new ObjectMapper

  def read(json: String): JsonNode = mapper.readTree(json)

  def parse(json: String): Decision = {
    val tree = read(json)
    Decision(
      fragments = elements(tree, "fragments").map(fragment),
      reasons = elements(tree, "reasons").map(reason),
      log = tree.path("log").asText(""),
      error = Option(tree.get("error")).filterNot(_.isNull).map(_.asText),
      json = json
    )
  }

  private def fragment(f: JsonNode): Fragment =
    Fragment(
      id = f.get("id").asText,
      node = f.get("node").asInt,
      inputs = elements(f, "inputs").map(_.asInt),
      ordered = f.path("ordered").asBoolean(false),
      single = f.path("single").asBoolean(false)
    )

  private def reason(r: JsonNode): String = s"${r.path("op").asText} (node ${r.path("node").asText}): ${r.path("reason").asText}"

  private def elements(tree: JsonNode, name: String): Seq[JsonNode] = tree.path(name).elements.asScala.toSeq
}
