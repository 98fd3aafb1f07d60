"""Tasks, packed into the bodies of collections."""

from dataclasses import dataclass, field

from fastbatch import limits
from fastbatch.model import Task

_OPEN, _BETWEEN, _CLOSE = b'{"value":[', b",", b"]}"
_AROUND = len(_OPEN) + len(_CLOSE)

# What a body may hold, a little under what the service allows.
BODY_BYTES = limits.COLLECTION_BYTES - 4096


@dataclass(frozen=True, slots=True)
class Described:
    """A task as it is sent."""

    task: Task
    content: bytes

    @property
    def too_large(self) -> bool:
        """Tell whether no body can hold it."""
        return len(self.content) + _AROUND > BODY_BYTES


@dataclass(slots=True)
class Collection:
    """Tasks for one request."""

    tasks: list[Described] = field(default_factory=list)
    size: int = _AROUND
    full: bool = False

    def add(self, described: Described) -> bool:
        """Add a task if there is room; tell whether there was."""
        size = self.size + len(described.content) + len(_BETWEEN)
        if self.full or (self.tasks and size > BODY_BYTES):
            self.full = True
            return False
        self.tasks.append(described)
        self.size = size
        self.full = len(self.tasks) == limits.TASKS_PER_COLLECTION
        return True


def body(tasks: list[Described]) -> bytes:
    """Give the body of a request."""
    return _OPEN + _BETWEEN.join([described.content for described in tasks]) + _CLOSE
