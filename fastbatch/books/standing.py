"""Where a bundle stands: what the ledger knows of it, and the journal keeps."""

import enum
from dataclasses import dataclass, field

from fastbatch.model import Blob, Task


class State(enum.Enum):
    """Where a bundle is."""

    PREPARING = "preparing"
    SUBMITTING = "submitting"
    WAITING = "waiting"  # for the service
    FETCHING = "fetching"
    DONE = "done"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Tell whether nothing more happens to it."""
        return self in (State.DONE, State.FAILED)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a bundle failed as a whole."""

    reason: str
    task: Task | None = None  # that was its last
    passing: bool = False  # another attempt may go well


@dataclass(slots=True)
class Standing:
    """Where a bundle stands. It changes; who keeps it takes a copy."""

    state: State = State.PREPARING
    blob: Blob | None = None  # what it was built as: final as soon as it is known
    checks: bytes = b""  # of each input that is in the blob of many, four bytes that tell whether it is as it was
    uploaded: bool | None = None  # by this run; False if it was there already, None until it is known to be there
    attempt: int = 0
    lost: dict[str, str] = field(default_factory=dict)  # the inputs that are not in the blob, by name, and why
    done_by: Task | None = None
    cause: Cause | None = None  # if it failed, and not by the loss of all its inputs
