"""Progress as bars, on a terminal."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from fastbatch.cli.display.colors import COLORS
from fastbatch.cli.display.progress import Progress
from fastbatch.cli.display.screen import Manner
from fastbatch.cli.display.sentences import Handful, Tone, Topic, sentences, topic_of
from fastbatch.cli.display.streams import Stream
from fastbatch.cli.display.wording import Row, rows, speed_text
from fastbatch.events import Event
from fastbatch.terminal import escaped
from fastbatch.units import shown_duration

INTERVAL = 0.125  # seconds between two pictures

_IN_FULL = 5  # of each kind of thing that is said
_WIDEST_BAR = 24


class Live:
    """
    Draws bars on a terminal, with what is said above them.

    Events are only counted, and what is said about them is only kept. A thread draws both, so that how often that is
    done does not depend on how many events there are.
    """

    def __init__(self, console: Console, progress: Progress, manner: Manner) -> None:
        self._console = console
        self._progress = progress
        self._manner = manner
        self._handful = Handful(_IN_FULL)
        self._unsaid: list[Text] = []
        self._lock = threading.Lock()  # guards what is counted and kept, against the thread
        self._live: RichLive | None = None
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin to draw."""
        if self._live is not None:
            return
        # What others print to stdout is theirs, and may be for a program.
        self._live = RichLive(_Moving(self._picture), console=self._console, auto_refresh=False, redirect_stdout=False)
        self._ended.clear()
        try:
            self._live.start(refresh=True)
            self._thread = threading.Thread(target=self._draw_on, args=(self._live,), daemon=True)
            self._thread.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Draw all of it once more, and give the terminal back."""
        live, self._live = self._live, None
        if live is None:
            return
        try:
            self._ended.set()
            if self._thread is not None and self._thread.is_alive():
                self._thread.join()
            self._print_unsaid()
        finally:
            live.stop()

    def take(self, event: Event) -> None:
        """Count an event, and keep what is to be said about it."""
        topic = topic_of(event)
        with self._lock:
            self._progress.take(event)
            wanted = topic and self._wants(topic)
        if topic and wanted:
            self._keep(sentences(event), topic.tone)

    def say(self, text: str) -> None:
        """Say something about trouble of our own."""
        self._keep((text,), Tone.FAILURE)

    def _wants(self, topic: Topic) -> bool:
        if not self._manner.wants(topic.tone, bars=True):
            return False
        return topic.tone is Tone.DETAIL or self._handful.admits(topic.subject)  # who asks for details gets them all

    def _keep(self, lines: tuple[str, ...], tone: Tone) -> None:
        with self._lock:
            self._unsaid += [Text(line, style=COLORS[tone] or "") for line in lines]
        if self._live is None:
            self._print_unsaid()

    def _draw_on(self, live: RichLive) -> None:
        while not self._ended.wait(INTERVAL):
            if not self._print_unsaid():
                live.refresh()

    def _print_unsaid(self) -> bool:
        """Print what is kept, which also draws the bars anew below it; tell whether there was anything."""
        with self._lock:
            lines, self._unsaid = self._unsaid, []
        if lines:
            self._console.print(*lines, sep="\n", soft_wrap=True)
        return bool(lines)

    def _picture(self) -> RenderableType:
        with self._lock:
            shown = list(rows(self._progress))
            if speed := speed_text(self._progress):
                shown.append(Row("rate", speed))
            if withheld := self._handful.withheld():
                shown.append(Row("not shown", withheld))
            title = _title(self._progress)
        return Group(title, _grid(shown, min(_WIDEST_BAR, self._console.width // 4)))


@dataclass(frozen=True, slots=True)
class _Moving:
    """What looks different each time that it is drawn, also when that is because of what is printed above it."""

    draw: Callable[[], RenderableType]

    def __rich__(self) -> RenderableType:
        return self.draw()


def console_on(stream: Stream, *, color: bool) -> Console:
    """Make a console of a terminal; it decides nothing by itself, and takes no text for markup."""
    return Console(
        file=cast("IO[str]", stream),  # it has all of it that a console uses
        force_terminal=True,
        force_interactive=True,
        force_jupyter=False,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _title(progress: Progress) -> Text:
    run = f"{escaped(progress.run)} on pool {escaped(progress.pool)}, " if progress.run else ""
    return _line(f"{run}{shown_duration(float(int(progress.elapsed)))}", "bold")


def _grid(shown: list[Row], bar_width: int) -> Table:
    names = max(len(row.name) for row in shown)
    grid = Table.grid(
        Column(min_width=names, no_wrap=True), Column(width=bar_width), Column(no_wrap=True), padding=(0, 1)
    )
    for row in shown:
        grid.add_row(
            _line(row.name, "dim"), _bar(row, bar_width), _line(row.text, "red" if row.name == "failed" else "")
        )
    return grid


def _bar(row: Row, width: int) -> RenderableType:
    if row.fraction is None:
        return ""
    return ProgressBar(
        total=1.0,
        completed=row.fraction,
        width=width,
        style="bright_black",  # with rich's own colors, done and not begun look alike where there are but 16
        complete_style="cyan",
        finished_style="green",
    )


def _line(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
