"""Which exit code has a task that a signal ended?"""

from collections.abc import Callable
from typing import Any


def test_it_is_the_number_of_the_signal_below_zero(run: Callable[..., Any]) -> None:
    """Not 128 and the signal, as a shell has it."""
    info = run("/bin/sh -c 'kill -KILL $$'")["executionInfo"]
    assert info["exitCode"] == -9
