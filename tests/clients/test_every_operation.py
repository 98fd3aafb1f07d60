"""Each operation of the API, called with each client: what the README says of it is what happens."""

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from fastbatch.local.server import routes
from tests.clients import environments, fifteen, table
from tests.clients.az import Az
from tests.clients.fifteen import Fifteen
from tests.clients.playing import Player
from tests.clients.scenario import play
from tests.local.instances import Instance, new_name

_ROOT = Path(__file__).parents[2]


def check(client: str, found: dict[str, str]) -> None:
    """Compare what was found with what is written."""
    if corrections := table.corrections(client, found):
        pytest.fail(f"The README says otherwise; if it is meant so, write there:\n{corrections}", pytrace=False)
    assert found.keys() == table.written(client).keys()


def test_every_operation_is_in_the_table() -> None:
    """Each once; but for the local service's own."""
    names = [route.name for route in routes.ROUTES if not route.path.startswith("/local/")]
    assert sorted(cells[0] for cells in table.rows()) == sorted(names)


@pytest.mark.parametrize(
    ("client", "connected"), [("15.1", fifteen.synchronous), ("15.1, async", fifteen.asynchronous)]
)
def test_azure_batch_15(
    services: Instance, client: str, connected: Callable[[Instance], AbstractContextManager[Fifteen]]
) -> None:
    """In this Python."""
    with connected(services) as calling:
        check(client, play(Player(calling), new_name()))


@pytest.mark.timeout(environments.SECONDS)
def test_azure_batch_14(services: Instance, tmp_path: Path) -> None:
    """In a Python of its own, as both have the same name."""
    done = subprocess.run(
        [environments.python_with(environments.TRACK_1), "-m", "tests.clients.fourteen", new_name()],
        cwd=_ROOT,
        env={**environments.alone(tmp_path), **environments.account(services)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    check("14.2", json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.timeout(environments.SECONDS)
def test_az(services: Instance, tmp_path: Path) -> None:
    """Each call is a process that reads much before it does anything."""
    client = Az(environments.python_with(environments.AZ), services, tmp_path)
    check("az 2.91", play(Player(client), new_name()))
