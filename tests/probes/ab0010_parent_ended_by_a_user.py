"""Does the default of its exit conditions count for a task that a user has ended, as far as others depend on it?"""

import time
from collections.abc import Callable
from typing import Any

_SECONDS = 300.0


def test_it_does(client: Any, make_job: Callable[..., str]) -> None:
    """There is no exit code, and no error in files either."""
    job = make_job(usesTaskDependencies=True)
    conditions = {"default": {"dependencyAction": "satisfy"}}
    client.create_task(job, {"id": "parent", "commandLine": "/bin/sleep 600", "exitConditions": conditions})
    client.create_task(job, {"id": "child", "commandLine": "/bin/true", "dependsOn": {"taskIds": ["parent"]}})
    client.terminate_task(job, "parent")
    deadline = time.monotonic() + _SECONDS
    while client.get_task(job, "child").state != "completed":
        assert time.monotonic() < deadline, "the child does not run; has the pool an idle node?"
        time.sleep(0.1)
