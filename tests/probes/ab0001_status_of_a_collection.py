"""In which letter case does addtaskcollection say how each task went?"""

from collections.abc import Callable
from typing import Any


def test_statuses_are_in_lower_case(client: Any, make_job: Callable[..., str]) -> None:
    """The documentation differs; the SDK compares with lower case, and else takes a refused task for an added one."""
    task = {"id": "one", "commandLine": "/bin/true"}
    answer = client.create_task_collection(make_job(), {"value": [task, task]})
    assert sorted(str(item["status"]) for item in answer["value"]) == ["clienterror", "success"]
