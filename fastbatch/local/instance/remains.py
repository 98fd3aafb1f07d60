"""What a service leaves when it ends otherwise than it should: processes that go on."""

import contextlib

from fastbatch.local import ending
from fastbatch.local.agent import environment
from fastbatch.local.processes import Identity, Mark
from fastbatch.local.store import Damaged, Store


async def end_remains(store: Store | None, nodes: str) -> None:
    """
    End every process of a home's nodes: those that were written down, and those that are known by their mark.

    Where the store can't be read, the mark has to do.
    """
    recorded: list[Identity] = []
    if store:
        with contextlib.suppress(Damaged):
            recorded = [Identity.parse(process) for process in store.processes()]
    await ending.end_leftovers(Mark(environment.NODE_MARK, nodes), *recorded)
