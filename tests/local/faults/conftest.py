"""The fault plan of the instance that all tests share; each test leaves it empty."""

from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from tests.local.faults.ordering import Faults
from tests.local.instances import Instance


@pytest.fixture
def faults(instance: Instance) -> Iterator[Faults]:
    """Have the plan, which is empty before and after."""
    found = Faults(instance)
    assert found.shown()["rules"] == []
    yield found
    found.clear()


@pytest.fixture
def faulty(instance: Instance) -> Iterator[BlobServiceClient]:
    """Have a client of the storage where the plan has a say; retries would only hide faults."""
    connection = asking.storage_with_faults(Home(instance.home))
    with BlobServiceClient.from_connection_string(connection, retry_total=0) as found:
        yield found


@pytest.fixture
def there(faulty: BlobServiceClient, container: ContainerClient) -> ContainerClient:
    """Have the same container, where the plan has a say."""
    return faulty.get_container_client(container.container_name)
