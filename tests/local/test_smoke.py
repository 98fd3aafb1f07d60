"""The whole way, once."""

from typing import Any

from tests.local import instances
from tests.local.instances import eventually


def test_a_task_runs(client: Any, pool: str) -> None:
    """A task is added, runs, and its output can be read."""
    with instances.job(client, pool) as job:
        client.create_task(job, {"id": "a", "commandLine": "/bin/echo hello"})
        eventually(lambda: client.get_task(job, "a").state, lambda state: state == "completed")
        assert b"".join(client.download_task_file(job, "a", "stdout.txt")) == b"hello\n"
