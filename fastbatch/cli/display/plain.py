"""Progress as lines, where there is no terminal that can do more."""

from fastbatch.cli.display.colors import painted
from fastbatch.cli.display.progress import Progress, Stage
from fastbatch.cli.display.screen import Manner
from fastbatch.cli.display.sentences import Tone, sentences, topic_of
from fastbatch.cli.display.streams import Stream
from fastbatch.cli.display.wording import rows, speed_text
from fastbatch.events import Event

INTERVAL = 10.0  # seconds between two lines of progress
QUIET_AT_MOST = 55.0  # even if there is none

_STAGES = {
    Stage.UPLOADING: "The upload has begun",
    Stage.RUNNING: "All is uploaded and submitted",
    Stage.ENDING: "Every input is done or failed",
}


class Plain:
    """Writes a line when a stage begins, and now and then one of progress if there is any."""

    def __init__(self, stream: Stream, progress: Progress, manner: Manner) -> None:
        self._stream = stream
        self._progress = progress
        self._manner = manner
        self._last_time = progress.began
        self._last_facts = _facts(progress)

    def start(self) -> None:
        """Do nothing; lines come by themselves."""

    def stop(self) -> None:
        """Do nothing; all lines are written."""

    def take(self, event: Event) -> None:
        """Count an event, and write what there is to say."""
        before = self._progress.stage
        self._progress.take(event)
        topic = topic_of(event)
        if topic and self._manner.wants(topic.tone, bars=False):
            for line in sentences(event):
                self._stream.line(painted(line, topic.tone, color=self._manner.color))
        if not self._manner.quiet:
            self._go_on(before)

    def say(self, text: str) -> None:
        """Write a line about trouble of our own."""
        self._stream.line(painted(text, Tone.FAILURE, color=self._manner.color))

    def _go_on(self, before: Stage) -> None:
        stage = self._progress.stage
        if stage is not before and stage in _STAGES:
            self._stream.line(f"{_STAGES[stage]}: {_facts(self._progress)}.")
        elif self._progress.ticks() - self._last_time >= INTERVAL:
            self._write_progress()

    def _write_progress(self) -> None:
        facts = _facts(self._progress)
        now = self._progress.ticks()
        if facts == self._last_facts and now - self._last_time < QUIET_AT_MOST:
            return
        speed = speed_text(self._progress)
        self._stream.line(f"{facts}; {speed}." if speed else f"{facts}.")
        self._last_time, self._last_facts = self._progress.ticks(), facts


def _facts(progress: Progress) -> str:
    return "; ".join(f"{row.name} {row.text}" for row in rows(progress))
