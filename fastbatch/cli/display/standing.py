"""How a run stands, for people."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from fastbatch.books.standing import State
from fastbatch.cli.display.failures import groups_text
from fastbatch.cli.display.labelled import facts
from fastbatch.cli.display.wording import rate_text, states_text
from fastbatch.journal.records import Outcome
from fastbatch.telling.reporting import JobSeen, Report, Seen, Step, command
from fastbatch.terminal import escaped
from fastbatch.units import counted, shown_duration, shown_size

_NARROWEST = 20
_GONE = 5  # jobs that are named
_WHAT_FOR = {
    Step.WATCH: "To watch it until it is over",
    Step.FETCH: "To have what is there by now",
    Step.RESUME: "To go on with it",
    Step.RESUME_FAILED: "To try again what failed for good, too",
    Step.LOGS: "To see what failed tasks wrote",
    Step.CLEAN: "To delete what it left on the services",
}


def standing_text(report: Report, now: datetime, width: int, *, color: bool) -> str:
    """Give lines on how a run stands; without a line end after the last."""
    parts = [*facts(_labelled(report, now), max(width, _NARROWEST), color=color)]
    if report.failures:
        parts.append(groups_text(report.failures, color=color, cures=True))
    return "\n".join([*parts, *_next(report)])


def _labelled(report: Report, now: datetime) -> Iterator[tuple[str, Sequence[str]]]:
    record, books = report.record, report.books
    about = f"{escaped(record.id)} on pool {escaped(record.settings.pool)}"
    yield "run", [about, report.state, *_driven(report), *_ages(report, now)]
    inputs = [f"{books.planned:,} planned", f"{books.done:,} done", f"{books.failed:,} failed", f"{books.open:,} open"]
    yield "inputs", [*inputs, f"{shown_size(report.bytes_done)} of {shown_size(record.bytes)}"]
    if bundles := [f"{report.bundles[state]:,} {state.value}" for state in State if report.bundles.get(state)]:
        yield "bundles", bundles
    yield from _tasks(report)
    if report.seen:
        yield from _services(report.seen, escaped(record.settings.pool))
    yield from _speed(report)


def _driven(report: Report) -> Iterator[str]:
    if report.driver is not None:
        yield f"driven by {f'process {report.driver}' if report.driver else 'another process'}"


def _ages(report: Report, now: datetime) -> Iterator[str]:
    yield f"made {_ago(report.record.made, now)}"
    if report.record.touched:
        yield f"last written {_ago(report.record.touched, now)}"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{shown_duration(float(max(0, round((now - moment).total_seconds()))))} ago"


def _tasks(report: Report) -> Iterator[tuple[str, Sequence[str]]]:
    """Say where tasks are: on the service, or as the journal has it if that does not show any."""
    if report.seen and report.seen.jobs:
        for job in report.seen.jobs:
            yield "job", [f"{escaped(job.id)} {escaped(job.state)}", *_counts(job)]
        return
    if known := [f"{report.tasks[outcome]:,} {outcome.value}" for outcome in Outcome if report.tasks.get(outcome)]:
        yield "tasks", [*known[:-1], f"{known[-1]} by the journal"]


def _counts(job: JobSeen) -> list[str]:
    return [
        f"{counted(job.waiting, 'task')} waiting",
        f"{job.running:,} running",
        f"{job.succeeded + job.failed:,} completed",
        f"{job.failed:,} of them failed",
    ]


def _services(seen: Seen, pool: str) -> Iterator[tuple[str, Sequence[str]]]:
    if seen.gone:
        yield "gone", _some(seen.gone)
    if seen.strange:
        yield "strange", [f"{escaped(job)} is a job that this run did not make" for job in seen.strange]
    if seen.pool is None:
        yield "pool", [f"{pool} is not there"]
    else:
        state = "" if seen.pool == "active" else f"the pool is {escaped(seen.pool)}"
        yield "nodes", [states_text(seen.nodes), *filter(None, [state])]


def _some(jobs: Sequence[str]) -> list[str]:
    more = [f"{len(jobs) - _GONE:,} more"] if len(jobs) > _GONE else []
    return [f"job {escaped(job)}" for job in jobs[:_GONE]] + more


def _speed(report: Report) -> Iterator[tuple[str, Sequence[str]]]:
    speed = report.speed
    if speed is None:
        return
    over = shown_duration(float(round(speed.seconds)) or round(speed.seconds, 2))
    basis = f"by the tasks of the last {over}" if speed.tasks else f"over {over}, from when it was made on"
    yield "speed", [f"{rate_text(speed.inputs)} inputs/s", f"{shown_size(round(speed.bytes))}/s", basis]
    if report.left is not None:
        yield (
            "left",
            [f"about {shown_duration(float(round(report.left)))} until all tasks are completed, at that speed"],
        )


def _next(report: Report) -> Iterator[str]:
    for step in report.steps:
        yield f"{_WHAT_FOR[step]}: fastbatch {command(step, report.record.id)}"
