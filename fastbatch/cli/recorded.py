"""Going on with a recorded run from the command line: what is shown, what is set anew, and how it ends."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from fastbatch.errors import UsageError
from fastbatch.outputs import check

if TYPE_CHECKING:
    from fastbatch.cli.display import Wishes
    from fastbatch.journal.records import RunRecord
    from fastbatch.model import Summary
    from fastbatch.running.manners import Manners, Reach
    from fastbatch.settings import Account, Settings

    Doing = Callable[[str, Account, Manners, Settings], Awaitable[Summary]]


def found(text: str) -> "RunRecord":
    """Give the run that is meant. Raises UsageError."""
    from fastbatch.journal.store import Journal

    with Journal.opened() as journal:
        return journal.find(text)


def conduct(record: "RunRecord", wishes: "Wishes", flags: Mapping[str, Any], doing: "Doing", reach: "Reach") -> None:
    """Do something with a run until it is done or a signal ends it, and end as it came out."""
    from fastbatch.cli.conducting import Conductor, end
    from fastbatch.cli.display import choose
    from fastbatch.cli.reaching import account_of
    from fastbatch.stopwatch import Stopwatch

    settings = _set_anew(record.settings, flags)
    with choose(wishes) as display:
        account = account_of(record, lambda text: None if wishes.quiet else click.echo(text, err=True))

        async def going(manners: "Manners") -> "Summary":
            return await doing(record.id, account, manners, settings)

        summary = Conductor(display, Stopwatch(), reach).conduct(going)
    end(display, complete=summary.complete)


def _set_anew(settings: "Settings", flags: Mapping[str, Any]) -> "Settings":
    """Give the settings of a run with those that are given now. Raises UsageError with all that is wrong with them."""
    from fastbatch.bounds import problems as problems_of_settings
    from fastbatch.configuration import layers

    problems: list[str] = []
    given = layers.from_flags(flags, problems)
    anew = replace(settings, **{name: value.value for name, value in given.items()})
    if "output" in given and anew.output is not None:
        problems += check(anew.output)
        anew = replace(anew, output=os.path.abspath(anew.output))
    if problems := [*problems, *problems_of_settings(anew)]:
        raise UsageError(problems)
    return anew
