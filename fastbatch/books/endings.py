"""Why a task failed, and whether another attempt may go well."""

import enum
from dataclasses import dataclass

from fastbatch.model import Ending


class Cure(enum.Enum):
    """What may help."""

    NONE = "none"
    LATER = "later"  # but not now: the service ended it as it was told to, by a user or by a limit
    AGAIN = "again"
    LOOK = "look"  # whether the blob is still there, and then again: storage has lost a result
    UPLOAD = "upload"  # and then again: the blob is gone or damaged


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a task failed, and what may help."""

    reason: str
    cure: Cure


# The exit codes of the node's program; node/README.md lists them.
_BY_EXIT_CODE = {
    1: Diagnosis("the node's program failed by an error of its own; it may have come damaged", Cure.AGAIN),
    2: Diagnosis("the node's program was called wrongly", Cure.NONE),
    3: Diagnosis("the node could not read its bundle", Cure.NONE),
    4: Diagnosis("the bundle is damaged", Cure.UPLOAD),
    5: Diagnosis("the bundle that the node got is not the one that was uploaded", Cure.UPLOAD),
    6: Diagnosis("the range is not within the bundle", Cure.NONE),
    7: Diagnosis("the node could not write the result; its disk is full, most likely", Cure.AGAIN),
    9: Diagnosis("a counting process died, or had no memory", Cure.AGAIN),
}

# What the service says where the program was not what failed.
_BY_CODE = {
    "BlobAccessDenied": Cure.AGAIN,  # rights that were just given take a while to be known everywhere
    "BlobDownloadMiscError": Cure.AGAIN,
    "BlobDownloadTimedOut": Cure.AGAIN,
    "BlobNotFound": Cure.UPLOAD,
    "DiskFull": Cure.AGAIN,
    "FileUploadAccessDenied": Cure.AGAIN,
    "FileUploadContainerNotFound": Cure.AGAIN,  # it is made again when the run is gone on with
    "FileUploadMiscError": Cure.AGAIN,
    "FileUploadTimedOut": Cure.AGAIN,
    "NodeUnavailable": Cure.AGAIN,
    "ResourceDirectoryCreateFailed": Cure.AGAIN,
    "ResourceFileCreateFailed": Cure.AGAIN,
    "ResourceFileWriteFailed": Cure.AGAIN,
}

_SIGNALS_FROM = 128
_ENDED_FROM_OUTSIDE = {_SIGNALS_FROM + number for number in (1, 2, 9, 15)}


def diagnose(ending: Ending) -> Diagnosis:
    """Tell why a task failed, and what may help."""
    if ending.code in _BY_CODE:
        return Diagnosis(_said(ending), _BY_CODE[ending.code])
    if ending.code == "TaskEnded":
        return Diagnosis(_said(ending), Cure.LATER)
    code = ending.exit_code
    if not code:
        return Diagnosis(_said(ending), Cure.NONE)
    if code in _BY_EXIT_CODE:
        return _BY_EXIT_CODE[code]
    if code < 0 or code in _ENDED_FROM_OUTSIDE:
        return Diagnosis(f"the node's program was ended from outside (exit code {code})", Cure.AGAIN)
    return Diagnosis(f"the node's program ended with exit code {code}", Cure.NONE)


def _said(ending: Ending) -> str:
    if ending.message:
        return f"{ending.code}: {ending.message}" if ending.code else ending.message
    return ending.code or "the service does not say why"
