"""Which code has the refusal of a property that there is none of?"""

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError


def test_it_is_unsupported(client: Any, make_job: Callable[..., str]) -> None:
    """The documentation has a code for it."""
    with pytest.raises(HttpResponseError) as refused:
        client.create_task(make_job(), {"id": "one", "commandLine": "/bin/true", "colour": "red"})
    error: Any = refused.value
    assert (error.status_code, error.error.code) == (400, "UnsupportedProperty")
