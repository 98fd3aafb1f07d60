"""Operations on nodes."""

import json
from collections.abc import Callable, Mapping, Sequence

from fastbatch.local import filters
from fastbatch.local.errors import Refused
from fastbatch.local.operations import listing, pools
from fastbatch.local.operations.call import Answer, Call, accepted
from fastbatch.local.operations.listing import Listing
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.service import rebooting, tasking
from fastbatch.local.states import nodes
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


def find(call: Call) -> tuple[Pool, Node]:
    """Give the node that a call is about, and its pool."""
    pool = pools.find(call)
    node = call.core.store.find(Node, call.ids["node"], pool=pool.key)
    if node is None:
        raise Refused("NodeNotFound", f"There is no node {call.ids['node']} in the pool {pool.id}.")
    return pool, node


def list_all(call: Call) -> Answer:
    """List a pool's nodes."""
    pool = pools.find(call)
    return listing.answer(
        call, _NODES, lambda page, select: _contexts(call, pool, page, select), "pool = ?", [pool.key]
    )


def get(call: Call) -> Answer:
    """Show a node."""
    pool, node = find(call)
    select = selection(NODE, call.query.get("$select"))
    (context,) = _contexts(call, pool, [node], select)
    return Answer(body=render(NODE, node, context, select), metadata="nodes/@Element")


def _contexts(call: Call, pool: Pool, page: Sequence[Node], select: Sequence[str] | None) -> Sequence[Context]:
    recent = _recent(call, page) if select is None or "recentTasks" in select else {}
    return [_context(call, pool, node, recent.get(node.key, ())) for node in page]


def _context(call: Call, pool: Pool, node: Node, recent: Sequence[tuple[str, Task]]) -> Context:
    context = call.context(pool.id, pool.body)
    context.load = call.core.runs.load(node.key)
    context.recent = recent
    return context


def _recent(call: Call, page: Sequence[Node]) -> Mapping[int, Sequence[tuple[str, Task]]]:
    """Give the last tasks of each node, as far as they are there still."""
    keys = {node.key: json.loads(node.recent) for node in page}
    tasks = call.core.store.by_keys(Task, {key for some in keys.values() for key in some})
    jobs = call.core.store.by_keys(Job, {task.job for task in tasks.values()})
    shown = {key: (jobs[task.job].id, task) for key, task in tasks.items()}
    return {node: [shown[key] for key in some if key in shown] for node, some in keys.items()}


def reboot(call: Call) -> Answer:
    """Let a node boot anew; it keeps its files."""
    return _go_down(call, nodes.rebooting, "nodeRebootOption")


def reimage(call: Call) -> Answer:
    """Let a node boot anew, without its files; the documents promise that for nodes of cloud services only."""
    return _go_down(call, nodes.reimaging, "nodeReimageOption")


def _go_down(call: Call, transition: Callable[[Node, str, int], Node], option: str) -> Answer:
    _, node = find(call)
    rebooting.go_down(call.core, node, transition(node, call.body.get(option, "requeue"), call.core.clock.now()))
    return accepted(call)


def disable_scheduling(call: Call) -> Answer:
    """Let a node take no more tasks; those that it has are requeued, terminated or waited for."""
    _, node = find(call)
    call.core.store.save(node, nodes.disabled(node, call.core.clock.now()))
    runs = {run for run in call.core.runs.on_node(node.key) if run.task is not None and not run.lost}
    tasking.vacate(call.core, runs, call.body.get("nodeDisableSchedulingOption", "requeue"))
    return accepted(call, 200)


def enable_scheduling(call: Call) -> Answer:
    """Let a node take tasks again."""
    _, node = find(call)
    call.core.store.save(node, nodes.enabled(node, call.core.clock.now()))
    call.core.look_at_pool(node.pool)
    return accepted(call, 200)
