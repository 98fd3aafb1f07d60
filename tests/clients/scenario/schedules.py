"""Job schedules: made, seen, changed, halted, and gone."""

from collections.abc import Callable
from typing import Any

from tests.clients.playing import Player


def play(player: Player, pool: str) -> None:
    """Have a schedule that makes a job at once."""
    schedule = f"{pool}-daily"
    spoken = {"schedule": {"recurrenceInterval": "P1D"}, "jobSpecification": {"poolInfo": {"poolId": pool}}}

    def is_now(name: str, value: Any) -> Callable[[Any], bool]:
        return lambda _: player.ask("get_job_schedule", schedule)[name] == value

    player.tries("create_job_schedule", body={"id": schedule, **spoken}, seen=is_now("state", "active"))
    player.tries("job_schedule_exists", schedule, seen=lambda exists: exists is True)
    player.tries("get_job_schedule", schedule, seen=lambda shown: shown["id"] == schedule)
    player.tries("list_job_schedules", select=["id"], seen=lambda schedules: {"id": schedule} in schedules)
    player.tries("list_jobs_from_schedule", schedule, seen=lambda jobs: len(jobs) == 1)
    player.tries(
        "update_job_schedule",
        schedule,
        body={"metadata": [{"name": "a", "value": "b"}]},
        seen=is_now("metadata", [{"name": "a", "value": "b"}]),
    )
    player.tries("replace_job_schedule", schedule, body=spoken)
    player.tries("disable_job_schedule", schedule, seen=is_now("state", "disabled"))
    player.tries("enable_job_schedule", schedule, seen=is_now("state", "active"))
    player.tries("begin_terminate_job_schedule", schedule, seen=is_now("state", "completed"))
    player.tries("begin_delete_job_schedule", schedule, seen=lambda _: player.gone("get_job_schedule", schedule))
