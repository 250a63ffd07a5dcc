"""What graphs may be given, and graphs of rows turned into graphs of blocks, since TensorFlow loops over rows ten times
faster than Python does."""

from __future__ import annotations

from typing import Any, Final

from pyflare.tensorflow.tensors import tensorflow
from pyflare.tensorframes.programs import Port, Program, port_of, serialized, sizes
from pyflare.tensorframes.shapes import is_known


def can_map(program: Program) -> bool:
    """Whether all rows have the same shapes, so that `mapped` can stack them, and the loop can hold the graph."""
    ports = (*program.inputs, *program.outputs)
    return bool(program.inputs) and all(p.shape is not None and is_known(p.shape) for p in ports) and _nests(program)


def _nests(program: Program) -> bool:
    """Loops of TensorFlow's first kind are frames of the graph that they are in, and have no place in a function."""
    definition = tensorflow().compat.v1.GraphDef.FromString(program.graph)
    return all(node.op != "Enter" for node in definition.node)


_ARITHMETIC: Final = frozenset({"Abs", "Add", "AddV2", "Div", "Mul", "Neg", "RealDiv", "Sqrt", "Square", "Sub"})
_LOGIC: Final = frozenset(
    {"Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalNot", "LogicalOr", "NotEqual"}
)
_ELEMENTWISE: Final = _ARITHMETIC | _LOGIC | {"Const", "Floor", "Identity", "Placeholder", "SelectV2"}
"""Operations on elements whose results do not depend on how many there are, to the last bit. Vector instructions may
see an element differently where it is NaN (maxima, casts), or where a series is cut off (exponentials)."""


def goes_by_rows(program: Program) -> bool:
    """Whether a graph of a block gives each row what it would give it in any other block.

    That is shown for operations on elements only, in which the rows' dimension meets no other one.
    """
    shapes = [port.shape for port in program.inputs]
    if not shapes or not all(shape and is_known(shape[1:]) for shape in shapes):
        return False
    rows = {port.tensor for port in program.inputs}
    for operation in _imported(program).get_operations():  # in the order in which they can run
        given, made = list(operation.inputs), list(operation.outputs)
        if operation.type not in _ELEMENTWISE or operation.control_inputs or any(t.shape.rank is None for t in made):
            return False
        if any(tensor.name in rows for tensor in given):
            rank = made[0].shape.rank
            if not all(t.shape.rank == rank if t.name in rows else t.shape.rank < rank for t in given):
                return False
            rows.add(made[0].name)
    return all(port.tensor in rows for port in program.outputs)


_ASSOCIATIVE: Final = frozenset({"All", "Any", "Max", "Min", "Prod", "Sum"})


def reduces_any_blocks(program: Program) -> bool:
    """Whether a graph that reduces blocks gives the same however rows are cut into them, but for rounding.

    That is shown for sums and the like over the rows of an input each.
    """
    graph = _imported(program)
    return all(
        _reduces_rows(graph.get_tensor_by_name(output.tensor), given.tensor)
        for output, given in zip(program.outputs, program.inputs, strict=True)
    )


def _reduces_rows(tensor: Any, given: str) -> bool:
    operation = _unwrapped(tensor).op
    if operation.type not in _ASSOCIATIVE or operation.control_inputs or operation.get_attr("keep_dims"):
        return False
    values, axis = map(_unwrapped, operation.inputs)
    over = tensorflow().get_static_value(axis)
    return values.name == given and over is not None and over.reshape(-1).tolist() == [0]


def _unwrapped(tensor: Any) -> Any:
    while tensor.op.type == "Identity":
        (tensor,) = tensor.op.inputs
    return tensor


def _imported(program: Program) -> Any:
    tf = tensorflow()
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(program.graph), name="")
    return graph


def mapped(program: Program) -> Program:
    """The graph of a row as a graph of a block, which has one more dimension in front everywhere."""
    tf = tensorflow()
    definition = tf.compat.v1.GraphDef.FromString(program.graph)
    graph = tf.Graph()
    with graph.as_default():
        blocks = [_block(tf, port) for port in program.inputs]
        found = tf.map_fn(
            lambda row: _called(tf, definition, program, row),
            tuple(blocks),
            fn_output_signature=tuple(tf.TensorSpec(sizes(port.shape or ()), port.dtype) for port in program.outputs),
        )
    return _program(graph, program.inputs, blocks, program.outputs, found)


def folded(program: Program) -> Program:
    """The graph of two rows, `z_1` and `z_2`, as a graph of a block of them, `z_input`, for each output `z`."""
    tf = tensorflow()
    names = [port.name for port in program.outputs]
    definition = tf.compat.v1.GraphDef.FromString(program.graph)
    by_name = {port.name: port for port in program.inputs}
    shapes = {name: by_name[f"{name}_1"] for name in names}
    graph = tf.Graph()
    with graph.as_default():
        blocks = {name: _block(tf, port) for name, port in shapes.items()}
        rows = tf.shape(blocks[names[0]])[0]

        def step(index: Any, *reduced: Any) -> tuple[Any, ...]:
            pairs = {f"{name}_1": value for name, value in zip(names, reduced, strict=True)}
            pairs |= {f"{name}_2": block[index] for name, block in blocks.items()}
            found = _called(tf, definition, program, tuple(pairs[port.name] for port in program.inputs))
            return index + 1, *found

        first = (tf.constant(1), *(block[0] for block in blocks.values()))
        _, *found = tf.while_loop(lambda index, *_: index < rows, step, first)
    inputs = tuple(Port(f"{name}_input", "", port.dtype, None) for name, port in shapes.items())
    return _program(graph, inputs, list(blocks.values()), program.outputs, found)


def _block(tf: Any, port: Port) -> Any:
    return tf.compat.v1.placeholder(port.dtype, [None, *sizes(port.shape or ())])


def _called(tf: Any, definition: Any, program: Program, inputs: Any) -> tuple[Any, ...]:
    given = {port.tensor: tensor for port, tensor in zip(program.inputs, inputs, strict=True)}
    found = tf.import_graph_def(definition, given, [port.tensor for port in program.outputs], name="")
    for tensor, port in zip(found, program.outputs, strict=True):
        tensor.set_shape(sizes(port.shape or ()))
    return tuple(found)


def _program(graph: Any, inputs: Any, fed: Any, outputs: Any, fetched: Any) -> Program:
    return Program(
        serialized(graph.as_graph_def()),
        tuple(port_of(port.name, tensor) for port, tensor in zip(inputs, fed, strict=True)),
        tuple(port_of(port.name, tensor) for port, tensor in zip(outputs, fetched, strict=True)),
    )
