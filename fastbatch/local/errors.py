"""What the local services raise, and the one table from the service's error codes to HTTP statuses."""

from collections.abc import Mapping

STATUS = {
    "ConditionNotMet": 412,
    # the request itself
    "InvalidHeaderValue": 400,
    "InvalidInput": 400,
    "InvalidPropertyValue": 400,
    "InvalidQueryParameterValue": 400,
    "InvalidRequestBody": 400,
    "InvalidUri": 400,
    "MissingRequiredHeader": 400,
    "MissingRequiredProperty": 400,
    "MissingRequiredQueryParameter": 400,
    "OutOfRangeInput": 400,
    "OutOfRangeQueryParameterValue": 400,
    "TaskDependenciesNotSpecifiedOnJob": 400,
    "UnsupportedProperty": 400,
    "UnsupportedQueryParameter": 400,
    "UnsupportedRequestVersion": 400,
    "AuthenticationFailed": 403,
    "UnsupportedHttpVerb": 405,
    "MissingContentLengthHeader": 411,
    "RequestBodyTooLarge": 413,
    "InvalidRange": 416,
    # what is not there
    "FileNotFound": 404,
    "JobNotFound": 404,
    "NodeAgentSKUNotFound": 404,
    "NodeNotFound": 404,
    "PoolNotFound": 404,
    "ResourceNotFound": 404,
    "TaskNotFound": 404,
    # what is there, but in another state
    "ActiveJobAndScheduleQuotaReached": 409,
    "JobBeingDeleted": 409,
    "JobBeingTerminated": 409,
    "JobCompleted": 409,
    "JobDisabled": 409,
    "JobExists": 409,
    "JobNotActive": 409,
    "OperationInvalidForCurrentState": 409,
    "OperationNotValidOnPool": 409,
    "PoolBeingDeleted": 409,
    "PoolBeingResized": 409,
    "PoolExists": 409,
    "PoolQuotaReached": 409,
    "TaskCompleted": 409,
    "TaskExists": 409,
    "TaskFilesCleanedup": 409,
    "TaskFilesUnavailable": 409,
    "TaskNotCompleted": 409,
    "TaskSucceeded": 409,
    # the service
    "InternalError": 500,
    "NotImplemented": 501,
    "ServerBusy": 503,
}


class LocalError(Exception):
    """The base of everything that the local services raise."""


class Unavailable(LocalError):
    """Raised when the local services can't be started or reached; the message says what to do."""


class Refused(LocalError):
    """Raised when the Batch service refuses a request, with the code that the real service would give."""

    def __init__(self, code: str, message: str, values: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = STATUS[code]
        self.message = message
        self.values = dict(values or {})

    def body(self) -> dict[str, object]:
        """Give the error as the wire has it."""
        body: dict[str, object] = {"code": self.code, "message": {"lang": "en-US", "value": self.message}}
        if self.values:
            body["values"] = [{"key": key, "value": value} for key, value in self.values.items()]
        return body
