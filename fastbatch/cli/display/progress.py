"""Where a run stands, counted from its events."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastbatch.cli.display.pace import Pace
from fastbatch.events import (
    BooksRead,
    BundleUploaded,
    Event,
    InputFailed,
    NodesCounted,
    PoolFound,
    RequestRetried,
    RunCompleted,
    RunPlanned,
    RunResumed,
    RunStarted,
    TaskDone,
    TaskFailed,
    TasksCounted,
    TasksSubmitted,
)

Ticks = Callable[[], float]  # seconds since whenever, never going back


class Stage(enum.IntEnum):
    """What a run is mostly busy with; stages overlap, and a run never shows an earlier one again."""

    STARTING = 0
    PREPARING = 1
    UPLOADING = 2
    RUNNING = 3
    ENDING = 4
    OVER = 5


@dataclass(slots=True)
class Progress:
    """Where a run stands. Nothing is drawn here, and no event costs more than counting it."""

    ticks: Ticks
    began: float = field(init=False)
    stage: Stage = Stage.STARTING
    run: str = ""
    pool: str = ""
    nodes: Mapping[str, int] = field(default_factory=dict)

    planned: bool = False
    followed: bool = False  # what another process drives: only its books are known
    inputs: int = 0  # that there are
    bytes: int = 0
    bundles: int = 0

    uploaded: int = 0  # bundles
    uploaded_bytes: int = 0
    reused: int = 0
    submitted: int = 0  # tasks
    waiting: int = 0
    running: int = 0
    tasks_done: int = 0
    tasks_failed: int = 0
    tasks_retried: int = 0
    done: int = 0  # inputs
    done_bytes: int = 0
    failed: int = 0
    requests_retried: int = 0

    _first_done: tuple[float, int] | None = None  # when the first task was done, and its bytes
    _results: Pace = field(default_factory=Pace)
    _uploads: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.began = self.ticks()

    def take(self, event: Event) -> None:
        """Count an event."""
        match event:
            case BundleUploaded():
                self._take_upload(event)
            case TaskDone():
                self._take_result(event)
            case TaskFailed():
                self._take_failed_task(event)
            case InputFailed():
                self.failed += 1
            case TasksSubmitted():
                self.submitted += event.tasks
            case TasksCounted():
                self.waiting, self.running = event.waiting, event.running
            case RequestRetried():
                self.requests_retried += 1
            case _:
                self._take_rare(event)
        self.stage = max(self.stage, self._reached())

    @property
    def stored(self) -> int:
        """Give how many bundles are in storage."""
        return self.uploaded + self.reused

    @property
    def tasks(self) -> int:
        """Give how many tasks there will be, as far as is known: one a bundle, and one for each that is tried again."""
        return max(self.bundles + self.tasks_retried, self.submitted)

    @property
    def upload_fraction(self) -> float:
        """Give how much of the upload is done."""
        return _fraction(self.stored, self.bundles)

    @property
    def submit_fraction(self) -> float:
        """Give how many of the tasks are submitted."""
        return _fraction(self.submitted, self.tasks)

    @property
    def done_fraction(self) -> float:
        """Give how many of the inputs are done or failed."""
        return _fraction(self.done + self.failed, self.inputs)

    @property
    def elapsed(self) -> float:
        """Give the seconds since this was made."""
        return self.ticks() - self.began

    @property
    def results_speed(self) -> Pace:
        """Give how fast results come."""
        return self._results

    @property
    def upload_speed(self) -> Pace:
        """Give how fast bundles are uploaded; reused ones do not count."""
        return self._uploads

    def eta(self) -> float | None:
        """Guess how many seconds are left, from what came after the first task was done; so it takes two to guess."""
        if self._first_done is None:
            return None
        since, first_bytes = self._first_done
        seconds, size = self.ticks() - since, self.done_bytes - first_bytes
        if seconds <= 0 or size <= 0:
            return None
        return max(0, self.bytes - self.done_bytes) * seconds / size

    def _take_upload(self, event: BundleUploaded) -> None:
        if event.reused:
            self.reused += 1
            return
        self.uploaded += 1
        self.uploaded_bytes += event.bytes
        self._uploads.add(self.ticks(), event.inputs, event.bytes)

    def _take_result(self, event: TaskDone) -> None:
        now = self.ticks()
        if self._first_done is None:
            self._first_done = now, event.bytes
        self.tasks_done += 1
        self.done += event.inputs
        self.done_bytes += event.bytes
        self._results.add(now, event.inputs, event.bytes)

    def _take_failed_task(self, event: TaskFailed) -> None:
        if event.retried:
            self.tasks_retried += 1
        else:
            self.tasks_failed += 1

    def _take_rare(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.run, self.pool = event.run, event.pool
            case RunPlanned():
                self.planned = True
                self.inputs, self.bytes, self.bundles = event.inputs, event.bytes, event.bundles
            case PoolFound():
                self.pool = event.pool
            case NodesCounted():
                self.nodes = dict(event.states)
            case RunResumed():
                self.followed = False
                self.reused, self.submitted = event.stored, event.tasks
                self.done, self.failed = 0, event.failed
            case BooksRead():
                self.followed = True
                self.done, self.failed = event.done, event.failed
            case RunCompleted():
                self._take_end(event)
            case _:
                pass

    def _take_end(self, event: RunCompleted) -> None:
        """Believe the books rather than what was counted here."""
        books = event.summary.books
        self.planned = True
        self.inputs, self.done, self.failed = books.planned, books.done, books.failed
        self.waiting = self.running = 0
        self.stage = Stage.OVER

    def _reached(self) -> Stage:
        if not self.planned:
            return Stage.STARTING
        if self.done + self.failed >= self.inputs:
            return Stage.ENDING
        if self.stored >= self.bundles and self.submitted >= self.bundles:
            return Stage.RUNNING
        return Stage.UPLOADING if self.stored else Stage.PREPARING


def _fraction(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole else 0.0
