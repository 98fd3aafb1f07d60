"""Which waiting task goes to which node."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastbatch.local.records import Node, Task


@dataclass(slots=True)
class Room:
    """A node that takes tasks, and how many of its slots are free."""

    node: Node
    free: int


def affinity(node: Node) -> str:
    """Give the name by which a task asks for a node."""
    return f"TVM:{node.id}"


def place(tasks: Iterable[Task], rooms: Sequence[Room], *, pack: bool) -> list[tuple[Task, Node]]:
    """
    Give tasks to nodes, in the order of the tasks: to the emptiest node, or with `pack` to the fullest.

    A task goes to the node that it asks for if there is room. The first that finds no room at all ends it: those
    behind it wait, so that small ones don't keep a large one waiting for ever. What is placed takes of `rooms`.
    """
    placed = []
    for task in tasks:
        fitting = [room for room in rooms if room.free >= task.slots]
        if not fitting:
            break
        wanted = (room for room in fitting if affinity(room.node) == task.affinity)
        room = next(wanted, None) or (min if pack else max)(fitting, key=lambda room: room.free)
        room.free -= task.slots
        placed.append((task, room.node))
    return placed
