"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from fastbatch import Account
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import Instance, new_name

# Deterministic, so that a failure is the same for everyone; no deadline, as machines differ.
for profile, examples in (("quick", 60), ("thorough", 1000)):
    settings.register_profile(
        profile,
        deadline=None,
        derandomize=True,
        max_examples=examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
settings.load_profile("quick")

# Who is started in the background by a shell ignores it, and so would all programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have an instance of the local services for runs; it is gone when the tests are, however they end."""
    with instances.lasting_as_long_as_we(tmp_path_factory.mktemp("services")) as found:
        yield found


@pytest.fixture(scope="session")
def account(services: Instance) -> Account:
    """Give its account."""
    return account_of(services)


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what runs leave on this machine apart from the user's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state" / new_name()))
