"""What `fastbatch tune` is asked for as a whole, brought together, or all that is wrong with it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastbatch.api import prepare
from fastbatch.bounds import SETTINGS
from fastbatch.cli.tuning.wanted import Texts, Wanted, read
from fastbatch.configuration import Configuration, resolve
from fastbatch.configuration.checking import problems_of_account
from fastbatch.errors import UsageError
from fastbatch.model import Plan
from fastbatch.outputs import check
from fastbatch.settings import Settings
from fastbatch.tuning.measured import Measurements
from fastbatch.tuning.sampling import sample
from fastbatch.tuning.saved import load

_OF_MEASURING = ("nodes", "sample", "repeat")  # of the texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was given on the command line."""

    inputs: tuple[str, ...]
    saved: str | None
    output: str | None
    texts: Texts
    flags: Mapping[str, Any]  # settings, by their names
    profile: str | None
    local: bool
    dry_run: bool
    json: bool
    quiet: bool
    verbose: bool
    log_file: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be measured."""

    wanted: Wanted
    configuration: Configuration
    plan: Plan  # a sample, if one is wanted
    whole: Plan


def prepared(asked: Asked) -> Prepared:
    """Bring together what is to be measured. Raises UsageError with all that is wrong."""
    problems = [*_problems(asked)]
    wanted = read(asked.texts, problems)
    configuration = _configured(asked, problems)
    whole = _planned(asked, configuration, problems) if asked.inputs else None
    if wanted is None or configuration is None or whole is None or problems:
        raise UsageError(problems)
    return Prepared(wanted, configuration, sample(whole, wanted.share), whole)


def recalled(asked: Asked, path: str) -> tuple[Wanted, Measurements, list[str]]:
    """Read what was measured before, with what is to be said of that. Raises UsageError with all that is wrong."""
    problems = [*_problems(asked)]
    wanted = read(asked.texts, problems)
    notices: list[str] = []
    measurements = None
    try:
        measurements = load(path, notices.append)
    except UsageError as error:
        problems += error.problems
    if wanted is None or measurements is None or problems:
        raise UsageError(problems)
    return wanted, measurements, notices


def _problems(asked: Asked) -> Iterator[str]:
    """Tell which options exclude each other, and whether files can be written."""
    if bool(asked.inputs) == (asked.saved is not None):
        yield "name files, folders or globs to measure, or saved measurements with --from FILE; not both."
    if asked.saved is not None and (others := [*_of_measuring(asked)]):
        yield f"{', '.join(others)}: of use when something is measured, and with --from nothing is."
    if asked.output is not None:
        yield from check(asked.output)


def _of_measuring(asked: Asked) -> Iterator[str]:
    """Name the options that were given and say what is to be measured."""
    yield from (f"--{name}" for name in _OF_MEASURING if getattr(asked.texts, name) is not None)
    yield from (SETTINGS[name].option for name, value in asked.flags.items() if value is not None)
    others = {"--profile": asked.profile is not None, "--local": asked.local, "--dry-run": asked.dry_run}
    yield from (option for option, is_given in others.items() if is_given)


def _configured(asked: Asked, problems: list[str]) -> Configuration | None:
    try:
        found = resolve(asked.flags, environ=os.environ, cwd=Path.cwd(), profile=asked.profile, local=asked.local)
    except UsageError as error:
        problems += error.problems
        return None
    if found.account:
        problems += problems_of_account(found.account, found.settings)
    return found


def _planned(asked: Asked, configuration: Configuration | None, problems: list[str]) -> Plan | None:
    """Plan by what is set; if that is wrong, see at least whether there are inputs."""
    flags = asked.flags
    patterns = Settings(include=flags["include"] or (), exclude=flags["exclude"] or ())
    try:
        return prepare(
            asked.inputs, replace(configuration.settings, output=None, per_file=False) if configuration else patterns
        )
    except UsageError as error:
        problems += error.problems
        return None
