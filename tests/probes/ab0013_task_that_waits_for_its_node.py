"""What is shown of a task while its node prepares the job?"""

import time
from collections.abc import Callable
from typing import Any

_SECONDS = 300.0


def test_it_is_preparing_on_its_node_and_counts_as_running(client: Any, make_job: Callable[..., str]) -> None:
    """It has not started yet."""
    job = make_job(jobPreparationTask={"commandLine": "/bin/sleep 3", "waitForSuccess": True})
    client.create_task(job, {"id": "waits", "commandLine": "/bin/true"})
    deadline = time.monotonic() + _SECONDS
    while (task := client.get_task(job, "waits")).state == "active":
        assert time.monotonic() < deadline, "no node takes the task; has the pool an idle one?"
        time.sleep(0.1)

    assert task.state == "preparing"
    assert task.node_info.node_id
    assert task.execution_info.start_time is None
    assert client.get_job_task_counts(job).task_counts.running == 1
