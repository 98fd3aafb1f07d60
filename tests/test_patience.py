"""Waiting for what can only be looked at: longer each time, and told once."""

import anyio
import pytest

from fastbatch import patience
from fastbatch.patience import Patience


def test_each_wait_is_longer_than_the_last_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks at something that takes long does not look often."""
    waits: list[float] = []

    async def keep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(anyio, "sleep", keep)

    async def scene() -> None:
        waiting = Patience(lambda: None)
        for _ in range(12):
            await waiting.wait()

    anyio.run(scene)
    assert waits[0] == patience.LOOK_AGAIN
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2] == patience.LOOK_AT_MOST


def test_what_is_waited_for_is_told_once_and_only_if_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And before the first wait."""
    monkeypatch.setattr(patience, "LOOK_AGAIN", 0.0)
    told: list[str] = []

    async def scene() -> None:
        waiting = Patience(lambda: told.append("told"))
        assert told == []
        for _ in range(3):
            await waiting.wait()

    anyio.run(scene)
    assert told == ["told"]
