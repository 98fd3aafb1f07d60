"""The environment of a task: what the service promises, what job and task add, and nothing of this machine's."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastbatch.local.agent import folders

_DISK_RESERVE = 1 << 30
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

NODE_MARK = "AZ_BATCH_NODE_ROOT_DIR"  # every process of a node has it, and so is known for one
TASK_MARK = "AZ_BATCH_TASK_DIR"  # and every process of a task this


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program runs: the account, the pool and the node, by the names that the program is told."""

    account: str
    url: str
    pool_id: str
    node_id: str
    dedicated: bool


def of_node(place: Place, node: folders.Node, task: folders.Task) -> dict[str, str]:
    """Give the environment of any program on a node; the Python that runs this is found first."""
    return {
        "AZ_BATCH_ACCOUNT_NAME": place.account,
        "AZ_BATCH_ACCOUNT_URL": place.url,
        "AZ_BATCH_CERTIFICATES_DIR": task.certificates,
        "AZ_BATCH_NODE_ID": place.node_id,
        "AZ_BATCH_NODE_IS_DEDICATED": str(place.dedicated).lower(),
        "AZ_BATCH_NODE_MOUNTS_DIR": node.mounts,
        NODE_MARK: node.root,
        "AZ_BATCH_NODE_SHARED_DIR": node.shared,
        "AZ_BATCH_NODE_STARTUP_DIR": node.startup.path,
        "AZ_BATCH_POOL_ID": place.pool_id,
        TASK_MARK: task.path,
        "AZ_BATCH_TASK_RESERVED_EPHEMERAL_DISK_SPACE_BYTES": str(_DISK_RESERVE),
        "AZ_BATCH_TASK_USER": "_azbatch",
        "AZ_BATCH_TASK_WORKING_DIR": task.working,
        "HOME": task.working,
        "PATH": f"{os.path.dirname(sys.executable)}:{_SYSTEM_PATH}:{node.shared}:{task.working}",
        "PWD": task.working,
        "USER": "_azbatch",
    }


def of_task(job_id: str, task_id: str, elevation: str) -> dict[str, str]:
    """Give what a job's task has besides."""
    return {
        "AZ_BATCH_JOB_ID": job_id,
        "AZ_BATCH_TASK_ID": task_id,
        "AZ_BATCH_TASK_USER_IDENTITY": "PoolAdmin" if elevation == "admin" else "PoolNonAdmin",
    }


def of_prepared(task: folders.Task, preparation_id: str) -> dict[str, str]:
    """Give what a task, or the release, has besides if its job has a preparation; that one itself has it not."""
    preparation = folders.Task(os.path.join(os.path.dirname(task.path), preparation_id))
    return {"AZ_BATCH_JOB_PREP_DIR": preparation.path, "AZ_BATCH_JOB_PREP_WORKING_DIR": preparation.working}


def complete(own: Mapping[str, str], *given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Add environmentSettings, of which the later ones count; the marks stay, or processes would go unseen."""
    variables = dict(own)
    for settings in given:
        variables.update((setting["name"], setting.get("value", "")) for setting in settings)
    return variables | {mark: own[mark] for mark in (NODE_MARK, TASK_MARK)}
