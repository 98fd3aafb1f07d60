"""What the journal holds, as values."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fastbatch.books.standing import Standing
from fastbatch.errors import JournalFailed
from fastbatch.model import Books, Summary, Task
from fastbatch.place import Place
from fastbatch.settings import Settings


class Phase(enum.Enum):
    """What became of a run, as far as its own process could tell; a run that is going may have been broken off."""

    GOING = "going"
    DETACHED = "detached"  # all was submitted, and it was left to the service
    OVER = "over"  # its summary was made
    CANCELLED = "cancelled"


class Outcome(enum.Enum):
    """What came of an attempt, as the service tells it."""

    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run. Paths in its settings are absolute."""

    id: str
    uid: str  # by which its jobs are known to be ours
    made: datetime
    place: Place
    settings: Settings
    books: Books
    bytes: int
    bundles: int
    phase: Phase = Phase.GOING
    touched: datetime | None = None  # when anything of it was last written
    job: int = 0  # the number of its newest job
    signed_until: datetime | None = None  # how long the tasks of that job may read and write
    made_pool: bool = False
    cleaned: bool = False  # what it made on the services is deleted
    summary: Mapping[str, object] | None = None  # as JSON has it

    def result(self) -> Summary:
        """Give what it came to, if that was written down. Raises JournalFailed where it can't be read."""
        try:
            return Summary.of(self.summary or {})
        except (KeyError, TypeError, ValueError) as error:
            raise JournalFailed(
                f"What run {self.id} came to can't be read in the journal. If its results are still in storage, "
                f"bring them anew: fastbatch fetch {self.id}"
            ) from error


@dataclass(frozen=True, slots=True)
class Attempt:
    """A task that the service took, or refused."""

    task: Task
    job: int = 0
    outcome: Outcome = Outcome.OPEN
    exit_code: int | None = None
    reason: str = ""
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in a run since it was last written."""

    standings: Mapping[str, Standing] = field(default_factory=dict)
    attempts: Sequence[Attempt] = ()
    books: Books | None = None
