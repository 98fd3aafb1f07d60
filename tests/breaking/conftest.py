"""What the tests that break runs share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial, trial_at
from tests.local import instances
from tests.local.instances import Instance


@pytest.fixture(scope="session")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have services that misbehave when they are told to."""
    with instances.lasting_as_long_as_we(tmp_path_factory.mktemp("breakable")) as found:
        yield found


@pytest.fixture
def local(breakable: Instance) -> Iterator[LocalBatch]:
    """Tell them, for one test."""
    variables = asking.environment(Home(breakable.home), faulty_storage=True)
    found = LocalBatch(
        breakable.endpoint, breakable.account, breakable.key, variables["AZURE_STORAGE_CONNECTION_STRING"]
    )
    found.reset()
    yield found
    found.reset()


@pytest.fixture
def trial(local: LocalBatch, breakable: Instance, tmp_path: Path) -> Iterator[Trial]:
    """Have a run that something is to befall, on services with nothing in them."""
    del local
    with trial_at(breakable, tmp_path) as found:
        yield found
