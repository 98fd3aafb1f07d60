"""Where measuring stands: which run is under way, how far it is, and what is said of that."""

from dataclasses import dataclass, field

from fastbatch.cli.display.progress import Progress, Ticks
from fastbatch.cli.display.sentences import Tone, brief, sentences, topic_of
from fastbatch.cli.display.wording import states_text
from fastbatch.events import (
    Event,
    PoolLeft,
    PoolReady,
    RoundBegun,
    RoundFailed,
    RoundMeasured,
)
from fastbatch.terminal import escaped
from fastbatch.units import counted, shown_duration

Said = tuple[Tone, tuple[str, ...]]


@dataclass(slots=True)
class Rounds:
    """Counts the runs that are measured, and the one that is under way by its own events."""

    ticks: Ticks
    progress: Progress = field(init=False)  # of the run that is under way
    begun: RoundBegun | None = None  # None between runs
    _of: int = 0

    def __post_init__(self) -> None:
        self.progress = Progress(self.ticks)

    def take(self, event: Event) -> Said | None:
        """Count an event, and give what is to be said of it, if anything."""
        match event:
            case RoundBegun():
                self.begun, self._of = event, event.of
                self.progress = Progress(self.ticks)
                return None
            case RoundMeasured() | RoundFailed():
                return self._over(event)
            case PoolReady() | PoolLeft():
                self.progress = Progress(self.ticks)
                return Tone.STEP, (_about_pool(event),)
            case _:
                self.progress.take(event)
                return _of_a_run(event)

    def heading(self) -> str:
        """Say what is under way."""
        if self.begun is None:
            nodes = f": {states_text(self.progress.nodes)}" if self.progress.nodes else ""
            return f"Waiting for the pool's nodes{nodes}"
        return _named(self.begun.nodes, self.begun.number, self._of)

    def _over(self, event: RoundMeasured | RoundFailed) -> Said:
        is_of_a_run, self.begun = self.begun is not None, None  # else it is the wait for nodes that failed
        self.progress = Progress(self.ticks)
        name = _named(event.nodes, event.number, self._of) if is_of_a_run else counted(event.nodes, "node")
        if isinstance(event, RoundFailed):
            return Tone.FAILURE, (f"{name} failed: {brief(event.reason)}",)
        return Tone.STEP, (f"{name}: {shown_duration(event.seconds)}",)


def _of_a_run(event: Event) -> Said | None:
    """Say what went wrong in a run, and what is noticed; not its steps."""
    topic = topic_of(event)
    return None if topic is None or topic.tone is Tone.STEP else (topic.tone, sentences(event))


def _named(nodes: int, number: int, of: int) -> str:
    which = f"run {number} of {of}" if number else "a run to warm up"
    return f"{counted(nodes, 'node')}, {which}"


def _about_pool(event: PoolReady | PoolLeft) -> str:
    pool = f"Pool {escaped(event.pool)}"
    if isinstance(event, PoolReady):
        new = f", {event.new:,} of them new," if event.new else ""
        return f"{pool} has {counted(event.nodes, 'node')}{new} ready after {shown_duration(event.seconds)}."
    if event.nodes is None:
        return f"{pool} is deleted, as it was not there before."
    return f"{pool} is left with {counted(event.nodes, 'node')}, as it was found."
