"""What a task can fail of before and after its process, in the terms of the service's failureInfo."""

from collections.abc import Mapping

from fastbatch.local.errors import LocalError

USER = "UserError"
SERVER = "ServerError"

# Whose fault a failure is; what is in the task's description is the user's.
_CATEGORY = {
    "BlobAccessDenied": USER,
    "BlobDownloadMiscError": SERVER,
    "BlobDownloadTimedOut": SERVER,
    "BlobNotFound": USER,
    "DiskFull": USER,
    "FileUploadAccessDenied": USER,
    "FileUploadContainerNotFound": USER,
    "FileUploadMiscError": USER,
    "ResourceDirectoryCreateFailed": USER,
    "ResourceFileCreateFailed": USER,
    "ResourceFileWriteFailed": USER,
}


class Failed(LocalError):
    """Raised when a task's files can't be brought in or out, with what its failureInfo is to say."""

    def __init__(
        self, code: str, message: str, details: Mapping[str, str] | None = None, category: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.category = category or _CATEGORY[code]
