"""What a simulation takes otherwise than it was measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a pool and its service are like; None stands for what was measured."""

    latency: tuple[float, float] | None = None  # seconds from a free slot to the start of its next task, evenly spread
    boot: float | None = None  # seconds until a new node is ready
    requests: float | None = None  # requests a second that the service takes, each with a hundred tasks at most
