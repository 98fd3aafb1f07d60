"""`fastbatch local clock`, `faults` and `reset`: what a user sees of them."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError
from click.testing import CliRunner, Result

from fastbatch.cli.main import main
from tests.local import instances
from tests.local.instances import Instance

Say = Callable[..., Result]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have an instance that nobody else uses."""
    with instances.lasting_as_long_as_we(tmp_path_factory.mktemp("turned")) as found:
        yield found


@pytest.fixture
def local(instance: Instance) -> Iterator[Say]:
    """Have `fastbatch local` for that instance; it forgets everything afterwards."""

    def say(verb: str, *options: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, ["local", verb, "--home", str(instance.home), *options], input=text)

    yield say
    assert say("reset").exit_code == 0


def test_the_clock_is_shown_as_it_is_turned(local: Say) -> None:
    """One line, for people and programs."""
    before = local("clock")
    frozen = local("clock", "--freeze", "--advance", "365d")

    assert re.fullmatch(f"{TIME}\n", before.output)
    assert re.fullmatch(f"{TIME}  frozen\n", frozen.output)
    assert int(frozen.output[:4]) == int(before.output[:4]) + 1
    assert local("clock").output == frozen.output
    assert re.fullmatch(f"{TIME}\n", local("clock", "--resume").output)


@pytest.mark.parametrize("duration", ["", "soon", "-1h", "1 fortnight"])
def test_a_duration_that_is_none_is_refused(local: Say, duration: str) -> None:
    """Nothing is turned then."""
    said = local("clock", "--freeze", "--advance", duration)

    assert said.exit_code == 2
    assert "is not a duration" in said.output
    assert "frozen" not in local("clock").output


def test_a_reset_leaves_nothing(local: Say, instance: Instance) -> None:
    """And sets the clock right."""
    local("clock", "--freeze")
    with instance.client() as client:
        client.create_pool(instances.pool_body("some", targetDedicatedNodes=1))
        assert local("reset").output == ""
        assert list(client.list_pools()) == []
    assert "frozen" not in local("clock").output


@pytest.mark.parametrize("verb", ["clock", "faults", "reset"])
def test_without_services_it_is_said_how_to_start_them(tmp_path: Path, verb: str) -> None:
    """Exit code 3: the services are out of reach."""
    said = CliRunner().invoke(main, ["local", verb, "--home", str(tmp_path / "nothing")])

    assert said.exit_code == 3
    assert "fastbatch local up" in said.output


def test_faults_are_set_shown_and_cleared(local: Say, instance: Instance) -> None:
    """As JSON, in and out, with how often each was done."""
    plan = {"seed": 7, "rules": [{"operation": "list_pools", "fault": "refuse", "status": 500, "count": 2}]}
    said = local("faults", "--set", "-", text=json.dumps(plan))
    with instance.client() as client:
        for _ in range(2):
            with pytest.raises(HttpResponseError, match="InternalError"):
                list(client.list_pools())
        assert list(client.list_pools()) == []

    assert said.exit_code == 0
    shown = json.loads(local("faults").output)
    assert shown["seed"] == 7
    assert [(rule["operation"], rule["seen"], rule["applied"]) for rule in shown["rules"]] == [("list_pools", 3, 2)]
    assert local("faults", "--clear").output == ""
    assert json.loads(local("faults").output)["rules"] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"rules": [], "rules": []}', "a name twice"),
        ('{"rules": [], "seed": NaN}', "NaN"),
        ("[]", "must hold an object"),
        ('{"rules": [{"operation": "no_such", "fault": "refuse"}]}', "no_such"),
        ('{"rules": [{"operation": "create_pool", "fault": "no_such"}]}', "fault"),
    ],
)
def test_a_plan_that_is_none_is_refused(local: Say, text: str, wrong: str) -> None:
    """With what is wrong about it; the plan before stays."""
    said = local("faults", "--set", "-", text=text)

    assert said.exit_code == 2
    assert wrong in said.output
    assert json.loads(local("faults").output)["rules"] == []


def test_to_set_and_to_clear_at_once_is_refused(local: Say) -> None:
    """It could mean two things."""
    assert local("faults", "--clear", "--set", "-", text="{}").exit_code == 2


def test_the_storage_with_faults_is_named_on_request(local: Say) -> None:
    """It is the same account and key at another port."""
    plain, faulty = (local("env", *options).output.splitlines() for options in ([], ["--faulty-storage"]))
    differing = [pair for pair in zip(plain, faulty, strict=True) if pair[0] != pair[1]]

    assert len(differing) == 1
    without_port = {re.sub(r"127\.0\.0\.1:\d+", "", line) for line in differing[0]}
    assert len(without_port) == 1
    assert "AZURE_STORAGE_CONNECTION_STRING" in without_port.pop()
