"""Which code has the refusal of a collection of more than a hundred tasks?"""

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError


def test_it_is_an_invalid_property(client: Any, make_job: Callable[..., str]) -> None:
    """The list is longer than it may be."""
    tasks = [{"id": f"t{number}", "commandLine": "/bin/true"} for number in range(101)]
    with pytest.raises(HttpResponseError) as refused:
        client.create_task_collection(make_job(), {"value": tasks})
    error: Any = refused.value
    assert (error.status_code, error.error.code) == (400, "InvalidPropertyValue")
