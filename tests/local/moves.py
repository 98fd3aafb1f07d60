"""Moving pools and jobs from state to state, with pollers that look often, and waiting until they are there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.local.instances import eventually, new_name

SOON = 0.02  # seconds between two looks of a poller
LONG = "sleep 60"


def on_wire(model: Any) -> dict[str, Any]:
    """Give what a client was shown as it is on the wire, without the metadata of the protocol."""
    return {name: value for name, value in model.as_dict().items() if not name.startswith("odata.")}


def finish(poller: Any) -> None:
    """Wait for a poller to end, and to end well: one that has failed raises nothing."""
    poller.result()
    assert poller.status() == "Succeeded"


def add(client: Any, job: str, task: str, command: str = "true", **more: Any) -> None:
    """Add a task."""
    client.create_task(job, {"id": task, "commandLine": command, **more})


def gate(folder: Path) -> tuple[str, Callable[[], None]]:
    """Give a command that goes on until it is let."""
    file = folder / new_name("gate")
    return f"/bin/sh -c 'until [ -e {file} ]; do sleep 0.02; done'", file.touch


def states(client: Any, job: str) -> dict[str, str]:
    """Give the states of a job's tasks."""
    return {task.id: task.state for task in client.list_tasks(job)}


def reach_tasks(client: Any, job: str, **wanted: str) -> None:
    """Wait until a job's tasks are in certain states."""
    eventually(lambda: states(client, job), lambda found: found == wanted)


def reach_task(client: Any, job: str, task: str, state: str) -> Any:
    """Wait until a task is in a state."""
    return eventually(lambda: client.get_task(job, task), lambda found: found.state == state)


def reach_job(client: Any, job: str, state: str) -> dict[str, Any]:
    """Wait until a job is in a state."""
    return eventually(lambda: on_wire(client.get_job(job)), lambda found: found["state"] == state)


def disable(client: Any, job: str, how: str) -> None:
    """Disable a job, and wait until it is so."""
    finish(client.begin_disable_job(job, {"disableTasks": how}, polling_interval=SOON))


def enable(client: Any, job: str) -> None:
    """Enable a job, and wait until it is so."""
    finish(client.begin_enable_job(job, polling_interval=SOON))


def terminate(client: Any, job: str, reason: str = "Enough") -> None:
    """Terminate a job, and wait until it has ended."""
    finish(client.begin_terminate_job(job, options={"terminateReason": reason}, polling_interval=SOON))


def delete_job(client: Any, job: str) -> None:
    """Delete a job, and wait until it is gone."""
    finish(client.begin_delete_job(job, polling_interval=SOON))


def reach_steady(client: Any, pool: str) -> dict[str, Any]:
    """Wait until a pool is steady."""
    return eventually(lambda: on_wire(client.get_pool(pool)), lambda found: found["allocationState"] == "steady")


def resize_errors(client: Any, pool: str) -> list[str]:
    """Wait until a pool is steady, and give the codes of what went wrong."""
    return [error["code"] for error in reach_steady(client, pool).get("resizeErrors", [])]


def node_states(client: Any, pool: str) -> list[str]:
    """Give the states of a pool's nodes, in the order in which they came."""
    return [node.state for node in client.list_nodes(pool)]


def resize(client: Any, pool: str, nodes: int, **more: Any) -> Any:
    """Resize a pool; give the poller."""
    return client.begin_resize_pool(pool, {"targetDedicatedNodes": nodes, **more}, polling_interval=SOON)


def delete_pool(client: Any, pool: str) -> None:
    """Delete a pool, and wait until it is gone."""
    finish(client.begin_delete_pool(pool, polling_interval=SOON))
