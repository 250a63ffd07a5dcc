"""What is raised where a graph and a frame do not fit together, or a block cannot be computed."""

from __future__ import annotations

from pyflare.errors import PyFlareError


class TensorFramesError(PyFlareError):
    """Base of the errors below, and what is raised where none of them fits."""


class InputNotFoundException(TensorFramesError):
    """The graph asks for a column that the frame does not have, or the frame for a placeholder."""


class InvalidTypeException(TensorFramesError):
    """A column and a tensor have different types, or a type that the other side does not know."""


class InvalidDimensionException(TensorFramesError):
    """The shapes of data and tensors do not fit together."""


class HighDimException(InvalidDimensionException):
    """A cell has more dimensions than a column can hold."""


class ComputationException(TensorFramesError):
    """TensorFlow failed while a block was computed; its own error is the cause."""
