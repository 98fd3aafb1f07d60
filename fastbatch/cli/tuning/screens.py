"""Measuring as it is shown while it goes on: a line a run, and on a terminal one that moves."""

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from fastbatch.cli.display.colors import COLORS, painted
from fastbatch.cli.display.screen import Manner
from fastbatch.cli.display.sentences import Tone
from fastbatch.cli.display.streams import Stream
from fastbatch.cli.tuning.rounds import Rounds
from fastbatch.events import Event
from fastbatch.units import counted, shown_duration

_A_SECOND = 8  # pictures
_BAR = 24


class Lines:
    """Writes a line for what is over."""

    def __init__(self, stream: Stream, rounds: Rounds, manner: Manner) -> None:
        self._stream = stream
        self._rounds = rounds
        self._manner = manner

    def start(self) -> None:
        """Do nothing; lines come by themselves."""

    def stop(self) -> None:
        """Do nothing; all lines are written."""

    def take(self, event: Event) -> None:
        """Count an event, and write what there is to say."""
        said = self._rounds.take(event)
        if said and self._manner.wants(said[0], bars=False):
            for line in said[1]:
                self._write(line, said[0])

    def say(self, text: str) -> None:
        """Write a line about trouble of our own."""
        self._write(text, Tone.FAILURE)

    def _write(self, line: str, tone: Tone) -> None:
        self._stream.line(painted(line, tone, color=self._manner.color))


class Moving:
    """Draws one line on a terminal with how far the run is that is under way, below what is over."""

    def __init__(self, console: Console, rounds: Rounds, manner: Manner) -> None:
        self._console = console
        self._rounds = rounds
        self._manner = manner
        self._live: Live | None = None

    def start(self) -> None:
        """Begin to draw."""
        if self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self.picture,
                refresh_per_second=_A_SECOND,
                transient=True,
                redirect_stdout=False,  # what others print there may be for a program
            )
            self._live.start()

    def stop(self) -> None:
        """Erase the line, and give the terminal back."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def take(self, event: Event) -> None:
        """Count an event, and print what there is to say."""
        said = self._rounds.take(event)
        if said and self._manner.wants(said[0], bars=False):
            self._print(said[1], said[0])

    def say(self, text: str) -> None:
        """Say something about trouble of our own."""
        self._print((text,), Tone.FAILURE)

    def _print(self, lines: tuple[str, ...], tone: Tone) -> None:
        texts = [Text(line, style=COLORS[tone] or "") for line in lines]
        self._console.print(*texts, sep="\n", soft_wrap=True)

    def picture(self) -> RenderableType:
        """Give the line as it is at this moment."""
        progress = self._rounds.progress
        passed = shown_duration(float(int(progress.elapsed)))
        heading = Text(self._rounds.heading(), style="bold", no_wrap=True, overflow="ellipsis")
        if self._rounds.begun is None:
            return Text.assemble(heading, f", {passed}", no_wrap=True, overflow="ellipsis")
        grid = Table.grid(Column(no_wrap=True), Column(width=_BAR), Column(no_wrap=True), padding=(0, 1))
        bar = ProgressBar(
            total=1.0,
            completed=progress.done_fraction,
            width=_BAR,
            style="bright_black",
            complete_style="cyan",
            finished_style="green",
        )
        grid.add_row(heading, bar, f"{progress.tasks_done:,} of {counted(progress.tasks, 'task')}, {passed}")
        return grid
