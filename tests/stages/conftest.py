"""What tests of stages have."""

from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient

from tests.local.instances import Instance, new_name


@pytest.fixture
def container(services: Instance) -> Iterator[ContainerClient]:
    """Give the name of a container that is not there yet."""
    found = services.blobs().get_container_client(new_name("upload"))
    yield found
    if found.exists():
        found.delete_container()
