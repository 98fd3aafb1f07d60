"""Runs, from inputs to a summary: what the command line and other programs call."""

import asyncio
import os
from collections.abc import Sequence
from functools import partial

import anyio
from anyio import to_thread

from fastbatch.books.recovery import Again
from fastbatch.bounds import problems as problems_of_settings
from fastbatch.configuration import resolve_account
from fastbatch.errors import UsageError
from fastbatch.events import Observer, nobody
from fastbatch.journal.records import RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Plan, Summary
from fastbatch.outputs import check, output_name
from fastbatch.planning import plan as planned
from fastbatch.planning import problems as problems_of_plan
from fastbatch.running.manners import Manners
from fastbatch.running.runs import carry_on, carry_out
from fastbatch.settings import Account, Settings
from fastbatch.stages.clean import Confirm
from fastbatch.stages.scan import collisions, scan
from fastbatch.stopwatch import Stopwatch
from fastbatch.workload import Counting


async def _as_expected(question: str, *, expected: bool) -> bool:
    """Let what is expected be the answer to every question."""
    del question
    return expected


async def plan(inputs: Sequence[str], settings: Settings | None = None) -> Plan:
    """
    Find the inputs, and say what a run of them would do. Nothing is sent to any service.

    Raises:
        UsageError: with all that is wrong with inputs and settings.

    """
    return await to_thread.run_sync(prepare, tuple(inputs), settings or Settings())


def prepare(inputs: Sequence[str], settings: Settings) -> Plan:
    """Do what `plan` does, in the thread that it is called in."""
    problems = problems_of_settings(settings)
    if settings.output is not None:
        problems += check(settings.output)
    try:
        items = scan(inputs, include=settings.include, exclude=settings.exclude)
    except UsageError as error:
        raise UsageError([*problems, *error.problems]) from error
    if settings.output is not None and settings.per_file:
        problems += collisions(items, output_name)
    if problems:
        raise UsageError(problems)
    workload = Counting(settings.top, settings.ignore_case)
    found = planned(
        items,
        bundle_size=settings.bundle_size,
        files_per_task=settings.files_per_task,
        divisible=workload.divisible,
    )
    if over := problems_of_plan(found):
        raise UsageError(over)
    return found


def configured_account(profile: str | None = None) -> Account:
    """Give the account that is set in the environment or the user's file. Raises UsageError."""
    return resolve_account(environ=os.environ, profile=profile)


async def run(
    inputs: Sequence[str],
    settings: Settings | None = None,
    *,
    account: Account | None = None,
    observe: Observer = nobody,
    confirm: Confirm = _as_expected,
) -> Summary:
    """
    Run inputs, and give what they came to. One that fails is in the summary; an error means that the run is broken.

    Without an account, the one that is set in the environment or the user's file is used, as by the command.

    Cancelling leaves the tasks to the service, and what was uploaded for another run of the same inputs. After full
    success, job and output container are deleted if `confirm` agrees, and the pool if the settings say so.

    Raises:
        UsageError: before anything was created.
        ServiceError: a service refused, or is out of reach.
        OutputFailed: results can't be written on this machine.

    """
    chosen = settings or Settings()
    stopwatch = Stopwatch()
    with stopwatch.during("plan"):
        found = await plan(inputs, chosen)
    if account is None:
        account = await to_thread.run_sync(configured_account)
    return await carry_out(found, chosen, account, Manners(observe, confirm, stopwatch))


async def resume(
    run: str,
    *,
    failed: bool = False,
    account: Account | None = None,
    observe: Observer = nobody,
    confirm: Confirm = _as_expected,
) -> Summary:
    """
    Go on with a run of this machine from whatever it reached; with `failed`, also with what failed for good.

    A run is known by its id, an unambiguous beginning of it, its name, or "last".

    Raises:
        UsageError: there is no such run, its account is not the one that is set, or another process drives it.
        ServiceError: a service refused, or is out of reach.
        OutputFailed, JournalFailed: something can't be written on this machine.

    """
    stopwatch = Stopwatch()
    record = await to_thread.run_sync(_recorded, run)
    if account is None:
        account = await to_thread.run_sync(partial(configured_account, record.place.profile))
    if not record.place.is_of(account):
        where = record.place.batch_account
        raise UsageError(f"Run {record.id} is on another account: {where}. Set that one, or give it as account=.")
    again = Again.ALL if failed else Again.PASSING
    return await carry_on(record.id, account, Manners(observe, confirm, stopwatch), again=again)


def _recorded(run: str) -> RunRecord:
    with Journal.opened() as journal:
        return journal.find(run)


def run_sync(
    inputs: Sequence[str],
    settings: Settings | None = None,
    *,
    account: Account | None = None,
    observe: Observer = nobody,
) -> Summary:
    """Do what `run` does, for programs without an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return anyio.run(partial(run, inputs, settings, account=account, observe=observe))
    raise RuntimeError("run_sync can't be called inside a running event loop; await fastbatch.run(...) there.")
