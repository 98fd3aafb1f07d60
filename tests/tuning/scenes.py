"""Measurings of a few files, on the local services."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from fastbatch import Account, Settings, api
from fastbatch.events import Event, RoundBegun, RoundFailed, RoundMeasured
from fastbatch.tuning.measured import Measurements, Work
from fastbatch.tuning.measuring import Intention, TuneManners, measure, work_of
from tests.counted import Seen, texts, write
from tests.local.instances import new_name


class Scene:
    """A few files that are to be measured, each a task; `when` is called with all that happens."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.seen = Seen()
        self.kept: list[Measurements] = []
        self.when: Callable[[Event], object] = lambda _event: None
        self.settings = Settings(**{"pool": new_name("tune"), "files_per_task": 1, "slots": 1, **settings})
        self.plan = api.prepare([str(write(folder, texts(3)))], self.settings)

    def measure(
        self, account: Account, nodes: tuple[int, ...], repeat: int = 1, whole: Work | None = None
    ) -> Measurements:
        """Measure them."""
        return anyio.run(self._measure, account, Intention(nodes, repeat, whole or work_of(self.plan)))

    async def _measure(self, account: Account, intention: Intention) -> Measurements:
        manners = TuneManners(self._observe, self.kept.append)
        return await measure(self.plan, self.settings, account, intention, manners)

    def interrupted(self, account: Account, nodes: tuple[int, ...], at: Callable[[Event], bool]) -> bool:
        """Measure them until something happens; tell whether that ended it."""

        async def until() -> bool:
            with anyio.CancelScope() as scope:
                self.when = lambda event: scope.cancel() if at(event) else None
                await self._measure(account, Intention(nodes, 1, work_of(self.plan)))
            return scope.cancelled_caught

        return anyio.run(until)

    def _observe(self, event: Event) -> None:
        self.seen(event)
        self.when(event)

    def rounds(self, kind: type[RoundBegun | RoundMeasured | RoundFailed] = RoundBegun) -> list[tuple[int, int]]:
        """Tell which rounds there were, by nodes and number."""
        return [(event.nodes, event.number) for event in self.seen.of(kind)]
