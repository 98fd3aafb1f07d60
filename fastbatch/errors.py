"""Everything that fastbatch raises, by what the caller can do about it."""

from collections.abc import Sequence

_NOT_FOUND = 404


class FastbatchError(Exception):
    """The base of all that fastbatch raises."""


class UsageError(FastbatchError):
    """Raised before anything was created: the inputs, options or configuration can't be used as they are."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class ServiceError(FastbatchError):
    """Raised when a service did not do what it was asked to."""


class Refused(ServiceError):
    """Raised when a service answered with an error."""

    def __init__(  # noqa: PLR0913, an answer has these parts
        self,
        service: str,
        what: str,
        status: int,
        code: str,
        message: str = "",
        *,
        retry_after: float | None = None,
    ) -> None:
        self.service = service
        self.what = what
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        said = f": {message}" if message else ""
        super().__init__(f"{service} refused to {what} ({status} {code}){said}")

    @property
    def not_found(self) -> bool:
        """Tell whether what was asked about is not there."""
        return self.status == _NOT_FOUND


class Unreachable(ServiceError):
    """Raised when a service gave no answer; what it was asked to do may be done."""

    def __init__(self, service: str, what: str, why: str) -> None:
        self.service = service
        self.what = what
        self.why = why
        super().__init__(f"{service} gave no answer when asked to {what}: {why}")


class Unauthorized(ServiceError):
    """Raised when a service does not accept the credentials."""


class QuotaReached(ServiceError):
    """Raised when the account may have no more of what is asked for."""


class PoolUnusable(ServiceError):
    """Raised when no node of the pool will ever run a task."""


class NotOurs(ServiceError):
    """Raised when something of that name is there that this run did not make."""


class ResultUnsound(FastbatchError):
    """Raised when a result is missing, damaged, or not of what was asked for."""


class OutputFailed(FastbatchError):
    """Raised when results can't be written on this machine."""


class JournalFailed(FastbatchError):
    """Raised when the journal can't be read or written; what it has is as it was."""


class Busy(UsageError):
    """Raised when another process drives the run."""


class StillGoing(FastbatchError):
    """Raised when a run that another process drives was waited for as long as was wished; it goes on."""


class Imbalance(FastbatchError):
    """Raised when the books of a run do not balance: an error of ours, never a shrug."""


class InputChanged(FastbatchError):
    """Raised when an input is no longer what it was when the run was planned."""
