"""What the local services raise, and the one table from the service's error codes to HTTP statuses."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

# Every code that is said, by the HTTP status that goes with it.
_400 = Literal[
    "InvalidHeaderValue",
    "InvalidInput",
    "InvalidPropertyValue",
    "InvalidQueryParameterValue",
    "InvalidRequestBody",
    "InvalidUri",
    "MissingRequiredHeader",
    "MissingRequiredProperty",
    "MissingRequiredQueryParameter",
    "OutOfRangeInput",
    "OutOfRangeQueryParameterValue",
    "TaskDependenciesNotSpecifiedOnJob",
    "TaskDependencyListTooLong",
    "TaskDependencyRangesTooLong",
    "UnsupportedProperty",
    "UnsupportedQueryParameter",
    "UnsupportedRequestVersion",
]
_403 = Literal["AuthenticationFailed"]
_404 = Literal[
    "FileNotFound",
    "JobNotFound",
    "NodeAgentSKUNotFound",
    "NodeNotFound",
    "PoolNotFound",
    "ResourceNotFound",
    "TaskNotFound",
]
_405 = Literal["UnsupportedHttpVerb"]
_409 = Literal[
    "ActiveJobAndScheduleQuotaReached",
    "JobBeingDeleted",
    "JobBeingTerminated",
    "JobCompleted",
    "JobDisabled",
    "JobExists",
    "JobNotActive",
    "JobPreparationTaskNotSpecified",
    "NodeAlreadyInTargetSchedulingState",
    "NodeBeingCreated",
    "NodeBeingRebooted",
    "NodeBeingReimaged",
    "NodeBeingStarted",
    "NodeStateUnusable",
    "OperationInvalidForCurrentState",
    "OperationNotValidOnNode",
    "OperationNotValidOnPool",
    "PoolBeingDeleted",
    "PoolBeingResized",
    "PoolExists",
    "PoolQuotaReached",
    "TaskCompleted",
    "TaskExists",
    "TaskFilesCleanedup",
    "TaskFilesUnavailable",
    "TaskIdSameAsJobPreparationTask",
    "TaskIdSameAsJobReleaseTask",
    "TaskNotCompleted",
    "TaskSucceeded",
]
_411 = Literal["MissingContentLengthHeader"]
_412 = Literal["ConditionNotMet"]
_413 = Literal["RequestBodyTooLarge"]
_416 = Literal["InvalidRange"]
_429 = Literal["TooManyRequests"]
_500 = Literal["InternalError"]
_501 = Literal["NotImplemented"]
_503 = Literal["ServerBusy"]

Code = _400 | _403 | _404 | _405 | _409 | _411 | _412 | _413 | _416 | _429 | _500 | _501 | _503

_KINDS: Mapping[int, Any] = {
    400: _400,
    403: _403,
    404: _404,
    405: _405,
    409: _409,
    411: _411,
    412: _412,
    413: _413,
    416: _416,
    429: _429,
    500: _500,
    501: _501,
    503: _503,
}
STATUS: Mapping[str, int] = {code: status for status, codes in _KINDS.items() for code in get_args(codes)}


class LocalError(Exception):
    """The base of everything that the local services raise."""


class Unavailable(LocalError):
    """Raised when the local services can't be started or reached; the message says what to do."""


class Refused(LocalError):
    """Raised when the Batch service refuses a request, with the code that the real service would give."""

    def __init__(
        self,
        code: Code,
        message: str,
        values: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = STATUS[code]
        self.message = message
        self.values = dict(values or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Give the error as the wire has it."""
        body: dict[str, object] = {"code": self.code, "message": {"lang": "en-US", "value": self.message}}
        if self.values:
            body["values"] = [{"key": key, "value": value} for key, value in self.values.items()]
        return body
