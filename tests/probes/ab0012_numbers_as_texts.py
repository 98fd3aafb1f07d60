"""Are numbers of a body taken that come as texts? The flags of `az batch` send them so."""

from collections.abc import Callable
from typing import Any


def test_they_are(client: Any, make_job: Callable[..., str]) -> None:
    """And shown as numbers."""
    body: Any = {"maxParallelTasks": "7", "priority": "-3"}
    job = client.get_job(make_job(**body))

    assert (job.max_parallel_tasks, job.priority) == (7, -3)
