"""Nodes on their way down and up again: rebooted, reimaged, or taken away and given back."""

from functools import partial

from fastbatch.local.records import Node, Pool, Task
from fastbatch.local.service import allocating, preparing, tasking
from fastbatch.local.service.core import Core
from fastbatch.local.states import nodes, tasks
from fastbatch.local.store import AWAY


def go_down(core: Core, before: Node, node: Node) -> None:
    """Let what runs on a node end, its start task too, so that it can go down; its tasks as `deallocation` says."""
    core.store.save(before, node)
    tasking.vacate(core, core.runs.on_node(node.key), node.deallocation)
    core.look_at_pool(node.pool)


def advance(core: Core, pool: Pool) -> None:
    """Bring the nodes further that are on their way, where nothing holds them."""
    for node in list(core.store.select(Node, f"pool = ? AND {AWAY}", [pool.key], "key")):
        if node.state != "starting":
            _clear_when_free(core, node)
        elif node.booted is None:
            allocating.expect(core, node)
        elif all(run.is_start for run in core.runs.on_node(node.key)):
            core.store.save(node, nodes.returned(node, core.clock.now()))


def _clear_when_free(core: Core, node: Node) -> None:
    is_cleared = node.state == "preempted" and node.booted is None
    preparing.dismiss(core, node)
    if not is_cleared and allocating.is_free(core, node):
        core.remove_once(node, partial(_clear, core, node))


async def _clear(core: Core, before: Node) -> None:
    if before.state == "rebooting":
        await core.agent.restart(before)
    else:
        await core.agent.remove(before)
    with core.store.transaction():
        node = core.store.get(Node, before.key)
        if node is not None and node.state == before.state:  # or it leaves, or was taken away meanwhile
            _clean(core, node)
    core.look_at_pool(before.pool)


def _clean(core: Core, before: Node) -> None:
    """Write down what a node has lost with its processes; if it is to boot, it can now."""
    if before.state != "rebooting":
        _forget_files(core, before)
    preparing.forget(core, before, rebooted=before.state == "rebooting")
    core.store.save(before, nodes.cleared(before, core.clock.now()))


def _forget_files(core: Core, node: Node) -> None:
    for task in list(core.store.select(Task, "node_id = ? AND files_until IS NOT NULL", [node.id])):
        core.store.save(task, tasks.without_files(task))
