"""In which letter case does addtaskcollection say how each task went?"""

from collections.abc import Callable
from typing import Any


def test_statuses_are_in_pascal_case(client: Any, make_job: Callable[..., str]) -> None:
    """The documentation shows them so; the SDK compares with lower case."""
    task = {"id": "one", "commandLine": "/bin/true"}
    answer = client.create_task_collection(make_job(), {"value": [task, task]})
    assert sorted(str(item["status"]) for item in answer["value"]) == ["ClientError", "Success"]
