"""Where a run stands, in words; live bars and plain lines say it alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastbatch.cli.display.progress import Progress, Stage
from fastbatch.terminal import escaped
from fastbatch.units import counted, shown_duration, shown_size

_NO_DECIMALS = 10  # from here on they say little


@dataclass(frozen=True, slots=True)
class Row:
    """One thing about a run."""

    name: str
    text: str
    fraction: float | None = None  # of a bar


def rows(progress: Progress) -> Iterator[Row]:
    """Give what there is to say; it changes only if an event changes it."""
    if not progress.followed:
        yield Row("uploaded", _uploaded(progress), progress.upload_fraction)
        yield Row("submitted", _of(progress.submitted, progress.tasks, "task"), progress.submit_fraction)
    if progress.running or progress.waiting:
        yield Row("running", f"{counted(progress.running, 'task')}, {progress.waiting:,} waiting")
    yield Row("done", _done(progress), progress.done_fraction)
    if failed := _failed(progress):
        yield Row("failed", failed)
    if progress.nodes:
        yield Row("nodes", states_text(progress.nodes))
    if progress.requests_retried:
        yield Row("retries", f"{counted(progress.requests_retried, 'request')} sent again")


def speed_text(progress: Progress) -> str:
    """Give the rates of this moment, and how much time is left; empty if nothing is known."""
    now = progress.ticks()
    parts = []
    if results := progress.results_speed.at(now):
        parts += [f"{rate_text(results.inputs)} inputs/s", f"{shown_size(round(results.bytes))}/s"]
    if progress.stage is Stage.UPLOADING and (upload := progress.upload_speed.at(now)):
        parts.append(f"uploading {shown_size(round(upload.bytes))}/s")
    left = progress.eta()
    if left is not None and progress.stage < Stage.ENDING:
        parts.append(f"about {shown_duration(float(round(left)))} left")
    return ", ".join(parts)


def states_text(states: Mapping[str, int]) -> str:
    """Say how many are in each state."""
    return ", ".join(f"{count:,} {escaped(state)}" for state, count in sorted(states.items())) or "none"


def _of(part: int, whole: int, noun: str) -> str:
    return f"{part:,} of {counted(whole, noun)}" if whole else counted(part, noun)


def rate_text(number: float) -> str:
    """Give how many in a second."""
    return f"{number:,.0f}" if number >= _NO_DECIMALS else f"{number:.1f}"


def _uploaded(progress: Progress) -> str:
    text = f"{_of(progress.stored, progress.bundles, 'bundle')}, {shown_size(progress.uploaded_bytes)} sent"
    return f"{text}, {progress.reused:,} reused" if progress.reused else text


def _done(progress: Progress) -> str:
    text = _of(progress.done, progress.inputs, "input")
    if progress.followed or not progress.bytes:
        return text
    return f"{text}, {shown_size(progress.done_bytes)} of {shown_size(progress.bytes)}"


def _failed(progress: Progress) -> str:
    parts = []
    if progress.failed:
        parts.append(counted(progress.failed, "input"))
    if progress.tasks_failed:
        parts.append(counted(progress.tasks_failed, "task"))
    if progress.tasks_retried:
        parts.append(f"{counted(progress.tasks_retried, 'task')} tried again")
    return ", ".join(parts)
