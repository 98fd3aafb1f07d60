"""What does a task say that ran longer than its wall clock allows?"""

from collections.abc import Callable
from typing import Any


def test_it_was_ended_and_has_no_exit_code(run: Callable[..., Any]) -> None:
    """The code is that of a task which a user ended; a detail tells the two apart."""
    info = run("/bin/sleep 600", constraints={"maxWallClockTime": "PT2S"})["executionInfo"]
    assert info["failureInfo"]["code"] == "TaskEnded"
    assert "maximum execution time" in info["failureInfo"]["details"][0]["value"]
    assert "exitCode" not in info
