"""What shows a run to people while it is under way."""

from dataclasses import dataclass
from typing import Protocol

from fastbatch.cli.display.sentences import Tone
from fastbatch.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How much is said, and whether in color."""

    quiet: bool = False
    verbose: bool = False
    color: bool = False
    moves: bool = False  # there is a terminal for bars

    def wants(self, tone: Tone, *, bars: bool) -> bool:
        """Tell whether something is to be said, beside bars or without them."""
        match tone:
            case Tone.FAILURE:
                return True
            case Tone.NOTICE:
                return not self.quiet
            case Tone.DETAIL:
                return self.verbose and not self.quiet
            case Tone.STEP:
                return not (self.quiet or bars)


class Screen(Protocol):
    """Shows a run to people. Nothing that it does raises because nobody can see it."""

    def start(self) -> None:
        """Begin to show what is under way."""

    def take(self, event: Event) -> None:
        """Take in an event."""

    def say(self, text: str) -> None:
        """Say something at once that everybody must know, even who wants quiet; it is one line, and safe."""

    def stop(self) -> None:
        """Leave the terminal as it was; it may be started again."""
