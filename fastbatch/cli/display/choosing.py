"""Which displays there are of a run, by what was asked for and where it goes."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, TextIO

from fastbatch.cli.display.colors import is_dumb, wants_color
from fastbatch.cli.display.jsonlines import JsonLines, Now, open_log
from fastbatch.cli.display.plain import Plain
from fastbatch.cli.display.progress import Progress, Ticks
from fastbatch.cli.display.screen import Manner, Screen
from fastbatch.cli.display.showing import Conclusion, Display, Result
from fastbatch.cli.display.streams import Stream, lenient, same_place
from fastbatch.terminal import escaped

_NO_TERMINAL = 1000  # columns: nothing is cut or broken but what no one can want to see whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user wants to see."""

    json: bool = False  # on stdout
    quiet: bool = False  # errors and the result only
    verbose: bool = False  # requests that are sent again, too
    log_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where it is shown, and when."""

    out: TextIO | None
    err: TextIO | None
    environment: Mapping[str, str]
    ticks: Ticks = time.monotonic
    now: Now = lambda: datetime.now(UTC)

    @classmethod
    def ours(cls) -> Self:
        """Give those of this process."""
        return cls(out=sys.stdout, err=sys.stderr, environment=os.environ)


@dataclass(frozen=True, slots=True)
class Parts:
    """What makes a display of one kind or another."""

    screen: Callable[[Surroundings, Stream, Manner], Screen]
    conclusion: Callable[[Wishes, Surroundings, Stream, Stream], Conclusion]


def choose(wishes: Wishes, surroundings: Surroundings | None = None, parts: Parts | None = None) -> Display:
    """Make the displays of a run, or of something else. Raises UsageError if there can't be a log file."""
    parts = parts or Parts(_screen, _result)
    around = surroundings or Surroundings.ours()
    log_file = open_log(wishes.log_file) if wishes.log_file is not None else None

    def tell(what: str, why: str) -> None:
        screen.say(f"Nothing more is written to {what}: {why}.")

    err = Stream(lenient(around.err))
    out = Stream(lenient(around.out, "utf-8" if wishes.json else None), lambda why: tell("stdout", why))
    manner = Manner(
        quiet=wishes.quiet,
        verbose=wishes.verbose,
        color=wants_color(around.environment, terminal=err.isatty()),
        moves=_moves(wishes, around, out, err),
    )
    screen = parts.screen(around, err, manner)
    records = [JsonLines(out, around.now)] if wishes.json else []
    log = None
    if log_file is not None:
        log = Stream(log_file, lambda why: tell(f"the log file {escaped(str(wishes.log_file))}", why))
        records.append(JsonLines(log, around.now))
    return Display(screen, records, parts.conclusion(wishes, around, out, err), log)


def _moves(wishes: Wishes, around: Surroundings, out: Stream, err: Stream) -> bool:
    """Tell whether there is a terminal for bars; they can't share one with lines of JSON."""
    return not (wishes.quiet or not err.isatty() or is_dumb(around.environment) or (wishes.json and out.isatty()))


def _screen(around: Surroundings, err: Stream, manner: Manner) -> Screen:
    progress = Progress(around.ticks)
    if not manner.moves:
        return Plain(err, progress, manner)
    from fastbatch.cli.display.live import Live, console_on

    return Live(console_on(err, color=manner.color), progress, manner)


def _result(wishes: Wishes, around: Surroundings, out: Stream, err: Stream) -> Result:
    terminal = out.isatty()
    return Result(
        out=out,
        width=(lambda: shutil.get_terminal_size().columns) if terminal else (lambda: _NO_TERMINAL),
        color=wants_color(around.environment, terminal=terminal),
        for_people=not wishes.json,
        seen_with_screen=same_place(out, err),
    )
