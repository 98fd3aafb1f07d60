"""What the ledger is told, and what it wants done."""

from dataclasses import dataclass

from fastbatch.events import Event
from fastbatch.model import Blob, Bundle, Ending, Failure, Task


@dataclass(frozen=True, slots=True)
class Built:
    """A bundle was built, less the inputs that failed; without a blob if none is left."""

    bundle: str
    blob: Blob | None
    failures: tuple[Failure, ...] = ()
    checks: bytes = b""  # as a standing has them


@dataclass(frozen=True, slots=True)
class Stored:
    """A bundle is in storage."""

    bundle: str
    reused: bool


@dataclass(frozen=True, slots=True)
class NotStored:
    """A bundle could not be uploaded."""

    bundle: str
    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """The service has tasks, in a job of this number."""

    tasks: tuple[Task, ...]
    job: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """The service will never take a task."""

    task: Task
    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """A task is completed, well or not."""

    ending: Ending


@dataclass(frozen=True, slots=True)
class Collected:
    """A task's result is here, and sound."""

    task: Task


@dataclass(frozen=True, slots=True)
class Unsound:
    """A task that ended well has no sound result."""

    task: Task
    reason: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The service took none of these tasks, as their job is over; another one may."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Nothing more will run in a job; nor in any other, if it was not all done."""

    reason: str
    job: int = 0
    all_done: bool = False


Fact = Built | Stored | NotStored | Submitted | Rejected | Returned | Ended | Collected | Unsound | Abandoned


@dataclass(frozen=True, slots=True)
class Prepare:
    """Build a bundle and upload it; what storage has of it is to be replaced if that was found to be bad."""

    bundle: Bundle  # less the inputs that are lost
    replace: bool = False
    blob: Blob | None = None  # what it was built as before, if it was
    checks: bytes = b""  # of the inputs that were in it then


@dataclass(frozen=True, slots=True)
class Submit:
    """Give a task to the service, not before some time has passed."""

    task: Task
    bundle: Bundle
    blob: Blob
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring a task's result here, and see whether it is sound."""

    task: Task
    bundle: Bundle
    lost: frozenset[str]  # the names of its inputs that are not in it


@dataclass(frozen=True, slots=True)
class Explain:
    """Say why a task failed, with what it wrote."""

    ending: Ending
    reason: str
    retried: bool


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell observers."""

    event: Event


Action = Prepare | Submit | Fetch | Explain | Tell
