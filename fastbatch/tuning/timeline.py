"""
What the task times of a run say: where the time went, and how long slots wait for their next task.

Clocks differ. What is shown is put in order first, here, so that nothing takes less than no time; sums of what was
measured stay as they are elsewhere, as they are right though their parts are not.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
import statistics
from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from fastbatch.tuning.findings import Stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fastbatch.tuning.measured import RunTimes, TaskTimes


def stages(runs: Sequence[RunTimes], slots: int, nodes: int) -> Stages:
    """Say where the time of runs on so many nodes went; nothing takes any where there is no run or no task."""
    tasks = [task for run in runs for task in in_order(run.tasks)]
    return Stages(
        waiting=_median(task.waiting for task in tasks),
        stage_in=_median(task.stage_in for task in tasks),
        compute=_median(task.compute for task in tasks),
        stage_out=_median(task.stage_out for task in tasks),
        submit=_median(run.opening + max((task.created for task in run.tasks), default=0.0) for run in runs),
        tail=_median(_tail(run.tasks, slots * nodes) for run in runs),
        idle=_median(_idle(run.tasks, slots * nodes) for run in runs),
    )


def _median(values: Iterable[float]) -> float:
    known = list(values)
    return statistics.median(known) if known else 0.0


def _tail(tasks: Sequence[TaskTimes], slots: int) -> float:
    """Tell for how long fewer tasks than slots were unfinished, once the first had started."""
    ends = sorted(task.ended for task in tasks)
    if not ends:
        return 0.0
    more = len(ends) - slots  # so many tasks can end while each slot still has another one
    since = ends[more] if more >= 0 else min(task.started for task in tasks)
    return max(0.0, ends[-1] - since)


def _idle(tasks: Sequence[TaskTimes], slots: int) -> float:
    if not tasks:
        return 0.0
    span = max(task.ended for task in tasks) - min(task.started for task in tasks)
    served = sum(task.service for task in tasks)
    return min(1.0, max(0.0, 1 - served / (slots * span))) if span > 0 else 0.0


def in_order(tasks: Sequence[TaskTimes]) -> Iterator[TaskTimes]:
    """
    Give tasks with no moment before the one that it follows.

    What a node told is moved by as much as its clock must be off, for all of its tasks alike. Where that is not enough,
    the service is believed.
    """
    for of_node in _by_node(tasks):
        off = _off(of_node)
        yield from (_ordered(task, off) for task in of_node)


def _by_node(tasks: Sequence[TaskTimes]) -> Iterable[list[TaskTimes]]:
    nodes = defaultdict[str, list["TaskTimes"]](list)
    for task in tasks:
        nodes[task.node].append(task)
    return nodes.values()


def _off(tasks: Sequence[TaskTimes]) -> float:
    """Tell how far the clock of a node is ahead of the service's, at least; less than nothing if it is behind."""
    least = max(task.computed - task.ended for task in tasks)
    most = min(task.computing - task.started for task in tasks)
    return max(least, min(0.0, most))


def _ordered(task: TaskTimes, off: float) -> TaskTimes:
    started = max(task.created, task.started)
    ended = max(started, task.ended)
    computing = min(ended, max(started, task.computing - off))
    computed = min(ended, max(computing, task.computed - off))
    return dataclasses.replace(task, started=started, computing=computing, computed=computed, ended=ended)


@dataclass(frozen=True, slots=True)
class Gaps:
    """
    How long it took to start tasks that could be started.

    A slot that has been free for a while is found by the service; one that comes free may take what waits for it at
    once.
    """

    free: tuple[float, ...]  # from the creation of a task for which a slot was free
    freed: tuple[float, ...]  # from the moment when a slot came free for a task that waited


def gaps(tasks: Sequence[TaskTimes], slots: int) -> Gaps:
    """
    Tell what was between the tasks on the slots of each node.

    A task takes the slot that came free first. One that started before that did so by the clocks alone.
    """
    free, freed = list[float](), list[float]()
    for of_node in _by_node(tasks):
        ends = [-math.inf] * slots
        for task in sorted(of_node, key=attrgetter("started")):
            end = heapq.heapreplace(ends, task.ended)
            (freed if end > task.created else free).append(max(0.0, task.started - max(end, task.created)))
    return Gaps(tuple(free), tuple(freed))


def closing(run: RunTimes) -> float:
    """
    Tell how long a run went on after its last task: noticing that, fetching, merging.

    By two clocks, so that it may be less than nothing where it is nearly nothing; it makes the run's time whole.
    """
    return run.seconds - run.opening - max((task.ended for task in run.tasks), default=0.0)
