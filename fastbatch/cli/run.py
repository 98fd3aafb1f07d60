"""`fastbatch run`: inputs in, merged results out."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastbatch.bounds import SETTINGS
from fastbatch.cli.exits import boundary
from fastbatch.cli.options import account_options, display_options, run_options

if TYPE_CHECKING:
    from fastbatch.configuration import Configuration
    from fastbatch.model import Plan
    from fastbatch.settings import Settings

_STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked for beside the settings."""

    inputs: tuple[str, ...]
    nul: bool
    sample: int | None
    dry_run: bool
    detach: bool
    json: bool
    quiet: bool
    verbose: bool
    log_file: str | None
    profile: str | None
    local: bool


@click.command(short_help="Inputs in, merged results out.")
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=click.Path(allow_dash=True))
@account_options
@run_options
@click.option("-0", "nul", is_flag=True, help="With INPUT -: the list on standard input is separated by NUL.")
@click.option("--sample", type=click.IntRange(1, 1_000_000), metavar="N", help="Without INPUT: make N small texts.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--detach", is_flag=True, help="Return when all is submitted; `fastbatch watch` attaches again.")
@display_options
def run(**given: Any) -> None:
    """
    Count the words of thousands of files on Azure Batch: upload, submit, wait, fetch, merge, clean up.

    INPUT is a file, a folder (with all in it), or a glob, quoted or not; - reads a list of them from standard input.
    What was uploaded before is not uploaded again, and a pool that is there is used.

    \b
    Examples:
      fastbatch run --local --sample 2000              try it on this machine, with made-up texts
      fastbatch run --local 'corpus/**/*.txt' --top 20
      fastbatch run corpus --output results            counts.tsv and summary.json go there
      fastbatch run corpus --nodes 8 --dry-run         see what would be done
      fastbatch run corpus --detach                    return when all is submitted; fastbatch watch waits for it
      find corpus -name '*.txt' -print0 | fastbatch run -0 -

    \b
    Exit codes:
      0 all done    1 some inputs failed or are still open    2 wrong usage or configuration; nothing was created
      3 a service refused or is out of reach    130, 143, 129 ended by a signal
    """
    flags = {name: given.pop(name) for name in SETTINGS}
    asked = _Asked(**given)
    with boundary(), _inputs(asked) as found:
        _run(asked, found, flags)


@contextlib.contextmanager
def _inputs(asked: _Asked) -> Iterator[list[str]]:
    """Have the inputs: those that are named, those that standard input lists, or texts that are made up."""
    from fastbatch import sample
    from fastbatch.errors import UsageError
    from fastbatch.stages.scan import read_list

    if bool(asked.inputs) == (asked.sample is not None):
        raise UsageError("name files, folders or globs to run, or let --sample N make some texts; not both")
    if asked.nul and _STDIN not in asked.inputs:
        raise UsageError("-0 goes with INPUT -, which reads a list from standard input")
    if asked.sample is not None:
        with tempfile.TemporaryDirectory(prefix="fastbatch-sample-") as folder:
            sample.write(folder, asked.sample)
            yield [folder]
        return
    if _STDIN in asked.inputs and sys.stdin is None:
        raise UsageError("INPUT - reads a list from standard input, which is closed")
    listed = read_list(sys.stdin.buffer, nul=asked.nul) if _STDIN in asked.inputs else []
    yield [*(text for text in asked.inputs if text != _STDIN), *listed]


def _run(asked: _Asked, inputs: list[str], flags: dict[str, Any]) -> None:
    from fastbatch.stopwatch import Stopwatch

    stopwatch = Stopwatch()
    with stopwatch.during("plan"):
        configuration, plan = _prepare(asked, inputs, flags)
    if asked.dry_run:
        from fastbatch.cli.dry_run import show

        show(plan, configuration, as_json=asked.json)
        return
    from fastbatch.cli.conducting import Conductor, end
    from fastbatch.cli.display import Wishes, choose
    from fastbatch.place import Place
    from fastbatch.running.manners import Reach
    from fastbatch.running.runs import carry_out

    wishes = Wishes(json=asked.json, quiet=asked.quiet, verbose=asked.verbose, log_file=asked.log_file)
    with choose(wishes) as display:
        account = configuration.account or _local_account(quiet=asked.quiet)
        place = Place.of(account, profile=configuration.profile, local=configuration.account is None)
        reach = Reach.SUBMITTED if asked.detach else Reach.END
        conductor = Conductor(display, stopwatch, reach, of_a_sample=asked.sample is not None)
        summary = conductor.conduct(partial(carry_out, plan, configuration.settings, account, place=place))
    end(display, complete=summary.complete or (conductor.is_detached and not summary.books.failed))


def _prepare(asked: _Asked, inputs: list[str], flags: dict[str, Any]) -> tuple["Configuration", "Plan"]:
    """Bring together what is set and what is to be run; raise UsageError with all that is wrong with either."""
    from fastbatch.api import prepare
    from fastbatch.configuration import resolve
    from fastbatch.configuration.checking import problems_of_account
    from fastbatch.errors import UsageError

    problems: list[str] = []
    configuration = plan = None
    try:
        configuration = resolve(flags, environ=os.environ, cwd=Path.cwd(), profile=asked.profile, local=asked.local)
        if configuration.account:
            problems += problems_of_account(configuration.account, configuration.settings)
    except UsageError as error:
        problems += error.problems
    try:
        plan = prepare(inputs, configuration.settings if configuration else _for_inputs(flags))
    except UsageError as error:
        problems += error.problems
    if configuration is None or plan is None or problems:
        raise UsageError(problems)
    return configuration, plan


def _for_inputs(flags: dict[str, Any]) -> "Settings":
    """Give settings by which inputs and outputs can be looked at when others are wrong."""
    from fastbatch.settings import Settings

    return Settings(include=flags["include"] or (), exclude=flags["exclude"] or (), output=flags["output"])


def _local_account(*, quiet: bool) -> Any:
    from fastbatch.cli.account import local_account

    return local_account(lambda text: None if quiet else click.echo(text, err=True))
