"""Which waiting task goes to which node."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fastbatch.local.records import Node, Task


@dataclass(slots=True)
class Room:
    """A node that takes tasks, and how many of its slots are free."""

    node: Node
    free: int


@dataclass(frozen=True, slots=True)
class Load:
    """What a node runs at the moment."""

    tasks: int = 0
    slots: int = 0


def affinity(node_id: str) -> str:
    """Give the name by which a task asks for a node."""
    return f"TVM:{node_id}"


def place(
    tasks: Iterable[Task], rooms: Sequence[Room], barred: Mapping[int, Container[int]], *, pack: bool
) -> list[tuple[Task, Node]]:
    """
    Give tasks to nodes, in the order of the tasks: to the emptiest node, or with `pack` to the fullest.

    A task goes to the node that it asks for if there is room, and never to one that its job is barred from. The first
    that finds no room at all ends it: those behind it wait, so that small ones don't keep a large one waiting for ever,
    but not for nodes that are barred to it. What is placed takes of `rooms`, and no task is read in vain.
    """
    placed = []
    waiting, free = iter(tasks), sum(room.free for room in rooms)
    while free > 0 and (task := next(waiting, None)):
        shut = barred.get(task.job)
        opened = [room for room in rooms if room.node.key not in shut] if shut else rooms
        fitting = [room for room in opened if room.free >= task.slots]
        if fitting:
            room = _choose(task, fitting, pack=pack)
            room.free -= task.slots
            free -= task.slots
            placed.append((task, room.node))
        else:
            rooms = [room for room in rooms if shut and room.node.key in shut]
            free = sum(room.free for room in rooms)
    return placed


def _choose(task: Task, fitting: Sequence[Room], *, pack: bool) -> Room:
    wanted = (room for room in fitting if affinity(room.node.id) == task.affinity)
    return next(wanted, None) or (min if pack else max)(fitting, key=lambda room: room.free)
