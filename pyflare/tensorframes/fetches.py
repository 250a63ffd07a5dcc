"""From fetches to a frozen graph: tensors of the current graph, or a function with arguments named like columns."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Protocol

from pyflare.tensorflow.tensors import tensorflow
from pyflare.tensorframes.errors import InputNotFoundException, InvalidDimensionException, TensorFramesError
from pyflare.tensorframes.programs import Port, Program, port_of, serialized, shape_of, sizes
from pyflare.tensorframes.shapes import UNKNOWN, Scalar, Shape

_PLACEHOLDERS: Final = ("Placeholder", "PlaceholderV2")


@dataclass(frozen=True)
class Spec:
    """What a column is to a placeholder: its type and, as far as it is known, its shape."""

    scalar: Scalar
    shape: Shape


class Computation(Protocol):
    """What the user wants computed, before it is known which columns feed it."""

    inputs: tuple[Port, ...]
    """What needs a column. A port without a `dtype` takes any type."""

    outputs: tuple[str, ...] | None
    """The names of the outputs; None if they show only when the columns are known."""

    def program(self, specs: Mapping[str, Spec]) -> Program:
        """The frozen graph, with the shapes of the outputs as precise as those of the inputs allow.

        Raises InvalidDimensionException if the graph does not work for inputs of those shapes.
        """


def read(fetches: Any, initial_variables: bool) -> Computation:
    """Freeze what is to be computed: later changes to the graph have no effect.

    `fetches` is a tensor or variable of the current graph, a list of them, or a function of tensors. Raises TypeError
    and ValueError for anything else.
    """
    if callable(fetches):
        return _Function(fetches)
    tf = tensorflow()
    graph = tf.compat.v1.get_default_graph()
    listed = list(fetches) if isinstance(fetches, list | tuple) else [fetches]
    if not listed:
        raise ValueError("There are no fetches")
    ports = tuple(_fetched(tf, graph, fetch) for fetch in listed)
    if len({port.name for port in ports}) != len(ports):
        names = [port.tensor for port in ports]
        raise ValueError(f"Could not infer a list of unique names for the columns: {names}")
    return _Graph(tf, graph, ports, initial_variables)


def _fetched(tf: Any, graph: Any, fetch: Any) -> Port:
    """One fetch. It is named after its operation, or after the variable that it is."""
    try:
        tensor = graph.as_graph_element(fetch, allow_tensor=True, allow_operation=False)
    except (TypeError, AttributeError) as error:  # the latter for tensors that have a value, not a graph
        raise TypeError(
            f"Fetch argument {fetch!r} has invalid type {type(fetch).__name__}, must be a Tensor of the current graph "
            f"or a function. ({error})"
        ) from None
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"Fetch argument {fetch!r} cannot be interpreted as a Tensor of the current graph. ({error})"
        ) from None
    if tensor.value_index:
        raise ValueError(
            f"Fetch argument {fetch!r} is no first output of its operation: give it a name, tf.identity(…)"
        )
    is_variable = isinstance(fetch, tf.Variable | tf.compat.v1.Variable)
    return Port((fetch if is_variable else tensor).op.name, tensor.name, tensor.dtype.base_dtype.name, None)


class _Graph:
    """Tensors of a `tf.compat.v1` graph."""

    def __init__(self, tf: Any, graph: Any, fetched: tuple[Port, ...], initial_variables: bool) -> None:
        with graph.as_default():
            has_variables = bool(tf.compat.v1.global_variables())
        definition = graph.as_graph_def()
        operations = [port.tensor.rpartition(":")[0] for port in fetched]
        if has_variables:
            definition = _without_variables(tf, graph, definition, operations, initial_variables)
        self.inputs = tuple(
            Port(
                node.name,
                f"{node.name}:0",
                tf.as_dtype(node.attr["dtype"].type).name,
                shape_of(tf.TensorShape(node.attr["shape"].shape)),
            )
            for node in definition.node
            if node.op in _PLACEHOLDERS
        )
        self.outputs: tuple[str, ...] | None = tuple(port.name for port in fetched)
        self._definition = _pruned(tf, definition, [*operations, *(port.name for port in self.inputs)])
        self._fetched = fetched

    def program(self, specs: Mapping[str, Spec]) -> Program:
        return _specialized(self._definition, self.inputs, self._fetched, specs)


class _Function:
    """A `tf.function`, or a Python function of tensors, whose arguments are named like columns."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._name = getattr(function, "__name__", type(function).__name__)
        self.inputs = tuple(self._ports())
        self.outputs: tuple[str, ...] | None = None

    def program(self, specs: Mapping[str, Spec]) -> Program:
        if tensorflow().executing_eagerly():
            return self._traced(specs)
        with ThreadPoolExecutor(1) as outside:  # a current graph is that of a thread
            return outside.submit(self._traced, specs).result()

    def _traced(self, specs: Mapping[str, Spec]) -> Program:
        tf = tensorflow()
        if not tf.executing_eagerly():
            raise TensorFramesError(
                f"{self._name} needs TensorFlow's eager execution, which is switched off: use a graph"
            )
        given = [port.name for port in self.inputs]
        shapes = [sizes(_refined(port, specs[port.name])) for port in self.inputs]
        signature = [
            tf.TensorSpec(shape, specs[name].scalar.tensor, name=name)
            for name, shape in zip(given, shapes, strict=True)
        ]
        names: list[str] = []

        def flat(*tensors: Any) -> tuple[Any, ...]:
            outputs = self._named(tf, self._function(**dict(zip(given, tensors, strict=True))))
            names[:] = outputs
            return tuple(tf.identity(tensor) for tensor in outputs.values())

        try:
            concrete = tf.function(flat, input_signature=signature).get_concrete_function()
        except ValueError as error:
            raise InvalidDimensionException(f"{self._name} does not work for these columns: {error}") from error
        with _quiet(tf):
            frozen = _constants_of(concrete)
        if len(frozen.inputs) != len(given):
            raise TensorFramesError(f"{self._name} uses a table or another resource, which cannot be frozen")
        inputs = tuple(port_of(name, tensor) for name, tensor in zip(given, frozen.inputs, strict=True))
        outputs = tuple(port_of(name, tensor) for name, tensor in zip(names, frozen.outputs, strict=True))
        return Program(serialized(frozen.graph.as_graph_def()), inputs, outputs)

    def _ports(self) -> Iterator[Port]:
        """The arguments. Raises TypeError for `*args` and `**kwargs`, which have no names."""
        declared = getattr(self._function, "input_signature", None) or ()
        for index, parameter in enumerate(inspect.signature(self._function).parameters.values()):
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(
                    f"{self._name} takes '{parameter}', but each of its arguments must be named like a column"
                )
            if parameter.default is not parameter.empty:
                continue
            spec = declared[index] if index < len(declared) else None
            dtype = "" if spec is None else spec.dtype.name
            yield Port(parameter.name, "", dtype, None if spec is None else shape_of(spec.shape))

    def _named(self, tf: Any, outputs: Any) -> dict[str, Any]:
        """The outputs by name: those of a dict, or a single one named after the function."""
        if isinstance(outputs, dict):
            if not outputs:
                raise TypeError(f"{self._name} returned an empty dict")
            return {str(name): tf.convert_to_tensor(value) for name, value in outputs.items()}
        if isinstance(outputs, list | tuple) or outputs is None:
            found = "nothing" if outputs is None else f"a {type(outputs).__name__}"
            raise TypeError(f"{self._name} returned {found}: return a tensor, or a dict of names and tensors")
        if not self._name.isidentifier():
            raise TypeError(f"{self._name} has no name that a column could have: return a dict of names and tensors")
        return {self._name: tf.convert_to_tensor(outputs)}


