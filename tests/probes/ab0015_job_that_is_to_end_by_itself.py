"""Does a job that is to end with its tasks take more of them, as long as one runs?"""

from collections.abc import Callable
from typing import Any


def test_it_takes_them(client: Any, make_job: Callable[..., str]) -> None:
    """So a run that was left, and goes on, needs no other job."""
    job = make_job()
    client.create_task(job, {"id": "first", "commandLine": "/bin/sleep 60"})
    client.update_job(job, {"onAllTasksComplete": "terminatejob"})
    client.create_task(job, {"id": "second", "commandLine": "/bin/true"})

    assert client.get_task(job, "second").state in ("active", "preparing", "running", "completed")
