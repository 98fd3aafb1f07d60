"""Operations on pools."""

import json
from collections.abc import Callable, Sequence

from fastbatch.local import filters
from fastbatch.local.errors import Refused
from fastbatch.local.operations import listing
from fastbatch.local.operations.call import Answer, Call, about, accepted, version
from fastbatch.local.operations.listing import Listing
from fastbatch.local.records import Node, Pool
from fastbatch.local.service import allocating
from fastbatch.local.states import pools
from fastbatch.local.views import POOL, Context, render, selection

_POOLS = Listing(
    Pool,
    POOL,
    "pools",
    filters.POOLS,
    {
        "id": "id",
        "state": "state",
        "stateTransitionTime": "state_time",
        "allocationState": "allocation",
        "allocationStateTransitionTime": "allocation_time",
        "creationTime": "created",
        "lastModified": "modified",
        "enableAutoScale": "0",
        "enableInterNodeCommunication": "0",
        "vmSize": "json_extract(body, '$.vmSize')",
    },
)
# Whatever is not named here can change only while the pool has no nodes.
_CHANGES_ANY_TIME = {"startTask", "metadata", "applicationPackageReferences", "certificateReferences"}


def find(call: Call) -> Pool:
    """Give the pool that a call is about."""
    pool = call.core.store.find(Pool, call.ids["pool"])
    if pool is None:
        raise Refused("PoolNotFound", f"There is no pool {call.ids['pool']}.")
    return pool


def create(call: Call) -> Answer:
    """Make a pool; its nodes come after the answer."""
    store = call.core.store
    there = store.find(Pool, call.body["id"])
    if there is not None:
        pools.refuse_deleting(there)
        raise Refused("PoolExists", f"There is a pool {there.id} already.")
    if store.count(Pool) >= call.core.limits.pool_quota:
        raise Refused("PoolQuotaReached", f"The account may have {call.core.limits.pool_quota} pools.")
    pool = store.add(pools.new(call.body, json.dumps(call.body), call.core.clock.now()))
    call.core.look_at_pool(pool.key)
    return about(call, pool, status=201)


def get(call: Call) -> Answer:
    """Show a pool."""
    pool = find(call)
    call.match(pool)
    select = selection(POOL, call.query.get("$select"))
    return Answer(
        body=render(POOL, pool, _context(call, pool), select), metadata="pools/@Element", headers=version(pool)
    )


def exists(call: Call) -> Answer:
    """Tell whether a pool is there."""
    pool = find(call)
    call.match(pool)
    return Answer(headers=version(pool))


def list_all(call: Call) -> Answer:
    """List pools."""
    return listing.answer(call, _POOLS, lambda page, _: [_context(call, pool) for pool in page])


def _context(call: Call, pool: Pool) -> Context:
    counts = dict(call.core.store.tally(Node, "dedicated", "pool = ?", [pool.key]))
    context = call.context(body=pool.body)
    context.node_counts = (counts.get(True, 0), counts.get(False, 0))
    return context


def replace_properties(call: Call) -> Answer:
    """Change what of a pool can change at any time to what is given, and remove what is not."""
    pool = find(call)
    pools.refuse_deleting(pool)
    call.match(pool)
    kept = {name: value for name, value in json.loads(pool.body).items() if name not in _CHANGES_ANY_TIME}
    body = {**kept, **{name: value for name, value in call.body.items() if value}}
    after = pools.changed(pool, body, json.dumps(body), call.core.clock.now())
    call.core.store.save(pool, after)
    return accepted(call, 204)


def patch(call: Call) -> Answer:
    """Change what is given of a pool."""
    pool = find(call)
    pools.refuse_deleting(pool)
    call.match(pool)
    restricted = call.body.keys() - _CHANGES_ANY_TIME
    if restricted and call.core.store.any(Node, "pool = ?", [pool.key]):
        raise Refused(
            "OperationInvalidForCurrentState",
            f"{', '.join(sorted(restricted))} can change only while the pool has no nodes.",
        )
    body = {**json.loads(pool.body), **call.body}
    after = pools.changed(pool, body, json.dumps(body), call.core.clock.now())
    return about(call, call.core.store.save(pool, after))


def delete(call: Call) -> Answer:
    """Let a pool and its nodes go; what runs on them waits for another pool of that name."""
    return _move(call, pools.deleting)


def resize(call: Call) -> Answer:
    """Give a pool other numbers of nodes."""
    return _move(call, lambda pool, now: pools.resized(pool, call.body, now))


def stop_resize(call: Call) -> Answer:
    """Leave a pool with the nodes that it has."""
    return _move(call, pools.stopping)


def remove_nodes(call: Call) -> Answer:
    """Take certain nodes out of a pool."""
    pool = find(call)
    call.match(pool)
    leaving = list(dict.fromkeys(_node(call, pool, node_id) for node_id in call.body["nodeList"]))
    answer = _move(call, lambda pool, now: pools.without(pool, leaving, call.body, now))
    allocating.let_go(call.core, find(call), leaving)
    return answer


def _node(call: Call, pool: Pool, node_id: str) -> Node:
    node = call.core.store.find(Node, node_id, pool=pool.key)
    if node is None or node.state == "leavingpool":
        raise Refused("NodeNotFound", f"There is no node {node_id} in the pool {pool.id}.")
    return node


def _move(call: Call, transition: Callable[[Pool, int], Pool]) -> Answer:
    pool = find(call)
    call.match(pool)
    call.core.store.save(pool, transition(pool, call.core.clock.now()))
    call.core.look_at_pool(pool.key)
    return accepted(call)


def node_counts(call: Call) -> Answer:
    """Count each pool's nodes by kind and state."""
    expression = listing.parse_filter(call, filters.NODE_COUNTS)
    wanted, values = expression.sql({"poolId": "id"}) if expression else ("1", [])
    most = listing.page_size(call)
    found = call.core.store.page(Pool, wanted, values, listing.skipped(call), most + 1)
    page = found[:most]
    counts = [_count(call, pool) for pool in page]
    return listing.envelope(call, counts, "poolnodecounts", str(page[-1].key) if len(found) > most else None)


_NODE_STATES: Sequence[str] = (
    "creating",
    "deallocated",
    "deallocating",
    "idle",
    "leavingPool",
    "offline",
    "preempted",
    "rebooting",
    "reimaging",
    "running",
    "startTaskFailed",
    "starting",
    "unknown",
    "unusable",
    "upgradingOS",
    "waitingForStartTask",
)


def _count(call: Call, pool: Pool) -> dict[str, object]:
    rows = call.core.store.tally(Node, "dedicated, state", "pool = ?", [pool.key])
    counts: dict[str, object] = {"poolId": pool.id}
    for name, kind in (("dedicated", 1), ("lowPriority", 0)):
        by_state = {state: count for dedicated, state, count in rows if dedicated == kind}
        counts[name] = {
            **{state: by_state.get(state.lower(), 0) for state in _NODE_STATES},
            "total": sum(by_state.values()),
        }
    return counts
