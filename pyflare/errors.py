"""The errors that travel between the stages."""

from __future__ import annotations


class PyFlareError(Exception):
    """Base of every error that PyFlare raises on purpose."""


class Unsupported(PyFlareError):
    """PyFlare does not know how to do this exactly as Spark does, so Spark keeps it.

    `reason` is a sentence for the user, `node` the name of the Spark class (operator or expression) it is about.
    """

    def __init__(self, reason: str, node: str = "") -> None:
        super().__init__(f"{node}: {reason}" if node else reason)
        self.reason = reason
        self.node = node


class NotCompiled(Unsupported):
    """A Python function that its author wants to be compiled, `pyflare.udf`, cannot be: the query fails."""


class LeftToSpark(Unsupported):
    """A run has shown that Spark had better keep this: plans made from now on leave it there."""


class PlanError(PyFlareError):
    """A stage handed the next one a plan that breaks its own rules: a bug of ours, never the user's."""


class ExecutionError(PyFlareError):
    """Running a fragment failed for a reason that is not in the data (a bug, a lost file): Spark runs the plan."""


class TooManyGroups(ExecutionError):
    """A grouping that was compiled for few groups has met too many: it is compiled again, with a hash table."""


class DataError(PyFlareError):
    """A row makes Spark raise (overflow, division by zero, bad cast): Spark runs the plan and raises its own error."""


class Cancelled(PyFlareError):
    """The user cancelled the query between two morsels."""
