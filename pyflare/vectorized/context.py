"""What a function sees of the task that it runs in: none. One that looks for it goes to Spark."""

from __future__ import annotations

import threading
from typing import Any


class _Hidden:
    """Stands for the task's context, and remembers on which threads somebody has asked it something."""

    def __init__(self) -> None:
        self.asked = threading.local()

    def __getattr__(self, name: str) -> Any:
        self.asked.by_somebody = True
        raise RuntimeError("there is no task in PyFlare")


_hidden = _Hidden()


def hide() -> None:
    """From now on, `TaskContext.get()` gives something that only notes that it is asked."""
    from pyspark.taskcontext import TaskContext

    if TaskContext._taskContext is not _hidden:
        TaskContext._setTaskContext(_hidden)
    _hidden.asked.by_somebody = False


def is_hidden() -> bool:
    """Whether the task is hidden here: this is the backend."""
    from pyspark.taskcontext import TaskContext

    return TaskContext.get() is _hidden


def was_asked() -> bool:
    """Whether a function on this thread has asked for its task since the last `hide`."""
    return getattr(_hidden.asked, "by_somebody", False)
