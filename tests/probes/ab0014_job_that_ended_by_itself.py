"""How does a job say that it ended by itself, and how does it refuse tasks then?"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

_SECONDS = 300.0


def test_all_its_tasks_are_complete_and_it_takes_no_more(client: Any, make_job: Callable[..., str]) -> None:
    """By that, a run that goes on tells it from one that somebody ended, and adds what is missing to another job."""
    job = make_job()
    client.create_task(job, {"id": "only", "commandLine": "/bin/true"})
    client.update_job(job, {"onAllTasksComplete": "terminatejob"})
    deadline = time.monotonic() + _SECONDS
    while (found := client.get_job(job)).state != "completed":
        assert time.monotonic() < deadline, "the job does not end; has the pool an idle node?"
        time.sleep(0.1)

    assert found.execution_info
    assert found.execution_info.termination_reason == "AllTasksComplete"
    with pytest.raises(HttpResponseError) as refused:
        client.create_task(job, {"id": "late", "commandLine": "/bin/true"})
    assert refused.value.error
    assert refused.value.error.code in ("JobCompleted", "JobBeingTerminated", "JobNotActive")
