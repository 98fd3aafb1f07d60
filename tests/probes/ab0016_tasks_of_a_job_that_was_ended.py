"""How do tasks look whose job was ended while they ran or waited?"""

import time
from collections.abc import Callable
from typing import Any

_SECONDS = 300.0


def _wait(client: Any, job: str, task: str, state: str) -> Any:
    deadline = time.monotonic() + _SECONDS
    while (found := client.get_task(job, task)).state != state:
        assert time.monotonic() < deadline, f"{task} is never {state}; has the pool an idle node?"
        time.sleep(0.1)
    return found


def test_one_that_ran_was_ended_and_one_that_waited_waits_for_good(client: Any, make_job: Callable[..., str]) -> None:
    """The first may be tried again in another job, as may the second."""
    job = make_job(maxParallelTasks=1)
    client.create_task(job, {"id": "runs", "commandLine": "/bin/sleep 600"})
    _wait(client, job, "runs", "running")
    client.create_task(job, {"id": "waits", "commandLine": "/bin/true"})
    client.begin_terminate_job(job, {"terminateReason": "a question"}, polling_interval=3600)
    ended = _wait(client, job, "runs", "completed")

    assert ended.execution_info.failure_info.code == "TaskEnded"
    assert client.get_task(job, "waits").state == "active"
