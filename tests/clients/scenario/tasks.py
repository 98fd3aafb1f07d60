"""Tasks: added, seen, changed, ended, and run again."""

from collections.abc import Callable
from typing import Any

from tests.clients.playing import Player

_SAYS_HELLO = "/bin/sh -c 'echo hello; mkdir sub; echo inner > sub/a.txt'"
_FAILS_ONCE = "/bin/sh -c 'mkdir $AZ_BATCH_NODE_SHARED_DIR/{job} && exit 3 || exit 0'"


def make(player: Player, job: str) -> None:
    """Add tasks, one by one and together, and look at them in every way."""
    hello = {"id": "hello", "commandLine": _SAYS_HELLO}
    player.tries("create_task", job, body=hello, seen=_completed(player, job, "hello", "success"))
    player.tries("create_task", job, body=hello, refused_with="TaskExists")
    several = [{"id": f"many-{number}", "commandLine": "true"} for number in range(3)]
    fails = {"id": "fails", "commandLine": _FAILS_ONCE.format(job=job)}
    player.tries(
        "create_task_collection",
        job,
        body={"value": [*several, fails]},
        seen=lambda verdicts: [each["status"].lower() for each in verdicts] == ["success"] * 4,
    )
    player.until(lambda: _completed(player, job, "fails", "failure")(None))
    player.until(lambda: all(task["state"] == "completed" for task in player.ask("list_tasks", job)))
    _look(player, job)


def _look(player: Player, job: str) -> None:
    player.tries("get_task", job, "hello", seen=lambda shown: shown["executionInfo"]["exitCode"] == 0)
    player.tries("get_task", job, "hello", select=["id"], seen=lambda shown: "state" not in shown)
    player.tries("get_task", job, "none", refused_with="TaskNotFound")
    wanted = "state eq 'completed' and executionInfo/exitCode eq 3"
    player.tries(
        "list_tasks", job, filter=wanted, select=["id"], seen=lambda tasks: [each["id"] for each in tasks] == ["fails"]
    )
    player.tries("list_tasks", job, max_results=2, seen=lambda tasks: len(tasks) == 5)
    player.tries(
        "get_job_task_counts",
        job,
        seen=lambda counts: [counts["taskCounts"][each] for each in ("completed", "succeeded", "failed")] == [5, 4, 1],
    )
    player.tries("list_subtasks", job, "hello", seen=lambda subtasks: isinstance(subtasks, list))


def change(player: Player, job: str) -> None:
    """Change tasks, end one, run one again, and remove one."""
    player.ask("create_task", job, body={"id": "sleeps", "commandLine": "sleep 100"})
    player.tries(
        "replace_task",
        job,
        "sleeps",
        body={"constraints": {"maxTaskRetryCount": 2}},
        seen=lambda _: player.ask("get_task", job, "sleeps")["constraints"]["maxTaskRetryCount"] == 2,
    )
    player.tries("terminate_task", job, "sleeps", seen=_completed(player, job, "sleeps", "failure"))
    player.tries("terminate_task", job, "sleeps", refused_with="TaskCompleted")
    player.tries("reactivate_task", job, "fails", seen=_completed(player, job, "fails", "success"))
    player.tries("delete_task", job, "many-0", seen=lambda _: player.gone("get_task", job, "many-0"))


def _completed(player: Player, job: str, task: str, result: str) -> Callable[[Any], bool]:
    def holds(_: Any) -> bool:
        shown = player.ask("get_task", job, task)
        return (shown["state"], shown["executionInfo"].get("result")) == ("completed", result)

    return holds