def _without_variables(tf: Any, graph: Any, definition: Any, operations: Sequence[str], initial_variables: bool) -> Any:
    """The part of a graph that the operations need, with constants for variables. The graph itself is not touched."""
    v1 = tf.compat.v1
    with graph.as_default():
        initializers = [variable.initializer.name for variable in v1.global_variables()]
    current = v1.get_default_session()
    with _quiet(tf):
        if not initial_variables and current is not None and current.graph is graph:
            return v1.graph_util.convert_variables_to_constants(current, definition, operations)
        copy = tf.Graph()
        with copy.as_default(), v1.Session(graph=copy) as session:
            tf.import_graph_def(definition, name="")
            if initial_variables:
                session.run(initializers)
            try:
                return v1.graph_util.convert_variables_to_constants(session, definition, operations)
            except tf.errors.FailedPreconditionError as error:
                raise TensorFramesError(
                    "A variable of the graph has no value: use initial_variables=True, or call this inside the session "
                    f"that has initialized it ({error.message})"
                ) from error


@contextmanager
def _quiet(tf: Any) -> Iterator[None]:
    """Without TensorFlow's warnings: the public function for this is of its first version, and tables cannot be frozen,
    which we say ourselves."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _constants_of(concrete: Any) -> Any:
    """The function with constants for variables. Its loops stay functions, which may be called inside other loops."""
    module = import_module("tensorflow.python.framework.convert_to_constants")
    return module.convert_variables_to_constants_v2(concrete, lower_control_flow=False)


def _pruned(tf: Any, definition: Any, operations: Sequence[str]) -> Any:
    """The nodes that the operations need, and all functions."""
    nodes = {node.name: node for node in definition.node}
    needed: set[str] = set()
    waiting = list(operations)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [source.lstrip("^").partition(":")[0] for source in nodes[name].input]
    pruned = tf.compat.v1.GraphDef(versions=definition.versions, library=definition.library)
    pruned.node.extend(node for node in definition.node if node.name in needed)
    return pruned


def _specialized(
    definition: Any, inputs: Sequence[Port], fetched: Sequence[Port], specs: Mapping[str, Spec]
) -> Program:
    """The graph with the columns' shapes on its placeholders, and what follows for the shapes of its outputs."""
    tf = tensorflow()
    refined = type(definition)()
    refined.CopyFrom(definition)
    shapes = {port.name: _refined(port, specs[port.name]) for port in inputs}
    for node in refined.node:
        node.attr.pop("_output_shapes", None)
        if node.op in _PLACEHOLDERS and node.name in shapes:
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(sizes(shapes[node.name])).as_proto())
    graph = tf.Graph()
    try:
        with graph.as_default():
            tf.import_graph_def(refined, name="")
    except ValueError as error:
        raise InvalidDimensionException(f"The graph does not work for these columns: {error}") from error
    outputs = tuple(port_of(port.name, graph.get_tensor_by_name(port.tensor)) for port in fetched)
    kept = tuple(port_of(port.name, graph.get_tensor_by_name(port.tensor)) for port in inputs)
    return Program(serialized(refined), kept, outputs)


def _refined(port: Port, spec: Spec) -> Shape:
    """What is known of an input's shape from the placeholder and from the column that feeds it."""
    if port.shape is None:
        return spec.shape
    return tuple(own if own != UNKNOWN else given for own, given in zip(port.shape, spec.shape, strict=True))


def bound(inputs: Sequence[Port], feed_dict: Mapping[str, str] | None) -> dict[str, str]:
    """Which column feeds which placeholder: the one of the same name, or what `feed_dict` says.

    Raises InputNotFoundException if `feed_dict` names a placeholder that there is not, TypeError if it is no dict of
    names.
    """
    given: dict[Any, Any] = dict(feed_dict or {})
    names = [port.name for port in inputs]
    for name, column in given.items():
        if not (isinstance(name, str) and isinstance(column, str)):
            raise TypeError(f"feed_dict maps names of placeholders to names of columns, not {name!r} to {column!r}")
        if name not in names:
            raise InputNotFoundException(f"feed_dict has '{name}', but the graph's inputs are: {', '.join(names)}")
    return {name: given.get(name, name) for name in names}
