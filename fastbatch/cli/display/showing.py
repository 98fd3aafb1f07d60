"""All that shows a run, as one observer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from fastbatch.cli.display.failures import failures_text
from fastbatch.cli.display.jsonlines import JsonLines
from fastbatch.cli.display.result import summary_text
from fastbatch.cli.display.screen import Screen
from fastbatch.cli.display.streams import Stream
from fastbatch.events import Event, RunCompleted
from fastbatch.model import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the end of a run is shown."""

    out: Stream
    width: Callable[[], int]
    color: bool
    for_people: bool  # not as JSON, which has it already
    seen_with_screen: bool  # who reads the screen has read the failures when they have read this


class Display:
    """
    Shows a run to people and programs; an observer of its events, to be used as a context manager.

    It does not raise when nobody reads any more, or a disk is full. However it is left, the terminal is as it was.
    """

    def __init__(self, screen: Screen, records: Sequence[JsonLines], result: Result, log: Stream | None) -> None:
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
        if isinstance(event, RunCompleted):
            self._end(event.summary)

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

    def _end(self, summary: Summary) -> None:
        self._screen.stop()
        if self._result.for_people:
            self._result.out.line(summary_text(summary, self._result.width(), color=self._result.color))
        if summary.failures and not self._result.seen_with_screen:
            for line in failures_text(summary.failures, color=False).split("\n"):
                self._screen.say(line)
