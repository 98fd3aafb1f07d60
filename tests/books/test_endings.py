"""Why tasks fail, and whether another attempt may go well."""

import re
from pathlib import Path

import pytest

from fastbatch import nodecode
from fastbatch.books.endings import Cure, diagnose
from fastbatch.local.agent import failures
from fastbatch.model import Ending, Task

# Only `merge` reads results, and that does not run on nodes.
_NOT_OF_COUNT = {8}


def ending(exit_code: int | None = None, code: str | None = None, message: str = "") -> Ending:
    """Give the ending of a task that failed."""
    return Ending(Task("b00001"), succeeded=False, exit_code=exit_code, code=code, message=message)


def documented() -> dict[int, str]:
    """Give the exit codes that the node's program says it has."""
    text = (nodecode.folder() / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE)
    return {int(code): meaning for code, meaning in rows}


def test_the_exit_codes_are_those_of_the_nodes_program() -> None:
    """Every code that it documents is known here, and no other."""
    known = {code for code in range(1, 128) if not diagnose(ending(code)).reason.endswith(f"exit code {code}")}
    assert known == set(documented()) - {0} - _NOT_OF_COUNT
    assert Path(nodecode.folder()).name == "node"


@pytest.mark.parametrize(
    ("exit_code", "cure"),
    [
        (1, Cure.AGAIN),
        (2, Cure.NONE),
        (3, Cure.NONE),
        (4, Cure.UPLOAD),
        (5, Cure.UPLOAD),
        (6, Cure.NONE),
        (7, Cure.AGAIN),
        (8, Cure.NONE),
        (9, Cure.AGAIN),
        (126, Cure.NONE),
        (127, Cure.NONE),
        (129, Cure.AGAIN),
        (130, Cure.AGAIN),
        (137, Cure.AGAIN),
        (143, Cure.AGAIN),
        (139, Cure.NONE),  # SIGSEGV: it would do so again
        (-9, Cure.AGAIN),
        (-1, Cure.AGAIN),
    ],
)
def test_what_an_exit_code_calls_for(exit_code: int, cure: Cure) -> None:
    """What passes is tried again; what the program says no to is not."""
    assert diagnose(ending(exit_code, "FailureExitCode")).cure is cure


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("BlobAccessDenied", Cure.AGAIN),
        ("BlobDownloadMiscError", Cure.AGAIN),
        ("BlobDownloadTimedOut", Cure.AGAIN),
        ("BlobNotFound", Cure.UPLOAD),
        ("CommandLaunchFailed", Cure.NONE),
        ("CommandProgramNotFound", Cure.NONE),
        ("DiskFull", Cure.AGAIN),
        ("FileUploadAccessDenied", Cure.AGAIN),
        ("FileUploadContainerNotFound", Cure.AGAIN),
        ("FileUploadMiscError", Cure.AGAIN),
        ("FileUploadTimedOut", Cure.AGAIN),
        ("NodeUnavailable", Cure.AGAIN),
        ("ResourceDirectoryCreateFailed", Cure.AGAIN),
        ("TaskEnded", Cure.LATER),
    ],
)
def test_what_a_failure_of_the_service_calls_for(code: str, cure: Cure) -> None:
    """Its code and its words are the reason."""
    found = diagnose(ending(None, code, "what happened"))
    assert found.cure is cure
    assert found.reason == f"{code}: what happened"


def test_every_failure_of_files_that_the_local_service_knows_is_known() -> None:
    """All of them may pass; a container that is gone is made again."""
    codes = set(failures._CATEGORY)  # noqa: SLF001, the list of codes is what is compared
    assert [code for code in codes if diagnose(ending(None, code)).cure is Cure.NONE] == []


def test_a_task_that_was_ended_as_the_service_was_told_to_is_not_tried_again_now() -> None:
    """By a limit, it would be again; by a user, who may change their mind later."""
    assert diagnose(ending(137, "TaskEnded", "it was ended")).cure is Cure.LATER


def test_the_reason_says_that_the_time_was_over() -> None:
    """Not only how the program was ended."""
    said = "Task Was Ended by User Request: The maximum execution time configured on the task was exceeded"
    assert "maximum execution time" in diagnose(ending(137, "TaskEnded", said)).reason


def test_a_program_that_went_well_is_not_blamed_for_a_failure_of_the_service() -> None:
    """As when its files can't be taken away."""
    found = diagnose(ending(0, "FileUploadContainerNotFound", "no such container"))
    assert found.reason == "FileUploadContainerNotFound: no such container"


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (None, "", "the service does not say why"),
        ("X", "", "X"),
        (None, "so it is", "so it is"),
        ("X", "so it is", "X: so it is"),
    ],
)
def test_the_reason_is_what_there_is(code: str | None, message: str, reason: str) -> None:
    """There is always one."""
    assert diagnose(ending(None, code, message)).reason == reason
