"""What a run is opened with: its plan, its folder here, and its place on the services."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator

from anyio import to_thread

from fastbatch import state
from fastbatch.azure.services import Services, connected
from fastbatch.configuration.checking import problems_of_account
from fastbatch.errors import OutputFailed, UsageError
from fastbatch.events import RunPlanned, RunStarted
from fastbatch.journal.notes import Notes
from fastbatch.journal.records import RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Plan
from fastbatch.order import Order
from fastbatch.outputs import output_name
from fastbatch.running.manners import Manners
from fastbatch.settings import Account, Settings
from fastbatch.stages.ground import Ground
from fastbatch.stages.jobs import Jobs
from fastbatch.stages.scan import collisions
from fastbatch.stages.site import Site
from fastbatch.workload import Counting


def check(account: Account, settings: Settings) -> None:
    """See that an account can be used as it is to be. Raises UsageError."""
    if problems := problems_of_account(account, settings):
        raise UsageError(problems)


async def planned(journal: Journal, run: str, settings: Settings) -> Plan:
    """Read the plan of a run. Raises UsageError if its outputs can't be as they are to be now."""
    plan = await to_thread.run_sync(journal.plan, run)
    if settings.output is not None and settings.per_file and (problems := collisions(plan.items, output_name)):
        raise UsageError(problems)
    return plan


def tell_plan(run: str, plan: Plan, settings: Settings, manners: Manners) -> None:
    """Tell which run it is, and what it does."""
    manners.observe(RunStarted(run, settings.pool))
    manners.observe(RunPlanned(len(plan.items), plan.bytes, len(plan.bundles), plan.bundle_size))


def order_of(record: RunRecord, plan: Plan, settings: Settings, folder: str, *, timed: bool = False) -> Order:
    """Give what is to be run, by what is recorded of it."""
    workload = Counting(settings.top, settings.ignore_case, timed)
    return Order(record.id, record.uid, record.job, record.made_pool, plan, settings, workload, folder)


@contextlib.asynccontextmanager
async def on_site(order: Order, account: Account, manners: Manners, journal: Journal) -> AsyncIterator[Site]:
    """Have connections to the services, and what a run has there."""
    async with connected(account, order.settings, manners.observe) as services:
        yield site_of(order, services, manners, journal)


def site_of(order: Order, services: Services, manners: Manners, journal: Journal) -> Site:
    """Give what a run has on the services, noting in the journal what it makes."""
    notes = Notes(journal, order.run)
    ground = Ground(order, services, manners.observe, notes)
    return Site(services, ground, Jobs(order, services, ground, notes))


@contextlib.contextmanager
def folder_of(run: str) -> Iterator[str]:
    """Have a folder for what is kept on this machine while a run is not over."""
    path = state.folder_of(run)
    try:
        state.make(path)
    except OSError as error:
        raise OutputFailed(
            f"cannot make {str(path)!r}: {error.strerror or error}. Name another folder for fastbatch's state with "
            "XDG_STATE_HOME."
        ) from error
    try:
        yield str(path)
    finally:
        with contextlib.suppress(OSError):  # what was brought here is kept for when it goes on
            os.rmdir(path)
