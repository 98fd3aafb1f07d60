"""Jobs: made, seen, changed, halted, and ended."""

import contextlib
from collections.abc import Callable
from typing import Any

from tests.clients.playing import Player, Refused


def _body(job: str, **more: Any) -> dict[str, Any]:
    return {"id": job, "poolInfo": {"poolId": job}, **more}


def make(player: Player, job: str) -> None:
    """Make a job, named as its pool is, look at it in every way, and change it."""

    def is_now(name: str, value: Any) -> Callable[[Any], bool]:
        return lambda _: player.ask("get_job", job)[name] == value

    player.tries("create_job", body=_body(job, priority=1), seen=is_now("state", "active"))
    player.tries("create_job", body=_body(job), refused_with="JobExists")
    player.tries("get_job", job, seen=lambda shown: shown["poolInfo"]["poolId"] == job)
    player.tries("get_job", job, select=["id"], seen=lambda shown: "state" not in shown)
    player.tries("get_job", f"{job}-none", refused_with="JobNotFound")
    wanted = f"id eq '{job}'"
    player.tries("list_jobs", filter=wanted, select=["id"], seen=lambda jobs: jobs == [{"id": job}])
    player.tries("list_jobs", max_results=1, seen=lambda jobs: job in {each["id"] for each in jobs})
    player.tries("list_jobs", filter="colour eq 'red'", refused_with="InvalidQueryParameterValue")
    player.tries("update_job", job, body={"priority": 7}, seen=is_now("priority", 7))
    player.tries("update_job", job, body={"priority": 8}, if_match="0x0", refused_with="ConditionNotMet")
    etag = player.ask("get_job", job)["eTag"]
    player.tries("update_job", job, body={"priority": 9}, if_match=etag, seen=is_now("priority", 9))
    player.tries("replace_job", job, body={"poolInfo": {"poolId": job}}, seen=is_now("priority", 0))
    player.tries("begin_disable_job", job, body={"disableTasks": "requeue"}, seen=is_now("state", "disabled"))
    player.tries("begin_enable_job", job, seen=is_now("state", "active"))


def end(player: Player, job: str) -> None:
    """End a job, with a reason; and look at what ran before and after a job."""
    player.tries(
        "begin_terminate_job",
        job,
        body={"terminateReason": "enough"},
        seen=lambda _: player.ask("get_job", job)["executionInfo"].get("terminateReason") == "enough",
    )
    player.tries("begin_terminate_job", f"{job}-none", body={"terminateReason": "x"}, refused_with="JobNotFound")
    _prepared(player, job)
    player.tries("begin_delete_job", job, seen=lambda _: player.gone("get_job", job))


def _prepared(player: Player, pool: str) -> None:
    job = f"{pool}-prepared"
    with contextlib.suppress(Refused):
        body = {"id": job, "poolInfo": {"poolId": pool}, "jobPreparationTask": {"commandLine": "true"}}
        player.ask("create_job", body=body)
        player.ask("create_task", job, body={"id": "t", "commandLine": "true"})
        player.until(lambda: player.ask("get_task", job, "t")["state"] == "completed")
    player.tries(
        "list_job_preparation_and_release_task_status",
        job,
        seen=lambda nodes: [node["jobPreparationTaskExecutionInfo"]["result"] for node in nodes] == ["success"],
    )
    with contextlib.suppress(Refused):
        player.ask("begin_delete_job", job, wait=False)
