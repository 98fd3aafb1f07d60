"""The fault plan of the instance that all tests share; each test leaves it empty."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from tests.local import speaking
from tests.local.instances import Instance, new_name
from tests.local.speaking import Said, at

FAULTS = at("/local/faults")


@dataclass(frozen=True)
class Faults:
    """A plan on the wire."""

    instance: Instance

    def order(self, *rules: dict[str, Any], seed: int = 0) -> dict[str, Any]:
        """Begin anew with these rules."""
        return self._ask("PUT", {"seed": seed, "rules": list(rules)})

    def add(self, *rules: dict[str, Any]) -> dict[str, Any]:
        """Add rules."""
        return self._ask("POST", {"rules": list(rules)})

    def shown(self) -> dict[str, Any]:
        """Give the plan."""
        return self._ask("GET", None)

    def clear(self) -> dict[str, Any]:
        """Let nothing go wrong."""
        return self._ask("DELETE", None)

    def counts(self) -> list[tuple[int, int]]:
        """Give how often each rule was tried and applied."""
        return [(rule["seen"], rule["applied"]) for rule in self.shown()["rules"]]

    def refused(self, body: Any, method: str = "PUT") -> Said:
        """Give why a plan is refused."""
        said = speaking.ask(self.instance, method, FAULTS, body)
        assert said.status == 400
        return said

    def _ask(self, method: str, body: Any) -> dict[str, Any]:
        said = speaking.ask(self.instance, method, FAULTS, body)
        assert said.status == 200, said.body
        return said.json


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
    connection = asking.faulty_storage(Home(instance.home))
    with BlobServiceClient.from_connection_string(connection, retry_total=0) as found:
        yield found


@pytest.fixture
def container(instance: Instance) -> Iterator[ContainerClient]:
    """Have a container, by a client to which nothing happens."""
    with instance.blobs() as direct:
        found = direct.create_container(new_name())
        yield found
        found.delete_container()


@pytest.fixture
def there(faulty: BlobServiceClient, container: ContainerClient) -> ContainerClient:
    """Have the same container, where the plan has a say."""
    return faulty.get_container_client(container.container_name)
