"""Is a task taken that depends on itself?"""

from collections.abc import Callable
from typing import Any


def test_it_is_and_waits(client: Any, make_job: Callable[..., str]) -> None:
    """For ever, as nothing will satisfy it."""
    job = make_job(usesTaskDependencies=True)
    client.create_task(job, {"id": "self", "commandLine": "/bin/true", "dependsOn": {"taskIds": ["self"]}})

    assert client.get_task(job, "self").state == "active"
