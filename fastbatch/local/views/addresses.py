"""Where things are: the addresses of records and of what they have on nodes."""

from collections.abc import Callable, Mapping
from typing import Any

from fastbatch.local.records import Errand, Job, Node, Pool, Task
from fastbatch.local.views.showing import Context


def pool_url(pool: Pool, context: Context) -> str:
    """Give the address of a pool."""
    return f"{context.url}/pools/{pool.id}"


def node_url(node: Node, context: Context) -> str:
    """Give the address of a node."""
    return f"{context.url}/pools/{context.parent}/nodes/{node.id}"


def job_url(job: Job, context: Context) -> str:
    """Give the address of a job."""
    return f"{context.url}/jobs/{job.id}"


def task_url(task: Task, context: Context) -> str:
    """Give the address of a task."""
    return f"{context.url}/jobs/{context.parent}/tasks/{task.id}"


def url_of_its_node(on_node: Task | Errand, context: Context) -> str:
    """Give the address of the node that something ran on."""
    return f"{context.url}/pools/{on_node.pool_id}/nodes/{on_node.node_id}"


def folder(on_node: Task | Errand, context: Context) -> dict[str, str]:
    """Show where on its node something has its files."""
    path = f"workitems/{context.parent}/job-1/{on_node.id}"
    url = f"{url_of_its_node(on_node, context)}/files/{path}"
    return {"taskRootDirectory": path, "taskRootDirectoryUrl": url}


_URLS: Mapping[type[Any], Callable[[Any, Context], str]] = {Pool: pool_url, Job: job_url, Task: task_url}


def location(record: Pool | Job | Task, context: Context) -> str:
    """Give the address of a pool, job or task."""
    return _URLS[type(record)](record, context)
