"""Does a disabled job take tasks?"""

import time
from collections.abc import Callable
from typing import Any


def test_a_disabled_job_takes_tasks(client: Any, make_job: Callable[..., str]) -> None:
    """They wait until it is enabled."""
    job = make_job()
    client.begin_disable_job(job, {"disableTasks": "requeue"}, polling_interval=3600)
    for _ in range(100):
        if client.get_job(job).state == "disabled":
            break
        time.sleep(0.1)
    client.create_task(job, {"id": "waits", "commandLine": "/bin/true"})
    assert client.get_task(job, "waits").state == "active"
