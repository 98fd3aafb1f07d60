"""
What the service knows of pools, nodes, jobs, tasks and errands: frozen records, each a row of the store.

What a client gave is kept as JSON text in `body` (a task's apart, as a Specification: it is large and never read when
tasks are listed or scheduled). Times are microseconds (see wire). Keys are the store's; ids are the clients'.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool, and how many nodes of each kind (dedicated, low priority) it is to have."""

    key: int
    id: str
    body: str
    slots: int
    created: int
    modified: int
    state: str  # active, deleting
    state_time: int
    allocation: str  # steady, resizing, stopping
    allocation_time: int
    dedicated: int = 0
    low_priority: int = 0
    deallocation: str = "requeue"
    resize_deadline: int | None = None
    resize_errors: str = "[]"


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its place in its life, and the start task that it was made with."""

    key: int
    pool: int
    id: str
    dedicated: bool
    allocated: int
    # creating, starting, waitingforstarttask, starttaskfailed, idle, running, offline, unusable, leavingpool;
    # rebooting, reimaging, preempted, and unknown where nobody can tell.
    state: str
    state_time: int
    scheduling: str = "enabled"  # or disabled: it takes no tasks
    booted: int | None = None  # None where nothing is left of what was up
    deallocation: str = "requeue"  # what happens to its tasks when it leaves or boots anew
    start_task: str | None = None
    start_info: str | None = None
    process: str | None = None  # the start task's
    errors: str | None = None
    tasks_run: int = 0
    tasks_succeeded: int = 0
    recent: str = "[]"  # the keys of the tasks that last began or ended on it, the last one first
    lost: str = "[]"  # the processes that it was lost with, which are no task's or errand's any more


@dataclass(frozen=True, slots=True)
class Job:
    """A job, and the pool that its tasks run on."""

    key: int
    id: str
    body: str
    pool_id: str
    priority: int
    most_parallel: int
    created: int
    modified: int
    state: str  # active, disabling, disabled, terminating, completed, deleting
    state_time: int
    started: int
    deadline: int | None = None
    on_all_complete: str = "noaction"
    on_task_failure: str = "noaction"
    uses_dependencies: bool = False
    prepares: bool = False  # each node, before its first task there
    previous_state: str | None = None
    previous_time: int | None = None
    ended: int | None = None
    terminate_reason: str | None = None
    disable_tasks: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task: where it is in its life, and how its last run went."""

    key: int
    job: int
    id: str
    slots: int
    retries_allowed: int
    affinity: str | None
    created: int
    modified: int
    state: str  # active, preparing, running, completed
    state_time: int
    previous_state: str | None = None
    previous_time: int | None = None
    retries: int = 0
    retried: int | None = None
    requeues: int = 0
    requeued: int | None = None
    started: int | None = None
    ended: int | None = None
    exit_code: int | None = None
    result: str | None = None
    failure: str | None = None
    pool_id: str | None = None
    node_id: str | None = None
    process: str | None = None
    files_until: int | None = None  # when the files of a completed task may go
    files_gone: bool = False
    blocked: bool = False  # it depends on what is not satisfied


@dataclass(frozen=True, slots=True)
class Specification:
    """What a client asked of a task, as JSON text."""

    task: int
    body: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What a node does for a job beside its tasks; it is known of as long as the job is, and not only the node."""

    key: int
    job: int
    node: int
    kind: str  # preparation, release
    id: str
    pool_id: str
    node_id: str
    info: str  # how it goes
    process: str | None = None
    bars: bool = False  # the job's tasks from the node, as their preparation failed
    is_due: bool = False  # once more, when its turn comes
    files_until: int | None = None  # when its files may go


Record = Pool | Node | Job | Task | Errand
