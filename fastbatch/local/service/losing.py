"""
Nodes that get lost or are taken away, and come back.

The tasks of a lost node wait for another at once, while their processes go on where nobody reaches them: their runs
are given up, and what they come to is of no interest, though they may still write to the storage.
"""

from functools import partial

from fastbatch.local.errors import Refused
from fastbatch.local.records import Node, Task
from fastbatch.local.service import preparing, rebooting, tasking
from fastbatch.local.service.core import Core
from fastbatch.local.states import nodes, tasks


def lose(core: Core, node: Node) -> None:
    """Lose the contact to a node."""
    with core.store.transaction():
        before = _current(core, node)
        running = list(core.store.select(Task, f"state IN {tasks.ON_NODE} AND node_id = ?", [node.id]))
        processes = [*preparing.lose(core, before), *(task.process for task in running if task.process)]
        core.store.save(before, nodes.lost(before, processes, core.clock.now()))
        for task in running:
            core.store.save(task, tasks.requeued(task, core.clock.now()))
    core.after(partial(_give_up, core, node.key))


def _give_up(core: Core, key: int) -> None:
    """Let the tasks of a lost node run elsewhere, if it was written down that it is lost."""
    node = core.store.get(Node, key)
    if node is None or node.state != "unknown":
        return
    for run in core.runs.on_node(key):
        given = run.task or run.errand
        if given is not None and not run.lost:
            core.runs.give_up(run)
            core.look_at_job(given.job)
    core.look_at_pool(node.pool)


def preempt(core: Core, node: Node) -> None:
    """Take a node away, with all that runs there; its tasks wait for another when nothing is left of them."""
    with core.store.transaction():
        before = _current(core, node)
        rebooting.go_down(core, before, nodes.preempted(before, core.clock.now()))


def bring_back(core: Core, node: Node) -> None:
    """Have a node again that was lost or taken away."""
    with core.store.transaction():
        before = _current(core, node)
        core.store.save(before, nodes.returning(before, core.clock.now()))
        tasking.stop_runs(core, {run for run in core.runs.on_node(node.key) if not run.is_start})
    core.look_at_pool(node.pool)


def _current(core: Core, node: Node) -> Node:
    current = core.store.get(Node, node.key)
    if current is None:
        raise Refused("NodeNotFound", f"The node {node.id} is not there any more.")
    return current
