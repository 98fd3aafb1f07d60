"""Measurements that were never made: runs of tasks as a scheduler of few words would run them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from fastbatch.tuning.measured import Boot, Measurements, Point, RunTimes, TaskTimes, Work

KIB = 1 << 10


def measured(
    points: Mapping[int, Sequence[RunTimes]],
    *,
    slots: int = 1,
    whole: Work | None = None,
    boots: Iterable[Boot] = (),
    local: bool = False,
) -> Measurements:
    """Have measured runs by number of nodes; the tasks of the first of them are the work."""
    tasks = next((run.tasks for runs in points.values() for run in runs), ())
    work = Work(10 * len(tasks), sum(task.bytes for task in tasks), len(tasks))
    return Measurements(
        version="0",
        began="2026-11-01T12:00:00Z",
        pool="made",
        vm_size="standard_d2s_v3",
        slots=slots,
        local=local,
        bundle_size=None,
        measured=work,
        whole=whole or work,
        points=tuple(Point(nodes, tuple(runs)) for nodes, runs in points.items()),
        boots=tuple(boots),
    )


def at_once(count: int, service: float = 1.0) -> list[tuple[float, float]]:
    """Have equal tasks that are all there at once."""
    return [(0.0, service)] * count


def run(  # noqa: PLR0913, what a run consists of
    tasks: Sequence[tuple[float, float]],
    nodes: int = 1,
    *,
    slots: int = 1,
    latency: Callable[[], float] = lambda: 0.0,
    opening: float = 0.0,
    closing: float = 0.0,
    merge: float = 0.0,
) -> RunTimes:
    """Run tasks, each of which is created and holds a slot for so long, from moment to moment."""
    placed = tuple(sorted(_scheduled(tasks, nodes, slots, latency), key=attrgetter("task")))
    last = max((task.ended for task in placed), default=0.0)
    return RunTimes(opening + last + closing, opening, merge, 0, placed)


def _scheduled(
    tasks: Sequence[tuple[float, float]], nodes: int, slots: int, latency: Callable[[], float]
) -> Iterator[TaskTimes]:
    """At each moment at which something happens, give waiting tasks to slots that are free."""
    coming = [(created, f"b{number:05}", service) for number, (created, service) in enumerate(tasks, 1)]
    until = dict.fromkeys(range(nodes * slots), 0.0)
    now = 0.0
    while coming:
        free = [slot for slot, end in until.items() if end <= now]
        waiting = sorted(task for task in coming if task[0] <= now)
        for slot, task in zip(free, waiting, strict=False):
            coming.remove(task)
            created, name, service = task
            started = now + latency()
            until[slot] = started + service
            yield times(name, created, started, until[slot], node=f"node-{slot % nodes}")
        moments = [*until.values(), *(created for created, _, _ in coming)]
        now = min((moment for moment in moments if moment > now), default=now)


def times(name: str, created: float, started: float, ended: float, *, node: str = "node-0") -> TaskTimes:
    """Have a task that needs a tenth of its time for its files, and as much for its result."""
    tenth = (ended - started) / 10
    return TaskTimes(name, node, KIB, created, started, started + tenth, ended - tenth, ended)
