"""What tests of the command line share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Runner
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import Instance
from tests.proxy import Proxy, proxy


@pytest.fixture(scope="session")
def local_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have the local services that `--local` finds in a state folder; they are gone when the tests are."""
    state = tmp_path_factory.mktemp("state")
    with instances.lasting_as_long_as_we(state / "fastbatch" / "local") as found:
        yield found


@pytest.fixture(scope="session")
def client(local_services: Instance) -> Iterator[Any]:
    """Have a client of them."""
    with local_services.client() as found:
        yield found


@pytest.fixture
def runner(local_services: Instance, tmp_path: Path) -> Runner:
    """Be a user whose environment names the services."""
    return Runner(tmp_path, local_services)


@pytest.fixture
def batch(runner: Runner) -> Iterator[Proxy]:
    """Have a proxy between the user and Batch."""
    with proxy(runner.services.endpoint) as found:
        runner.reach_batch_at(found.url)
        yield found


@pytest.fixture
def storage(runner: Runner) -> Iterator[Proxy]:
    """Have a proxy between the user and the storage."""
    with proxy(account_of(runner.services).storage_endpoint) as found:
        runner.reach_storage_at(found.url)
        yield found
