"""A run as a whole: a name, the pipeline, the merge, the summary, and what is cleaned away."""

import contextlib
import os
import shutil
import threading
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import anyio
from anyio import to_thread

from fastbatch import names, state
from fastbatch.azure.services import Services, connected
from fastbatch.configuration.checking import problems_of_account
from fastbatch.errors import OutputFailed, ServiceError, UsageError
from fastbatch.events import Noticed, Observer, RunCompleted, RunPlanned, RunStarted
from fastbatch.groups import unwrapped
from fastbatch.model import Plan, Summary, Totals
from fastbatch.outputs import SUMMARY, Outputs
from fastbatch.pipeline import Order, Pipeline
from fastbatch.settings import Account, Settings
from fastbatch.stages import describe
from fastbatch.stages.merge import merge
from fastbatch.stopwatch import Stopwatch
from fastbatch.workload import Counting


class Confirm(Protocol):
    """Asks a question."""

    async def __call__(self, question: str, *, expected: bool) -> bool:
        """Give the answer; where nobody can be asked, the expected one."""


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
    with unwrapped(), _folder(run) as folder:
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

    async def whole(self) -> Summary:
        """Do all of it."""
        with self._naming_what_is_left():
            with anyio.move_on_after(self._settings.timeout):
                await self._pipeline.run()
            with self._manners.stopwatch.during("merge"):
                totals = await self._merge()
        with self._manners.stopwatch.during("clean"):
            left = await self._clean()
        summary = self._summary(totals, left)
        if self._settings.output is not None:
            self._outputs(self._settings.output).write_json(SUMMARY, summary.json())
        self._manners.observe(RunCompleted(summary))
        return summary

    @contextlib.contextmanager
    def _naming_what_is_left(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._pipeline.made:
                self._manners.observe(Noticed(f"Left as it is: {', '.join(self._pipeline.made)}."))
            raise

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

    async def _clean(self) -> list[str]:
        """Delete what is no longer of use, if all went well and it is wished; name what is left."""
        run, books = self._order.run, self._pipeline.ledger.books
        container = describe.results_container(run)
        left = [f"job {run}", f"container {container}"]
        complete = books.done == books.planned
        if not complete or self._settings.keep_data:
            await self._try("end the job", self._services.batch.end_job_after_tasks(run))
        elif await self._manners.confirm(f"Delete job {run} and container {container}?", expected=True):
            gone = await self._try("delete the job", self._services.batch.delete_job(run))
            emptied = await self._try("delete the results", self._services.storage.delete_container(container))
            left = [what for what, deleted in zip(left, (gone, emptied), strict=True) if not deleted]
        if not await self._pool_is_deleted(complete=complete):
            left.append(f"pool {self._settings.pool}")
        return left

    async def _pool_is_deleted(self, *, complete: bool) -> bool:
        if not complete or self._settings.keep_pool or not await self._wants_pool_deleted():
            return False
        return await self._try("delete the pool", self._services.batch.delete_pool(self._settings.pool))

    async def _wants_pool_deleted(self) -> bool:
        if self._settings.delete_pool:
            return True
        question = f"Delete pool {self._settings.pool}, which this run made? It costs money until it is deleted."
        return self._pipeline.made_pool and await self._manners.confirm(question, expected=False)

    async def _try(self, what: str, doing: Awaitable[object]) -> bool:
        """Do what is not worth losing results for."""
        try:
            await doing
        except ServiceError as error:
            self._manners.observe(Noticed(f"Could not {what}: {error}"))
            return False
        return True

    def _summary(self, totals: Totals, left: list[str]) -> Summary:
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
            left=left,
        )
