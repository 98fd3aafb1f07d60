"""All that shows a run, as one observer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from fastbatch.cli.display.failures import failures_text
from fastbatch.cli.display.jsonlines import JsonLines
from fastbatch.cli.display.result import summary_text
from fastbatch.cli.display.screen import Screen
from fastbatch.cli.display.streams import Stream
from fastbatch.events import Event, RunCompleted
from fastbatch.model import Summary


class Conclusion(Protocol):
    """What comes on stdout at the end."""

    @property
    def out(self) -> Stream:
        """Give what it is written to."""

    def take(self, event: Event, screen: Screen) -> None:
        """Take in an event; at the last one the screen is stopped, and it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the end of a run is shown."""

    out: Stream
    width: Callable[[], int]
    color: bool
    for_people: bool  # not as JSON, which has it already
    seen_with_screen: bool  # who reads the screen has read the failures when they have read this

    def take(self, event: Event, screen: Screen) -> None:
        """Show what a run came to, with its last event."""
        if isinstance(event, RunCompleted):
            screen.stop()
            self._show(event.summary, screen)

    def _show(self, summary: Summary, screen: Screen) -> None:
        if self.for_people:
            self.out.line(summary_text(summary, self.width(), color=self.color))
        if summary.failures and not self.seen_with_screen:
            for line in failures_text(summary.failures, color=False).split("\n"):
                screen.say(line)


class Display:
    """
    Shows a run to people and programs; an observer of its events, to be used as a context manager.

    It does not raise when nobody reads any more, or a disk is full. However it is left, the terminal is as it was.
    """

    def __init__(self, screen: Screen, records: Sequence[JsonLines], result: Conclusion, log: Stream | None) -> None:
        self._screen = screen
        self._records = records
        self._result = result
        self._log = log

    def __enter__(self) -> Self:
        self._screen.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._screen.stop()
        finally:
            if self._log:
                self._log.close()

    def __call__(self, event: Event) -> None:
        """Show an event; the last one with all that the run came to."""
        self._screen.take(event)
        for records in self._records:
            records.take(event)
        self._result.take(event, self._screen)

    def say(self, text: str) -> None:
        """Say something that everybody must know."""
        self._screen.say(text)

    @property
    def trouble(self) -> str | None:
        """Tell why the result could not be written to stdout; None if it was, or nobody wants to read it."""
        return self._result.out.trouble

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question, and go on when it is answered."""
        self._screen.stop()
        yield
        self._screen.start()

    def stop(self) -> None:
        """Give the terminal back; what is still to be told comes as lines."""
        self._screen.stop()
