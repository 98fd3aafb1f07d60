"""What tests of the command line share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Runner
from tests.local import instances
from tests.local.instances import Instance


@pytest.fixture(scope="session")
def local_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have the local services that `--local` finds in a state folder; they are gone when the tests are."""
    state = tmp_path_factory.mktemp("state")
    with instances.lasting_as_long_as_we(state / "fastbatch" / "local") as found:
        yield found


@pytest.fixture
def runner(local_services: Instance, tmp_path: Path) -> Runner:
    """Be a user whose environment names the services."""
    return Runner(tmp_path, local_services)
