"""The boundary where errors of the library become messages and exit codes."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from fastbatch.cli.exits import boundary
from fastbatch.errors import FastbatchError, OutputFailed, PoolUnusable, Refused, ResultUnsound, UsageError


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UsageError("Do this."), 2, "Error: Do this.\n"),
        (UsageError(["Do this.", "And that."]), 2, "Error: Do this.\nError: And that.\n"),
        (PoolUnusable("No node starts."), 3, "Error: No node starts.\n"),
        (Refused("Batch", "add a job", 409, "JobExists"), 3, "Error: Batch refused to add a job (409 JobExists)\n"),
        (OutputFailed("The disk is full."), 1, "Error: The disk is full.\n"),
        (ResultUnsound("It is cut off."), 1, "Error: It is cut off.\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, FastbatchError) else "",
)
def test_an_error_of_the_library_is_a_message_and_a_code(error: FastbatchError, code: int, told: str) -> None:
    """By what can be done about it; of wrong usage each problem is a line."""

    @click.command()
    def act() -> None:
        with boundary():
            raise error

    ended = CliRunner().invoke(act)

    assert (ended.exit_code, ended.stdout, ended.stderr) == (code, "", told)
