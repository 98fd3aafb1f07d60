"""Does the filter of a poll, on state and on a moment with parts of a second, take tasks of that moment?"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastbatch.stages.watch import Watermark, moment

_SECONDS = 300.0


def completed(client: Any, job: str, watermark: Watermark) -> list[Any]:
    """List as a run does."""
    return list(client.list_tasks(job, filter=watermark.where(), select=["id", "stateTransitionTime"]))


def test_it_takes_those_of_the_moment_and_no_older_ones(client: Any, make_job: Callable[..., str]) -> None:
    """The overlap is thirty seconds."""
    job = make_job()
    client.create_task(job, {"id": "one", "commandLine": "/bin/true"})
    deadline = time.monotonic() + _SECONDS
    while not (found := completed(client, job, Watermark())) and time.monotonic() < deadline:
        time.sleep(0.2)
    (task,) = found
    at = moment(task["stateTransitionTime"])
    overlap = timedelta(seconds=30)

    assert [each.id for each in completed(client, job, Watermark(at + overlap))] == ["one"]
    assert completed(client, job, Watermark(at + overlap + timedelta(milliseconds=1))) == []
