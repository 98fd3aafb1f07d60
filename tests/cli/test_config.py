"""`fastbatch config show`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from fastbatch.bounds import SETTINGS
from fastbatch.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

KEY = base64.b64encode(b"the secret of a test").decode()
ACCOUNT = {
    "AZURE_BATCH_ACCOUNT": "mine",
    "AZURE_BATCH_ENDPOINT": "mine.eu.batch.azure.com",
    "AZURE_BATCH_ACCESS_KEY": KEY,
    "AZURE_STORAGE_ACCOUNT": "stuff",
}
UNSET = ("AZURE_STORAGE_KEY", "AZURE_STORAGE_CONNECTION_STRING", "FASTBATCH_PROFILE")


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file of somebody, who works in an empty folder."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    file = tmp_path / "fastbatch" / "config.toml"
    file.parent.mkdir()
    return file


def show(user: Path, *argv: str, **environ: str) -> Result:
    """Run it, and see to it that no key is shown."""
    folder = str(user.parents[1])
    without = dict.fromkeys((*UNSET, *ACCOUNT, *(f"FASTBATCH_{setting.upper()}" for setting in SETTINGS)))
    ended = CliRunner(env={**without, "XDG_CONFIG_HOME": folder, "APPDATA": folder, **environ}).invoke(
        main, ["config", "show", *argv], catch_exceptions=False
    )
    assert KEY not in ended.output
    return ended


def rows(ended: Result) -> dict[str, str]:
    """Give the rows that are shown, by name."""
    assert (ended.exit_code, ended.stderr) == (0, "")
    return {line.split()[0]: " ".join(line.split()[1:]) for line in ended.stdout.splitlines()}


def test_every_setting_is_shown_with_its_place(user: Path) -> None:
    """Sizes and durations with units; what is not set, with what is done then."""
    user.write_text('bundle_size = 2097152\nignore_case = true\n[profiles.big]\ntask_timeout = "90m"\n')
    shown = rows(show(user, "--profile", "big", FASTBATCH_INCLUDE="*.txt", **ACCOUNT))

    assert list(shown)[2:-6] == list(SETTINGS)
    assert shown["NAME"] == "VALUE FROM"
    assert shown["profile"] == "big --profile"
    assert shown["top"] == "10 default"
    assert shown["bundle_size"] == f"2MiB {user}"
    assert shown["ignore_case"] == f"true {user}"
    assert shown["task_timeout"] == f"1h30m {user} [profiles.big]"
    assert shown["include"] == "*.txt environment FASTBATCH_INCLUDE"
    assert shown["exclude"] == "none default"
    assert shown["files_per_task"] == "by size default"


def test_the_account_is_shown_without_its_keys(user: Path) -> None:
    """But with where they come from."""
    shown = rows(show(user, **ACCOUNT))

    assert list(shown)[-6:] == [
        "batch_account",
        "batch_endpoint",
        "batch_key",
        "storage_account",
        "storage_endpoint",
        "storage_key",
    ]
    assert shown["batch_endpoint"] == "https://mine.eu.batch.azure.com environment AZURE_BATCH_ENDPOINT"
    assert shown["batch_key"] == "set environment AZURE_BATCH_ACCESS_KEY"
    assert shown["storage_key"] == "not set (Entra ID) default"


def test_local_runs_have_the_account_of_the_local_services(user: Path) -> None:
    """Whatever else is set."""
    shown = rows(show(user, "--local", AZURE_BATCH_ENDPOINT="http://evil.example"))

    assert shown["account"] == "that of the local services --local"
    assert "batch_endpoint" not in shown


def test_json_has_plain_values(user: Path) -> None:
    """Bytes, seconds, lists; of keys only that they are set."""
    user.write_text('top = 3\ninclude = ["a", "b"]\n')
    shown = json.loads(show(user, "--json", **ACCOUNT).stdout)

    assert shown["profile"] is None
    assert list(shown["settings"]) == list(SETTINGS)
    assert shown["settings"]["top"] == {"value": 3, "from": str(user)}
    assert shown["settings"]["include"]["value"] == ["a", "b"]
    assert shown["settings"]["in_flight"] == {"value": 100663296, "from": "default"}
    assert shown["settings"]["bundle_size"]["value"] is None
    assert shown["account"]["batch_key"] == {"value": "set", "from": "environment AZURE_BATCH_ACCESS_KEY"}
    assert shown["account"]["storage_key"] == {"value": None, "from": "default"}
    assert json.loads(show(user, "--json", "--local").stdout)["account"] is None


def test_values_do_not_steer_the_terminal(user: Path) -> None:
    """They are shown as they would be written."""
    user.write_text(r'output = "\u001b[2J"')

    assert rows(show(user, "--local"))["output"] == rf"\x1b[2J {user}"


def test_each_problem_is_a_line_and_the_code_is_2(user: Path) -> None:
    """Nothing is shown as if it were set."""
    user.write_text("tpo = 3\ntop = 0")
    ended = show(user, **ACCOUNT)

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"Error: {user}: 'tpo' is not a setting. Did you mean top?\n"
        f"Error: top in {user} must be from 1 to 1000, not 0.\n"
    )
