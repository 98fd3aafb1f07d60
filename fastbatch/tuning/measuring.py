"""Measuring how long a plan takes on more and on fewer nodes, each number of them several times."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastbatch import __version__
from fastbatch.azure.services import connected
from fastbatch.configuration.endpoints import is_loopback
from fastbatch.errors import NotOurs, ServiceError, Unauthorized, UsageError
from fastbatch.events import Event, Noticed, Observer, RoundBegun, RoundFailed, RoundMeasured
from fastbatch.journal.store import Journal
from fastbatch.model import Plan
from fastbatch.place import Place
from fastbatch.running.opening import check
from fastbatch.settings import Account, Settings
from fastbatch.tuning.measured import Boot, Measurements, Point, Work
from fastbatch.tuning.rounds import Rounds, settings_of_rounds
from fastbatch.tuning.stepping import Steps, stepping

_WARMING_UP = 2  # times that it is tried on each number of nodes


@dataclass(frozen=True, slots=True)
class Intention:
    """What is to be measured."""

    nodes: tuple[int, ...]
    repeat: int  # runs on each number of nodes, that count
    whole: Work  # what the plan is a sample of; the same, if it is all


@dataclass(frozen=True, slots=True)
class TuneManners:
    """Who is told, and what keeps the measurements as far as they are, after each run."""

    observe: Observer
    keep: Callable[[Measurements], None]


async def measure(  # noqa: PLR0913, as a run has, and what is to be measured
    plan: Plan,
    settings: Settings,
    account: Account,
    intention: Intention,
    manners: TuneManners,
    *,
    place: Place | None = None,
) -> Measurements:
    """
    Run a plan on each number of nodes, and give what was measured; the pool is left as it was found, also if cancelled.

    The largest number comes first, as nodes go sooner than they come. Before it, one run that does not count brings
    inputs and program to where they are used.

    Raises UsageError before anything is done, if the account or the pool can't be used for it. Other errors are raised
    where no later run would do better; a run that fails for another reason is part of what was measured.
    """
    _check(plan, intention)
    of_rounds = settings_of_rounds(settings)
    check(account, of_rounds)
    with Journal.opened():
        pass  # where it can't be kept, that is told before there are nodes to be paid for
    place = place or Place.of(account)
    told = dataclasses.replace(manners, observe=_notices_once(manners.observe))
    async with (
        connected(account, settings, told.observe) as services,
        stepping(services.batch, settings, intention.nodes, told.observe) as steps,
    ):
        rounds = Rounds(plan, of_rounds, account, place, services, told.observe)
        measuring = _Measuring(_nothing_yet(plan, settings, intention, place), steps, rounds, told)
        for nodes in sorted(set(intention.nodes), reverse=True):
            await measuring.point(nodes, intention.repeat)
        return measuring.measurements


def work_of(plan: Plan) -> Work:
    """Say how much a plan is."""
    return Work(len(plan.items), plan.bytes, len(plan.bundles))


def _check(plan: Plan, intention: Intention) -> None:
    """See that something is to be measured. Raises UsageError."""
    problems = [] if plan.bundles else ["there are no inputs to run"]
    if not intention.nodes or min(intention.nodes) < 1:
        problems.append("numbers of nodes are 1 or more, and there is one at least")
    if intention.repeat < 1:
        problems.append("each number of nodes is to be measured once at least")
    if problems:
        raise UsageError(problems)


def _nothing_yet(plan: Plan, settings: Settings, intention: Intention, place: Place) -> Measurements:
    return Measurements(
        version=__version__,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        pool=settings.pool,
        vm_size=settings.vm_size,
        slots=0,
        local=is_loopback(urlsplit(place.batch_endpoint).hostname or ""),
        bundle_size=plan.bundle_size,
        measured=work_of(plan),
        whole=intention.whole,
        points=tuple(map(Point, sorted(set(intention.nodes)))),
    )


def _notices_once(observe: Observer) -> Observer:
    """Tell the same only once, though each run notices it."""
    told = set[str]()

    def tell(event: Event) -> None:
        if isinstance(event, Noticed):
            if event.text in told:
                return
            told.add(event.text)
        observe(event)

    return tell


class _Measuring:
    """What was measured so far."""

    def __init__(self, nothing: Measurements, steps: Steps, rounds: Rounds, manners: TuneManners) -> None:
        self._nothing = nothing
        self._points = {point.nodes: point for point in nothing.points}
        self._boots: tuple[Boot, ...] = ()
        self._steps = steps
        self._rounds = rounds
        self._observe = manners.observe
        self._keep = manners.keep
        self._warm = False

    @property
    def measurements(self) -> Measurements:
        """Give it, with all numbers of nodes, also those that are still to come."""
        steps, points = self._steps, tuple(self._points.values())
        return dataclasses.replace(
            self._nothing, vm_size=steps.vm_size, slots=steps.slots, points=points, boots=self._boots
        )

    async def point(self, nodes: int, repeat: int) -> None:
        """Measure on so many nodes; what fails is kept as failed."""
        try:
            boot = await self._steps.to(nodes)
        except ServiceError as error:
            self._failed(nodes, 0, error)
            return
        self._boots += (boot,) if boot.nodes else ()
        for _ in range(_WARMING_UP):
            if not self._warm:
                await self._tried(nodes, 0, repeat)
        for number in range(1, repeat + 1):
            if self._warm:  # else it would be slower than those that others are compared with
                await self._tried(nodes, number, repeat)

    async def _tried(self, nodes: int, number: int, repeat: int) -> None:
        self._observe(RoundBegun(nodes, number, repeat))
        try:
            await self._round(nodes, number)
        except ServiceError as error:
            self._failed(nodes, number, error)

    async def _round(self, nodes: int, number: int) -> None:
        times = await self._rounds.run()
        self._warm = True
        if number:
            point = self._points[nodes]
            self._points[nodes] = dataclasses.replace(point, runs=(*point.runs, times))
        self._observe(RoundMeasured(nodes, number, times.seconds))
        if number:
            self._keep(self.measurements)

    def _failed(self, nodes: int, number: int, error: ServiceError) -> None:
        """Note that a run, or the wait for nodes, failed. Raises what no later one can do better."""
        if isinstance(error, Unauthorized | NotOurs):
            raise error
        point = self._points[nodes]
        self._points[nodes] = dataclasses.replace(point, failures=(*point.failures, str(error)))
        self._observe(RoundFailed(nodes, number, str(error)))
        self._keep(self.measurements)
