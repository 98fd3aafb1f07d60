"""Pools as they are now, for people who look after them and pay for their nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from fastbatch.azure.batch import Batch
from fastbatch.azure.requests import Json
from fastbatch.pools import obtaining
from fastbatch.pools.health import current, in_states, resize_errors, start_failures, target


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool as the service tells it."""

    id: str
    state: str
    allocation: str  # whether it is being resized
    created: str
    vm_size: str
    slots: int  # of each node
    nodes: int  # that there are, and cost money
    target: int  # how many there are to be
    nodes_by_state: Mapping[str, int]  # as far as they are counted
    made_by_fastbatch: bool
    resize_errors: str  # why it did not get its nodes

    @classmethod
    def of(cls, found: Json, counts: Mapping[str, int]) -> Self:
        """Read what the service says of a pool and its nodes."""
        states = in_states(counts)
        return cls(
            id=found["id"],
            state=found["state"],
            allocation=found.get("allocationState", ""),
            created=found.get("creationTime", ""),
            vm_size=found.get("vmSize", ""),
            slots=found.get("taskSlotsPerNode", 1),
            nodes=sum(states.values()) or current(found),
            target=target(found),
            nodes_by_state=states,
            made_by_fastbatch=obtaining.made_by_us(found),
            resize_errors=resize_errors(found),
        )


@dataclass(frozen=True, slots=True)
class PoolDetails:
    """A pool with all that can be told of it without looking at each task."""

    pool: PoolState
    start_failures: str
    active_jobs: tuple[str, ...]


async def look_at_all(batch: Batch) -> list[PoolState]:
    """Look at all pools of the account; two requests, or as many as there are thousands of pools."""
    found = await batch.pools()
    counts = await batch.node_counts_of_all() if found else {}
    states = (PoolState.of(pool, counts.get(pool["id"].lower(), {})) for pool in found)
    return sorted(states, key=lambda pool: pool.id)


async def look_at(batch: Batch, pool_id: str) -> PoolDetails | None:
    """Look at a pool, if it is there."""
    found = await batch.pool(pool_id)
    if found is None:
        return None
    pool = PoolState.of(found, await batch.node_counts(pool_id))
    nodes = await batch.nodes(pool_id) if pool.nodes else []
    return PoolDetails(pool, start_failures(nodes), tuple(await batch.active_jobs(pool_id)))
