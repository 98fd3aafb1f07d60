"""One instance of the local services for all tests that don't break it."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from tests.local import instances
from tests.local.instances import Instance


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have an instance that is gone when the tests are, however they end."""
    with instances.lasting_as_long_as_we(tmp_path_factory.mktemp("instance")) as found:
        yield found


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


@pytest.fixture
def container(instance: Instance) -> Iterator[ContainerClient]:
    """Have a container in the storage, by a client that no fault plan strikes; it goes with the instance."""
    with instance.blobs() as service, service.create_container(instances.new_name("c")) as made:
        yield made


@pytest.fixture
def job(client: Any, pool: str) -> Iterator[str]:
    """Have a job in the pool that all share."""
    with instances.job(client, pool) as name:
        yield name
