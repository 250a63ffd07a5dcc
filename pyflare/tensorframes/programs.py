"""A frozen graph as it travels to where the data is, and the session that a process keeps for it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any, Final

from pyflare.tensorflow import tensors
from pyflare.tensorflow.tensors import Array
from pyflare.tensorframes.errors import ComputationException
from pyflare.tensorframes.shapes import UNKNOWN, Shape
from pyflare.vectorized import context

SESSIONS_KEPT: Final = 16
"""Graphs that a process keeps imported."""

_NODE: Final = re.compile(r"\{\{node ([^}]+)\}\}")
_WHERE: Final = re.compile(
    r"Graph execution error:\s*|Detected at node .*\nNode: '.*'\n|\s*\[\[\{\{node [^}]+\}\}.*?\]\]", re.DOTALL
)


@dataclass(frozen=True)
class Port:
    """Where data enters or leaves a graph. `name` is the user's name, `tensor` the graph's (`z:0`), `dtype` the name
    of a TensorFlow type; the shape is None where not even the number of dimensions is known."""

    name: str
    tensor: str
    dtype: str
    shape: Shape | None


@dataclass(frozen=True)
class Program:
    """A graph without variables, as the bytes of a `GraphDef`, and what goes in and out of it.

    Two programs are the same if their digests and ports are: the bytes are not compared.
    """

    graph: bytes = field(repr=False, compare=False)
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", hashlib.sha256(self.graph).hexdigest())

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs for the inputs, both in the order of the ports.

        Raises ComputationException for what TensorFlow raises.
        """
        with _loading:
            session = _session(self)
        return session.run(arrays)


def port_of(name: str, tensor: Any) -> Port:
    """A tensor of a graph as a port."""
    return Port(name, tensor.name, tensor.dtype.base_dtype.name, shape_of(tensor.shape))


def shape_of(shape: Any) -> Shape | None:
    """A `tf.TensorShape` as ours."""
    return None if shape.rank is None else tuple(UNKNOWN if size is None else size for size in shape.as_list())


def sizes(shape: Shape) -> list[int | None]:
    """Our shape as TensorFlow takes it."""
    return [None if size == UNKNOWN else size for size in shape]


def serialized(definition: Any) -> bytes:
    """The bytes of a `GraphDef`, the same for the same graph: they identify it."""
    found: bytes = definition.SerializeToString(deterministic=True)
    return found


class _Session:
    """An imported graph, ready to be called. Several threads may call it at once."""

    def __init__(self, program: Program) -> None:
        tf = tensors.tensorflow()
        definition = tf.compat.v1.GraphDef.FromString(program.graph)
        bodies = [node for function in definition.library.function for node in function.node_def]
        self._names = {node.name for node in (*definition.node, *bodies)}
        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(definition, name="")
            fed = [graph.get_tensor_by_name(port.tensor) for port in program.inputs]
            # A tensor that is fed cannot be fetched.
            fetched = [tf.identity(graph.get_tensor_by_name(port.tensor)) for port in program.outputs]
        session = tf.compat.v1.Session(graph=graph, config=_config(tf))
        self._call = session.make_callable(fetched, feed_list=fed)
        self._error = tf.errors.OpError

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            return list(self._call(*arrays))
        except self._error as error:
            raise ComputationException(self._explained(error)) from error

    def _explained(self, error: Any) -> str:
        found = _NODE.search(error.message)
        where = f" in the operation '{self._user_name(found[1])}'" if found else ""
        return f"TensorFlow failed{where}: {type(error).__name__}: {_WHERE.sub('', error.message).strip()}"

    def _user_name(self, node: str) -> str:
        """The operation's name in the user's graph, if TensorFlow put it into a function or a loop."""
        parts = node.split("/")
        tails = ["/".join(parts[start:]) for start in range(len(parts))]
        return next((tail for tail in tails if tail in self._names), parts[-1])


_loading: Final = Lock()


@lru_cache(maxsize=SESSIONS_KEPT)
def _session(program: Program) -> _Session:
    return _Session(program)


def _config(tf: Any) -> Any:
    """Operations run on the caller's thread (for small blocks, handing over costs more than computing), and in Spark's
    workers their loops get the cores of the task, in the backend all."""
    from pyspark import TaskContext

    task = None if context.is_hidden() else TaskContext.get()
    threads = {} if task is None else {"intra_op_parallelism_threads": task.cpus()}
    return tf.compat.v1.ConfigProto(inter_op_parallelism_threads=-1, **threads)
