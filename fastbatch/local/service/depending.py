"""Tasks that depend on others: refused where the job has no dependencies, held back, and let go."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastbatch.local.errors import Refused
from fastbatch.local.records import Job, Task
from fastbatch.local.service.core import Core
from fastbatch.local.states import exits


def refuse_unexpected(job: Job, body: Mapping[str, Any]) -> None:
    """Refuse a task that depends on others, in a job that was not made for that."""
    if not job.uses_dependencies and any(body.get("dependsOn", {}).values()):
        raise Refused(
            "TaskDependenciesNotSpecifiedOnJob",
            f"The job {job.id} has no dependencies; make one whose usesTaskDependencies is true.",
            {"PropertyName": "dependsOn"},
        )


def hold(core: Core, job: Job, added: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Hold back those of some new tasks, given by their keys and bodies, that depend on what isn't satisfied yet."""
    for key, body in added:
        if "dependsOn" in body:
            ranges = [(each["start"], each["end"]) for each in body["dependsOn"].get("taskIdRanges", [])]
            core.store.dependencies.hold(job.key, key, body["dependsOn"].get("taskIds", []), ranges)


def let_go(core: Core, job: Job, body: Mapping[str, Any], completed: Task) -> None:
    """Let those go that have waited for a task, if its end satisfies them."""
    if job.uses_dependencies and exits.satisfies(body, completed):
        core.store.dependencies.satisfy(job.key, completed.id)
