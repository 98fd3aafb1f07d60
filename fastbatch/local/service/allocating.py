"""The nodes of a pool: ordered, booted, prepared by the start task, let go, and removed with their files."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastbatch.local.records import Errand, Node, Pool, Task
from fastbatch.local.service import preparing, tasking
from fastbatch.local.service.core import Core
from fastbatch.local.service.runs import Run, Running
from fastbatch.local.states import nodes, pools
from fastbatch.local.states.outcomes import Outcome


def allocate(core: Core, pool: Pool) -> None:
    """Bring a pool nearer to the nodes that it is to have."""
    if pool.allocation == "steady":
        return
    now = core.clock.now()
    over = pool.allocation == "stopping" or pools.late(pool, now)
    if over:
        _call_off(core, _nodes(core, pool))
    else:
        _approach(core, pool)
    settled = core.store.save(pool, pools.settled(pool, _nodes(core, pool), now))
    if over or settled.allocation == "steady" or settled.resize_deadline is None:
        core.never("resize", pool.key)
    else:
        core.at("resize", pool.key, settled.resize_deadline, partial(core.look_at_pool, pool.key))
    if settled.state == "deleting" and not _nodes(core, pool):
        core.store.remove(settled)


def _nodes(core: Core, pool: Pool) -> list[Node]:
    return list(core.store.select(Node, "pool = ?", [pool.key], "key"))


def _approach(core: Core, pool: Pool) -> None:
    room = core.limits.node_quota - core.store.count(Node)
    plan = pools.allocation(pool, _nodes(core, pool), room)
    for dedicated in plan.make:
        _order(core, pool, dedicated=dedicated)
    let_go(core, pool, plan.let_go)
    for node in core.store.select(Node, "pool = ? AND state = 'leavingpool'", [pool.key]):
        _remove_when_free(core, node)


def _call_off(core: Core, there: Sequence[Node]) -> None:
    """Order no more nodes, and keep those that have not left yet."""
    for node in there:
        if node.state == "creating":
            _forget(core, node)
        elif node.state == "leavingpool" and not core.is_removing(node):
            empty = not any(core.runs.tasks_on(node.key))
            core.store.save(node, nodes.staying(node, core.clock.now(), empty=empty))


def _order(core: Core, pool: Pool, *, dedicated: bool) -> None:
    name = core.agent.new_node_id(dedicated=dedicated)
    expect(core, core.store.add(nodes.new(pool, name, core.clock.now(), dedicated=dedicated)))


def expect(core: Core, node: Node) -> None:
    """See to it that a node boots when its time has come."""
    if core.limits.boot_time:
        core.at("boot", node.key, node.state_time + core.limits.boot_time, partial(_boot_later, core, node.key))
    else:
        boot(core, node)


def _boot_later(core: Core, key: int) -> None:
    node = core.store.get(Node, key)
    if node is not None and node.state in {"creating", "starting"} and node.booted is None:
        boot(core, node)
        core.look_at_pool(node.pool)


def boot(core: Core, node: Node) -> None:
    """Let a node come up: with all its folders, and its start task if the pool has one."""
    pool = core.store.get(Pool, node.pool)
    assert pool  # noqa: S101 - a pool goes after its nodes
    try:
        core.agent.prepare(node)
    except OSError as error:
        core.store.save(node, nodes.unusable(node, str(error), core.clock.now()))
        return
    booted = core.store.save(node, nodes.booted(node, pool, core.clock.now()))
    if booted.start_task is not None:
        _start(core, pool, booted)


def _start(core: Core, pool: Pool, node: Node) -> None:
    run = Run(node)
    core.runs.reserve(run)
    note = partial(core.note_process, run)
    start_task = json.loads(node.start_task or "{}")

    def do(body: Mapping[str, Any]) -> Running:
        return core.agent.run_start_task(pool, node, body, note)

    core.after(lambda: core.runs.begin(run, core.running(run, start_task, do)))


def conclude_start(core: Core, run: Run, outcome: Outcome | None) -> None:
    """Write down how a start task went, and run it again where it may; one that was stopped has no outcome."""
    node = core.store.get(Node, run.node.key)
    pool = core.store.get(Pool, run.node.pool)
    if node is None or pool is None:
        return
    if node.state in {*nodes.UP, "unknown", "starting"}:  # else it was stopped, and is to begin anew or no more
        _go_on(core, pool, node, outcome)
    core.pools.add(pool.key)


def _go_on(core: Core, pool: Pool, node: Node, outcome: Outcome | None) -> None:
    again = outcome is None  # it was stopped as its node was to leave, which has been called off since
    if outcome is not None:
        after, again = nodes.started(node, outcome, core.clock.now())
        node = core.store.save(node, after)
    if again:
        _start(core, pool, node)


def let_go(core: Core, pool: Pool, leaving: Sequence[Node]) -> None:
    """Take nodes out of a pool; what happens to their tasks the pool says."""
    for node in leaving:
        if node.state == "creating":
            _forget(core, node)
            continue
        core.store.save(node, nodes.leaving(node, pool.deallocation, core.clock.now()))
        tasking.vacate(core, core.runs.on_node(node.key), pool.deallocation)


def is_free(core: Core, node: Node) -> bool:
    """Tell whether nothing runs on a node any more, nor is kept there for its time where that is waited for."""
    kept = node.deallocation == "retaineddata" and _has_files(core, node)
    return not (kept or core.runs.on_node(node.key))


def _remove_when_free(core: Core, node: Node) -> None:
    preparing.dismiss(core, node)
    if is_free(core, node):
        core.remove_once(node, partial(_remove, core, node))


def _has_files(core: Core, node: Node) -> bool:
    """Tell whether the time of any files on a node is not over."""
    of_tasks = core.store.any(Task, "node_id = ? AND files_until IS NOT NULL", [node.id])
    return of_tasks or core.store.any(Errand, "node = ? AND files_until IS NOT NULL", [node.key])


async def _remove(core: Core, node: Node) -> None:
    await core.agent.remove(node)
    _forget(core, node)
    core.look_at_pool(node.pool)


def _forget(core: Core, node: Node) -> None:
    core.never("boot", node.key)
    core.store.remove(node)
