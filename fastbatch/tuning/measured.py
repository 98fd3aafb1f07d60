"""What was measured: runs of one plan on more and fewer nodes, task by task; the form in which it is kept."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1  # of the JSON


@dataclass(frozen=True, slots=True)
class TaskTimes:
    """
    When a task went from stage to stage, in seconds since the first task of its run was created.

    By the service's clock, but the two moments that its program tells, which are by its node's.
    """

    task: str
    node: str
    bytes: int  # of input
    created: float
    started: float  # on its node; there its files are brought first
    computing: float  # its program began
    computed: float  # its program had written the result
    ended: float  # the result was stored

    @property
    def waiting(self) -> float:
        """Return how long it waited for a slot."""
        return self.started - self.created

    @property
    def stage_in(self) -> float:
        """Return how long it took to bring its files."""
        return self.computing - self.started

    @property
    def compute(self) -> float:
        """Return how long its program worked."""
        return self.computed - self.computing

    @property
    def stage_out(self) -> float:
        """Return how long it took to store its result."""
        return self.ended - self.computed

    @property
    def service(self) -> float:
        """Return how long it had a slot."""
        return self.ended - self.started


@dataclass(frozen=True, slots=True)
class RunTimes:
    """One run, from its first request to its merged result; cleaning up is not in it."""

    seconds: float
    opening: float  # of them, until the service had the first tasks
    merge: float  # of them, for the merge at the end
    uploaded: int  # bundles that were not there
    tasks: tuple[TaskTimes, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """All runs on so many nodes; those that failed are told, too."""

    nodes: int
    runs: tuple[RunTimes, ...] = ()
    failures: tuple[str, ...] = ()  # why runs, or the wait for so many nodes, failed


@dataclass(frozen=True, slots=True)
class Boot:
    """Nodes that a pool got, and how long it took until the last of them was ready."""

    nodes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """What is worked on: inputs in bundles, each of which is a task."""

    inputs: int
    bytes: int
    bundles: int


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was measured, and of what."""

    version: str  # of fastbatch
    began: str  # when, in ISO 8601
    pool: str
    vm_size: str
    slots: int  # of each node
    local: bool  # on services of this machine, which all nodes share
    bundle_size: int | None
    measured: Work  # what ran
    whole: Work  # what it is a sample of; the same, if it is all
    points: tuple[Point, ...] = ()
    boots: tuple[Boot, ...] = ()

    @property
    def share(self) -> float:
        """Return which part of the whole was run, by its bytes."""
        return self.measured.bytes / self.whole.bytes if self.whole.bytes else 1.0

    @classmethod
    def of(cls, json: Mapping[str, Any]) -> Self:
        """Return what has this JSON. Raises KeyError, TypeError or ValueError where it is none of ours."""
        if json["format"] != FORMAT:
            raise ValueError(f"format {json['format']} is not {FORMAT}, which this version reads")
        given = {name: value for name, value in json.items() if name != "format"}
        given["measured"], given["whole"] = Work(**given["measured"]), Work(**given["whole"])
        given["points"] = tuple(_point(**point) for point in given["points"])
        given["boots"] = tuple(Boot(**boot) for boot in given["boots"])
        counts = [point.nodes for point in given["points"]]
        if len({*counts}) < len(counts):
            raise ValueError(f"of the numbers of nodes {counts}, one is there twice")
        return cls(**given)

    def json(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"format": FORMAT, **dataclasses.asdict(self)}


def _point(*, nodes: int, runs: list[dict[str, Any]], failures: list[str]) -> Point:
    if nodes < 1:
        raise ValueError(f"there are no runs on {nodes} nodes")
    return Point(nodes, tuple(_run(**run) for run in runs), tuple(failures))


def _run(*, seconds: float, tasks: list[dict[str, Any]], **more: Any) -> RunTimes:
    if not 0 < seconds < math.inf:
        raise ValueError(f"no run takes {seconds} seconds")
    return RunTimes(seconds, **more, tasks=tuple(TaskTimes(**task) for task in tasks))
