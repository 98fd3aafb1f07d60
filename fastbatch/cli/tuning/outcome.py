"""What comes of measuring: the report on stdout, and files."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from fastbatch.cli.display.choosing import Parts, Surroundings, Wishes
from fastbatch.cli.display.colors import wants_color
from fastbatch.cli.display.screen import Manner, Screen
from fastbatch.cli.display.streams import Stream
from fastbatch.cli.tuning.completed import TuneCompleted
from fastbatch.cli.tuning.report import report
from fastbatch.cli.tuning.rounds import Rounds
from fastbatch.cli.tuning.screens import Lines, Moving
from fastbatch.events import Event
from fastbatch.outputs import Outputs
from fastbatch.tuning.findings import Findings

FINDINGS = "findings.json"
PICTURE = "how-many-nodes.svg"

_NO_TERMINAL = 100  # columns
_WITHOUT_MATPLOTLIB = f"{PICTURE} is not drawn, as matplotlib is not there: pip install 'fastbatch[plot]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Writes the report to stdout when all is measured."""

    out: Stream
    width: Callable[[], int]
    color: bool
    for_people: bool  # not as JSON, which has it already

    def take(self, event: Event, screen: Screen) -> None:
        """Write it, with the last event."""
        if isinstance(event, TuneCompleted):
            screen.stop()
            if self.for_people:
                self.out.line(report(event.findings, self.width(), encoding=self.out.encoding, color=self.color))


def write(folder: str, findings: Findings, say: Callable[[str], None]) -> None:
    """Write findings and picture to a folder, the latter if that can be drawn. Raises OutputFailed."""
    outputs = Outputs(folder, per_file=False)
    outputs.write_json(FINDINGS, findings.json())
    try:
        from fastbatch.tuning.picture import svg
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        say(_WITHOUT_MATPLOTLIB)
        return
    with outputs.writing(PICTURE) as file:
        file.write(svg(findings))


def _screen(around: Surroundings, err: Stream, manner: Manner) -> Screen:
    rounds = Rounds(around.ticks)
    if not manner.moves:
        return Lines(err, rounds, manner)
    from fastbatch.cli.display.live import console_on

    return Moving(console_on(err, color=manner.color), rounds, manner)


def _report(wishes: Wishes, around: Surroundings, out: Stream, err: Stream) -> Report:
    del err
    terminal = out.isatty()
    return Report(
        out=out,
        width=(lambda: shutil.get_terminal_size().columns) if terminal else (lambda: _NO_TERMINAL),
        color=wants_color(around.environment, terminal=terminal),
        for_people=not wishes.json,
    )


PARTS = Parts(_screen, _report)
