"""A run as a whole: a name, the pipeline, the merge, the summary, and what is cleaned away."""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import anyio
from anyio import to_thread

from fastbatch import names, state
from fastbatch.azure.services import Services, connected
from fastbatch.configuration.checking import problems_of_account
from fastbatch.errors import OutputFailed, UsageError
from fastbatch.events import Observer, RunCompleted, RunPlanned, RunStarted
from fastbatch.groups import unwrapped
from fastbatch.model import Plan, Summary, Totals
from fastbatch.order import Order
from fastbatch.outputs import SUMMARY, Outputs
from fastbatch.pipeline import Pipeline
from fastbatch.settings import Account, Settings
from fastbatch.stages.clean import Cleaner, Confirm
from fastbatch.stages.merge import merge
from fastbatch.stopwatch import Stopwatch
from fastbatch.workload import Counting


@dataclass(frozen=True, slots=True)
class Manners:
    """Who is told, who is asked before something is cleaned away, and what takes the time."""

    observe: Observer
    confirm: Confirm
    stopwatch: Stopwatch


async def carry_out(plan: Plan, settings: Settings, account: Account, manners: Manners) -> Summary:
    """Carry out a plan. Raises UsageError before anything is created, if the account can't be used for it."""
    if problems := problems_of_account(account, settings):
        raise UsageError(problems)
    run = names.new_run(settings.name)
    manners.observe(RunStarted(run, settings.pool))
    manners.observe(RunPlanned(len(plan.items), plan.bytes, len(plan.bundles), plan.bundle_size))
    with _folder(run) as folder:
        order = Order(run, plan, settings, Counting(settings.top, settings.ignore_case), folder)
        async with connected(account, settings, manners.observe) as services:
            return await _Run(order, services, manners).whole()


@contextlib.contextmanager
def _folder(run: str) -> Iterator[str]:
    """Have a folder for what is kept on this machine while a run goes on."""
    path = os.path.join(state.folder(), "runs", run)
    try:
        os.makedirs(path, mode=0o700)
    except OSError as error:
        raise OutputFailed(
            f"cannot make {path!r}: {error.strerror or error}. Name another folder for fastbatch's state with "
            "XDG_STATE_HOME."
        ) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class _Run:
    """One run."""

    def __init__(self, order: Order, services: Services, manners: Manners) -> None:
        self._order = order
        self._settings = order.settings
        self._services = services
        self._manners = manners
        self._pipeline = Pipeline(order, services, manners.observe, manners.stopwatch)
        self._cleaner = Cleaner(order.run, order.settings, services, self._pipeline.ground.made, manners.observe)

    async def whole(self) -> Summary:
        """Do all of it. What came of it is told before anything is deleted, and also if that is interrupted."""
        try:
            with anyio.move_on_after(self._settings.timeout), unwrapped():
                await self._pipeline.run()
            with self._manners.stopwatch.during("merge"):
                totals = await self._merge()
            self._write(self._summary(totals))
        except BaseException as error:
            await self._cleaner.leave(error)
            raise
        try:
            with self._manners.stopwatch.during("clean"):
                await self._clean()
        finally:
            summary = self._summary(totals)
            self._write(summary)
            self._manners.observe(RunCompleted(summary))
        return summary

    async def _clean(self) -> None:
        books, pipeline = self._pipeline.ledger.books, self._pipeline
        complete = books.done == books.planned
        await self._cleaner.clean(complete=complete, made_pool=pipeline.ground.made_pool, confirm=self._manners.confirm)

    def _write(self, summary: Summary) -> None:
        if self._settings.output is not None:
            self._outputs(self._settings.output).write_json(SUMMARY, summary.json())

    def _outputs(self, folder: str) -> Outputs:
        return Outputs(folder, self._settings.per_file, job=self._order.run, pool=self._settings.pool)

    async def _merge(self) -> Totals:
        output = self._settings.output
        unwanted = threading.Event()
        merging = partial(
            merge,
            self._pipeline.found(),
            None if output is None else self._outputs(output),
            top=self._settings.top,
            folder=self._order.folder,
            memory=self._settings.in_flight,
            cancelled=unwanted.is_set,
        )
        try:
            return await to_thread.run_sync(merging, abandon_on_cancel=True)
        finally:
            unwanted.set()

    def _summary(self, totals: Totals) -> Summary:
        ledger = self._pipeline.ledger
        return Summary(
            run=self._order.run,
            books=ledger.books,
            totals=totals,
            bundles=len(self._order.plan.bundles),
            tasks=ledger.tasks,
            uploaded=ledger.uploaded,
            uploaded_bytes=ledger.uploaded_bytes,
            reused=ledger.reused,
            failures=ledger.failures,
            seconds=self._manners.stopwatch.seconds(),
            requests=self._services.requests,
            pool=self._settings.pool,
            output=self._settings.output,
            left=self._cleaner.left,
        )
