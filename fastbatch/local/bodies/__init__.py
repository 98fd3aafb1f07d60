"""The bodies of requests: every field that this service takes, and those that it refuses by name."""

from fastbatch.local.bodies.control import CLOCK, LIMITS
from fastbatch.local.bodies.jobs import JOB, JOB_DISABLE, JOB_PATCH, JOB_TERMINATE, JOB_UPDATE
from fastbatch.local.bodies.pools import (
    DISABLE_SCHEDULING,
    POOL,
    POOL_PATCH,
    POOL_PROPERTIES,
    REBOOT,
    REIMAGE,
    REMOVE_NODES,
    RESIZE,
)
from fastbatch.local.bodies.tasks import TASK, TASK_COLLECTION, TASK_UPDATE

__all__ = [
    "CLOCK",
    "DISABLE_SCHEDULING",
    "JOB",
    "JOB_DISABLE",
    "JOB_PATCH",
    "JOB_TERMINATE",
    "JOB_UPDATE",
    "LIMITS",
    "POOL",
    "POOL_PATCH",
    "POOL_PROPERTIES",
    "REBOOT",
    "REIMAGE",
    "REMOVE_NODES",
    "RESIZE",
    "TASK",
    "TASK_COLLECTION",
    "TASK_UPDATE",
]
