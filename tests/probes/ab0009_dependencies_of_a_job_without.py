"""With which code is a task refused that depends on others, in a job whose usesTaskDependencies is not true?"""

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError


def test_it_is_the_documented_one(client: Any, make_job: Callable[..., str]) -> None:
    """Users have reported UnsupportedProperty."""
    task = {"id": "child", "commandLine": "/bin/true", "dependsOn": {"taskIds": ["parent"]}}
    with pytest.raises(HttpResponseError) as caught:
        client.create_task(make_job(), task)
    error: Any = caught.value

    assert (error.status_code, error.error.code) == (400, "TaskDependenciesNotSpecifiedOnJob")
