"""The account of a recorded run is found again, or it is told why not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fastbatch.cli.reaching import account_of, account_to_look_at
from fastbatch.errors import UsageError
from fastbatch.journal.records import RunRecord
from fastbatch.model import Books
from fastbatch.place import Place
from fastbatch.settings import Account, Settings
from tests.local.instances import Instance

KEY = "dGhlIGtleQ=="
MINE = Account(
    batch_account="mine",
    batch_endpoint="https://mine.eu.batch.azure.com",
    storage_account="stuff",
    storage_endpoint="https://stuff.blob.core.windows.net",
)


def recorded(place: Place) -> RunRecord:
    """Give a run that is in a place."""
    made = datetime(2026, 1, 1, tzinfo=UTC)
    return RunRecord("run-aaaaaaaa", "uid", made, place, Settings(), Books(0, 0, 0), bytes=0, bundles=0)


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Give somebody who can set an account, and has set none."""
    for name in ("AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ENDPOINT", "AZURE_BATCH_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def sets(**pieces: str) -> None:
        for name, value in pieces.items():
            monkeypatch.setenv(name, value)

    return sets


def set_mine(user: Any, **different: str) -> None:
    """Set the account in the environment, as the az CLI has it."""
    user(
        **{
            "AZURE_BATCH_ACCOUNT": MINE.batch_account,
            "AZURE_BATCH_ENDPOINT": MINE.batch_endpoint,
            "AZURE_BATCH_ACCESS_KEY": KEY,
            "AZURE_STORAGE_ACCOUNT": MINE.storage_account,
            **different,
        }
    )


def problems(record: RunRecord) -> str:
    """Tell why the account can't be had; no key is in it."""
    with pytest.raises(UsageError) as raised:
        account_of(record, print)
    with pytest.raises(UsageError) as looked:
        account_to_look_at(record)
    assert looked.value.problems == raised.value.problems
    assert KEY not in str(raised.value)
    return str(raised.value)


def test_the_account_that_is_set_is_the_one_of_the_run(user: Any) -> None:
    """With the key that is set now; the journal has none."""
    set_mine(user)
    record = recorded(Place.of(MINE))

    assert account_of(record, print).batch_key == KEY
    assert account_to_look_at(record) == account_of(record, print)


def test_another_account_is_refused_with_both_named(user: Any) -> None:
    """Nothing of a run must be looked for in somebody else's account."""
    set_mine(user, AZURE_BATCH_ACCOUNT="other", AZURE_BATCH_ENDPOINT="https://other.eu.batch.azure.com")
    told = problems(recorded(Place.of(MINE)))

    assert "Run run-aaaaaaaa is on the Batch account mine at https://mine.eu.batch.azure.com" in told
    assert "what is set now is the Batch account other at https://other.eu.batch.azure.com" in told
    assert "fastbatch config show" in told


@pytest.mark.usefixtures("user")
def test_no_account_is_told_with_the_one_that_is_needed() -> None:
    """And with what is missing."""
    told = problems(recorded(Place.of(MINE)))

    assert "is on the Batch account mine" in told
    assert "AZURE_BATCH_ACCOUNT" in told


@pytest.mark.usefixtures("user")
def test_the_profile_of_the_run_is_used(tmp_path: Path) -> None:
    """Whatever profile is the usual one."""
    file = tmp_path / "fastbatch" / "config.toml"
    file.parent.mkdir()
    accounts = {"usual": "other", "work": "mine"}
    file.write_text(
        'default_profile = "usual"\n'
        + "".join(
            f'[profiles.{profile}.account]\nbatch_account = "{name}"\nstorage_account = "stuff"\n'
            f'batch_endpoint = "https://{name}.eu.batch.azure.com"\n'
            for profile, name in accounts.items()
        )
    )
    assert account_of(recorded(Place.of(MINE, profile="work")), print) == MINE
    assert "(profile gone)" in problems(recorded(Place.of(MINE, profile="gone")))


def test_a_run_on_the_local_services_is_on_those_that_run(
    local_services: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they listen now, and whatever account is set."""
    monkeypatch.setenv("XDG_STATE_HOME", str(local_services.home.parent.parent))
    monkeypatch.setenv("AZURE_BATCH_ACCOUNT", "other")
    place = Place("fastbatchlocal", "http://127.0.0.1:9", "fastbatchlocal", "http://127.0.0.1:9/x", local=True)
    said: list[str] = []

    assert account_of(recorded(place), said.append).batch_endpoint == local_services.endpoint
    assert account_to_look_at(recorded(place)) == account_of(recorded(place), said.append)
    assert said == []


def test_local_services_are_not_started_to_be_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They would have nothing to show that the journal has not."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = Place("fastbatch", "http://127.0.0.1:9", "fastbatchlocal", "http://127.0.0.1:9/x", local=True)

    assert account_to_look_at(recorded(place)) is None
    assert list(tmp_path.iterdir()) == []
