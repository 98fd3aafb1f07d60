"""`fastbatch config`: what is set, and where."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import account_options
from fastbatch.cli.table import table

if TYPE_CHECKING:
    from fastbatch.configuration import Configuration

_KEYS = frozenset({"batch_key", "storage_key"})
Row = tuple[str, str, str]


@click.group(short_help="What is set, and where.")
def config() -> None:
    """
    Show what is set, and where.

    Weakest first: defaults; config.toml in the user's configuration folder, with profiles and accounts; fastbatch.toml
    in the working directory, for settings of runs alone; variables of the environment; options.

    \b
    Example:
      fastbatch config show                 all of it, and where each value comes from
    """


@config.command()
@account_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(*, profile: str | None, local: bool, as_json: bool) -> None:
    """
    Show every setting and the account, and where each value comes from. Keys are not shown.

    \b
    Examples:
      fastbatch config show
      fastbatch config show --profile big
      fastbatch config show --local --json | jq .settings.top
    """
    from fastbatch.configuration import resolve

    with boundary():
        found = resolve({}, environ=os.environ, cwd=Path.cwd(), profile=profile, local=local)
    click.echo(json.dumps(_json(found)) if as_json else table([("NAME", "VALUE", "FROM"), *_rows(found)]))


def _rows(found: "Configuration") -> Iterator[Row]:
    """Give what there is to show, a row each."""
    from fastbatch.bounds import SETTINGS
    from fastbatch.terminal import escaped

    yield "profile", escaped(found.profile or "none"), found.origins.get("profile", "default")
    for name, known in SETTINGS.items():
        value = getattr(found.settings, name)
        text = known.otherwise if value in {None, ()} else known.shown(value)
        yield name, escaped(text), found.origins[name]
    if found.account is None:
        yield "account", "that of the local services", "--local"
        return
    for name, value in _account(found).items():
        text = value or "not set (Entra ID)"
        yield name, escaped(text), found.origins.get(name, "default")


def _account(found: "Configuration") -> dict[str, str | None]:
    """Give the pieces of the account; of a key only that it is set."""
    from fastbatch.configuration.accounts import PIECES

    pieces = {name: getattr(found.account, name) for name in PIECES}
    return {name: "set" if name in _KEYS and value else value for name, value in pieces.items()}


def _json(found: "Configuration") -> dict[str, Any]:
    from fastbatch.bounds import SETTINGS

    settings = {name: _plain(getattr(found.settings, name)) for name in SETTINGS}
    account = {} if found.account is None else _account(found)
    return {
        "profile": found.profile,
        "settings": {name: {"value": value, "from": found.origins[name]} for name, value in settings.items()},
        "account": {
            name: {"value": value, "from": found.origins.get(name, "default")} for name, value in account.items()
        }
        or None,
    }


def _plain(value: object) -> object:
    """Give a value as JSON has it; names in it as text that can be encoded."""
    from fastbatch.model import shown

    if isinstance(value, tuple):
        return [shown(text) for text in value]
    return shown(value) if isinstance(value, str) else value
