"""All that is set anywhere, weakest first: defaults, the user's file, fastbatch.toml, the environment, flags."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastbatch.bounds import SETTINGS
from fastbatch.configuration import accounts, files, layers, tables
from fastbatch.configuration.files import Document
from fastbatch.configuration.given import Layer, meant
from fastbatch.configuration.tables import Section
from fastbatch.errors import UsageError
from fastbatch.settings import Account, Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a run is to use, and where each value came from."""

    settings: Settings
    account: Account | None  # None for the local services, which have their own
    origins: Mapping[
        str, str
    ]  # by the names of settings, and of whatever else was given: pieces of the account, profile
    profile: str | None


def resolve(
    flags: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    cwd: Path,
    profile: str | None = None,
    local: bool = False,
) -> Configuration:
    """
    Bring all together, or raise UsageError with every problem that there is.

    A flag that is None was not given. With `local`, all that is said of accounts is ignored.
    """
    problems: list[str] = []
    user = files.read(files.user_file(environ), problems)
    chosen = tables.chosen_profile(user, profile, environ, problems)
    name = chosen.value if chosen else None
    sections = tables.sections(user, name, problems)
    run = layers.merged(
        [
            *(layers.from_table(section.run, section.where, problems) for section in sections),
            _project(cwd, user, problems),
            layers.from_environment(environ, problems),
            _flags(flags, problems),
        ],
        problems,
    )
    pieces = {} if local else _pieces(user, sections, environ, problems)
    account = None if local else accounts.assembled(pieces, user.name, problems)
    if problems:
        raise UsageError(problems)
    return Configuration(
        settings=Settings(**{name: given.value for name, given in run.items()}),
        account=account,
        origins=_origins({**run, **pieces, **({"profile": chosen} if chosen else {})}),
        profile=name,
    )


def resolve_account(*, environ: Mapping[str, str], profile: str | None = None) -> Account:
    """Bring together what is said of the account alone, or raise UsageError with every problem that there is."""
    problems: list[str] = []
    user = files.read(files.user_file(environ), problems)
    chosen = tables.chosen_profile(user, profile, environ, problems)
    sections = tables.sections(user, chosen.value if chosen else None, problems)
    account = accounts.assembled(_pieces(user, sections, environ, problems), user.name, problems)
    if problems or account is None:
        raise UsageError(problems)
    return account


def _origins(given: Layer) -> dict[str, str]:
    return {**dict.fromkeys(SETTINGS, "default"), **{name: value.origin for name, value in given.items()}}


def _project(cwd: Path, user: Document, problems: list[str]) -> Layer:
    """Read the working directory's file."""
    document = files.read(cwd / files.PROJECT_FILE, problems)
    table = tables.project_table(document, user.name, problems)
    return layers.from_table(table, document.name, problems)


def _flags(flags: Mapping[str, object], problems: list[str]) -> Layer:
    problems.extend(f"{name!r} is not a setting.{meant(name, SETTINGS)}" for name in flags if name not in SETTINGS)
    return layers.from_flags({name: value for name, value in flags.items() if name in SETTINGS}, problems)


def _pieces(user: Document, sections: list[Section], environ: Mapping[str, str], problems: list[str]) -> Layer:
    """Read what is said of accounts; a file with keys must be its owner's alone."""
    if user.readable_by_others and tables.holds_secrets(user):
        problems.append(f"{user.name} holds a key, and others can read it. Run: chmod 600 {shlex.quote(user.name)}")
    return accounts.completed(
        accounts.merged(
            [
                *(accounts.from_table(section.account, section.account_where, problems) for section in sections),
                accounts.from_environment(environ, problems),
            ]
        )
    )
