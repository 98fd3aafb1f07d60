"""Operations on nodes."""

from fastbatch.local import filters
from fastbatch.local.errors import Refused
from fastbatch.local.operations import listing, pools
from fastbatch.local.operations.call import Answer, Call
from fastbatch.local.operations.listing import Listing
from fastbatch.local.records import Node, Pool
from fastbatch.local.views import NODE, Context, render, selection

_NODES = Listing(
    Node,
    NODE,
    "nodes",
    filters.NODES,
    {
        "state": "state",
        "stateTransitionTime": "state_time",
        "lastBootTime": "booted",
        "allocationTime": "allocated",
        "startTaskInfo/state": "json_extract(start_info, '$.state')",
        "startTaskInfo/result": "json_extract(start_info, '$.result')",
        "startTaskInfo/exitCode": "json_extract(start_info, '$.exitCode')",
        "startTaskInfo/startTime": "json_extract(start_info, '$.startTime')",
        "startTaskInfo/endTime": "json_extract(start_info, '$.endTime')",
    },
)


def list_all(call: Call) -> Answer:
    """List a pool's nodes."""
    pool = pools.find(call)
    return listing.answer(
        call, _NODES, lambda page, _: [_context(call, pool, node) for node in page], "pool = ?", [pool.key]
    )


def get(call: Call) -> Answer:
    """Show a node."""
    pool = pools.find(call)
    node = call.core.store.find(Node, call.ids["node"], pool=pool.key)
    if node is None:
        raise Refused("NodeNotFound", f"There is no node {call.ids['node']} in the pool {pool.id}.")
    select = selection(NODE, call.query.get("$select"))
    return Answer(body=render(NODE, node, _context(call, pool, node), select), metadata="nodes/@Element")


def _context(call: Call, pool: Pool, node: Node) -> Context:
    context = call.context(pool.id, pool.body)
    context.load = call.core.runs.load(node.key)
    return context
