"""One instance of the local services for all tests that don't break it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from fastbatch.local.instance import lifecycle
from fastbatch.local.instance.home import Home
from fastbatch.local.processes import identify
from tests.local import instances
from tests.local.instances import Instance


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have an instance that is gone when the tests are, however they end."""
    owner = identify(os.getpid())
    assert owner
    home = tmp_path_factory.mktemp("instance")
    yield instances.start(home, owner)
    lifecycle.down(Home(home))


@pytest.fixture(scope="session")
def client(instance: Instance) -> Iterator[Any]:
    """Have a client of that instance."""
    with instance.client() as connected:
        yield connected


@pytest.fixture(scope="session")
def pool(client: Any) -> Iterator[str]:
    """Have a pool with one node of two slots that is ready."""
    with instances.pool(client) as name:
        yield name
