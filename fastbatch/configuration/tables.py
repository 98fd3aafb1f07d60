"""The tables of the files: what belongs in which, and the profile that is chosen."""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastbatch.bounds import SETTINGS
from fastbatch.configuration import accounts
from fastbatch.configuration.files import Document
from fastbatch.configuration.given import Given, in_environment, in_table, meant
from fastbatch.configuration.layers import variable_of
from fastbatch.terminal import escaped

_PROFILE_VARIABLE = "FASTBATCH_PROFILE"
_RESERVED = ("account", "profiles", "default_profile")

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the user's file that counts: its run settings, and an account, which may be secret."""

    where: str
    run: Table
    account: Any = field(repr=False)
    account_where: str


def sections(document: Document, profile: str | None, problems: list[str]) -> list[Section]:
    """Give the parts of the user's file, the strongest last: its top level, and the chosen profile."""
    name = document.name
    top = _section(document.table, name, _RESERVED, problems)
    if profile is None:
        return [Section(*top, f"{name} [account]")]
    own = _section(document.table["profiles"][profile], f"{name} [profiles.{escaped(profile)}]", ("account",), problems)
    return [Section(*top, f"{name} [account]"), Section(*own, f"{name} [profiles.{escaped(profile)}.account]")]


def chosen_profile(
    document: Document, asked: str | None, environ: Mapping[str, str], problems: list[str]
) -> Given | None:
    """Give the name of the profile that is asked for, if there is such a one."""
    profiles = document.table.get("profiles", {})
    if not isinstance(profiles, dict):
        problems.append(f"profiles in {document.name} must be a table.")
        return None
    wanted = _wanted(document, asked, environ)
    if wanted is None or (isinstance(wanted.value, str) and isinstance(profiles.get(wanted.value), dict)):
        return wanted
    known = ", ".join(escaped(name) for name, table in sorted(profiles.items()) if isinstance(table, dict))
    has = f"It has {known}." if known else "It has none."
    problems.append(f"{wanted.label}: {document.name} has no profile {reprlib.repr(wanted.value)}. {has}")
    return None


def project_table(document: Document, user_file: str, problems: list[str]) -> Table:
    """Give the run settings of the working directory's file, from which neither accounts nor commands are taken."""
    return dict(_allowed(document, user_file, problems))


def holds_secrets(document: Document) -> bool:
    """Tell whether a file holds a key, in whatever profile."""
    profiles = document.table.get("profiles")
    tables = [document.table, *(profiles.values() if isinstance(profiles, dict) else ())]
    accounts_found = [table.get("account") for table in tables if isinstance(table, dict)]
    return any(isinstance(found, dict) and accounts.SECRETS & found.keys() for found in accounts_found)


def _wanted(document: Document, asked: str | None, environ: Mapping[str, str]) -> Given | None:
    if asked is not None:
        return Given(asked, "--profile", "--profile")
    if variable := environ.get(_PROFILE_VARIABLE):
        return in_environment(_PROFILE_VARIABLE, variable)
    if (default := document.table.get("default_profile")) is None:
        return None
    return in_table("default_profile", default if isinstance(default, str) else "", document.name)


def _section(table: Table, where: str, reserved: tuple[str, ...], problems: list[str]) -> tuple[str, Table, Any]:
    run = {key: value for key, value in table.items() if key in SETTINGS}
    problems.extend(_stray(key, where, reserved) for key in table if key not in SETTINGS and key not in reserved)
    return where, run, table.get("account", {})


def _stray(key: str, where: str, reserved: tuple[str, ...]) -> str:
    if key in accounts.KEYS:
        return f"{where}: {key} belongs in the table of the account."
    return f"{where}: {reprlib.repr(key)} is not a setting.{meant(key, (*SETTINGS, *reserved))}"


def _allowed(document: Document, user_file: str, problems: list[str]) -> Iterator[tuple[str, Any]]:
    for key, value in document.table.items():
        if key in _RESERVED or key in accounts.KEYS or key in {"profile", "endpoint", "key"}:
            problems.append(f"{document.name}: {key} is not taken from a working directory. It belongs in {user_file}.")
        elif key not in SETTINGS:
            problems.append(f"{document.name}: {reprlib.repr(key)} is not a setting.{meant(key, SETTINGS)}")
        elif SETTINGS[key].own:
            problems.append(
                f"{document.name}: {key} is not taken from a working directory, as {SETTINGS[key].own}. It belongs "
                f"in {user_file}, {variable_of(key)} or {SETTINGS[key].option}."
            )
        else:
            yield key, value
