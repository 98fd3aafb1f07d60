"""Measuring how long a plan takes on more and on fewer nodes, each number of them several times."""

from collections.abc import Callable
from dataclasses import dataclass

from fastbatch.events import Observer
from fastbatch.model import Plan
from fastbatch.place import Place
from fastbatch.settings import Account, Settings
from fastbatch.tuning.measured import Measurements, Work


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

    Raises UsageError before anything is done, if the account or the pool can't be used for it.
    """
    raise NotImplementedError
