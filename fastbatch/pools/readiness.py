"""Waiting until a pool is ready, or there is nothing to wait for."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastbatch.azure.batch import Batch
from fastbatch.errors import PoolUnusable
from fastbatch.events import NodesCounted, Observer
from fastbatch.patience import LOOK_AT_MOST, Patience
from fastbatch.pools.health import hopeless, in_states, of_no_use, ready, start_failures


@dataclass(frozen=True, slots=True)
class Ready:
    """A pool that is ready, and what is wrong with those of its nodes that can't be used."""

    nodes: Mapping[str, int]  # by state
    of_no_use: Mapping[str, int]
    said: str = ""

    @property
    def usable(self) -> int:
        """Tell how many nodes can be used."""
        return sum(self.nodes.values()) - sum(self.of_no_use.values())


async def wait_until_ready(
    batch: Batch, pool_id: str, observe: Observer, *, look_at_most: float = LOOK_AT_MOST
) -> Ready:
    """Wait until no node of a pool is on its way any more. Raises PoolUnusable if none will ever be of use."""
    patience = Patience(lambda: None, look_at_most)
    states: Mapping[str, int] = {}
    before = None
    while True:
        found = await batch.pool(pool_id)
        counts = {} if found is None else await batch.node_counts(pool_id)
        if states != in_states(counts):
            states = in_states(counts)
            observe(NodesCounted(states))
        if found is not None and ready(found, counts):
            useless = of_no_use(counts)
            return Ready(states, useless, start_failures(await batch.nodes(pool_id)) if useless else "")
        reason = hopeless(found, counts)
        if reason and reason == before:  # once may be a moment between two states
            said = start_failures(await batch.nodes(pool_id)) if states else ""
            raise PoolUnusable(f"Pool {pool_id} will not be ready: {reason}{f' ({said})' if said else ''}.")
        before = reason
        await patience.wait()
