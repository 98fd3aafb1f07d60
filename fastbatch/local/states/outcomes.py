"""How a run on a node ends, whether another follows, and what it has come to if none does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

NO_RETRY_LIMIT = -1


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed, in the service's words."""

    code: str
    message: str
    category: str = "UserError"
    details: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Give it as the JSON of a failureInfo."""
        details = [{"name": name, "value": value} for name, value in self.details.items()]
        info = {"category": self.category, "code": self.code, "message": self.message, "details": details}
        return json.dumps(info)


EXITED_WITH_ERROR = Failure("FailureExitCode", "The task process exited with an unexpected exit code")
ENDED_BY_USER = Failure("TaskEnded", "Task Was Ended by User Request")
OUT_OF_TIME = Failure(
    "TaskEnded",
    "Task Was Ended by User Request",
    details={"Message": "The maximum execution time configured on the task was exceeded"},
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: with an exit code if its process was started, with a failure if not all went well."""

    exit_code: int | None
    failure: Failure | None = None

    def is_followed(self, retries: int, allowed: int) -> bool:
        """Tell whether another run follows, after so many retries: after a failing exit code only, within the limit."""
        failed_itself = bool(self.exit_code) and self.failure is None
        return failed_itself and (allowed == NO_RETRY_LIMIT or retries < allowed)

    @property
    def verdict(self) -> Failure | None:
        """Give why all has failed if no other run follows; None if it has succeeded."""
        return self.failure or (EXITED_WITH_ERROR if self.exit_code else None)
