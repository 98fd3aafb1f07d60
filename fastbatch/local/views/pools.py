"""How pools look on the wire."""

from fastbatch.local.records import Pool
from fastbatch.local.views.addresses import pool_url
from fastbatch.local.views.showing import STATE, VERSIONED, View, given, parsed, shown_time

_GIVEN_BY_POOL = (
    "displayName",
    "metadata",
    "startTask",
    "taskSchedulingPolicy",
    "taskSlotsPerNode",
    "virtualMachineConfiguration",
    "vmSize",
    "enableAutoScale",
    "enableInterNodeCommunication",
)

POOL: View[Pool] = {
    "id": lambda pool, _: pool.id,
    "url": pool_url,
    **VERSIONED,
    **STATE,
    "allocationState": lambda pool, _: pool.allocation,
    "allocationStateTransitionTime": lambda pool, _: shown_time(pool.allocation_time),
    "resizeErrors": lambda pool, _: parsed(pool.resize_errors) or None,
    "resizeTimeout": lambda _, context: context.given("resizeTimeout") or "PT15M",
    "currentDedicatedNodes": lambda _, context: context.node_counts[0],
    "currentLowPriorityNodes": lambda _, context: context.node_counts[1],
    "targetDedicatedNodes": lambda pool, _: pool.dedicated,
    "targetLowPriorityNodes": lambda pool, _: pool.low_priority,
    **given(*_GIVEN_BY_POOL),
}
