"""How a run is gone about."""

import enum
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from fastbatch.events import Observer
from fastbatch.model import Bundle, Summary, Task
from fastbatch.stages.clean import Confirm
from fastbatch.stages.site import Site
from fastbatch.stopwatch import Stopwatch

# Looks at what a run left on the services when its result is merged and written down, before anything of it is deleted;
# it is given the tasks whose results count. An error in it breaks the run off, and all stays there.
Inspect = Callable[[Site, Iterable[tuple[Bundle, Task]], Summary], Awaitable[None]]


class Reach(enum.Enum):
    """How far a run is driven."""

    END = "end"
    SUBMITTED = "submitted"  # until the service has all of it
    PRESENT = "present"  # no further than it is: what is done is brought here


async def _nothing(site: Site, results: Iterable[tuple[Bundle, Task]], summary: Summary) -> None:
    """Look at nothing."""


@dataclass(frozen=True, slots=True)
class Manners:
    """Who is told, who is asked before something is cleaned away, what takes the time, and how far it goes."""

    observe: Observer
    confirm: Confirm
    stopwatch: Stopwatch
    reach: Reach = Reach.END
    inspect: Inspect = _nothing
    timed: bool = False  # tasks tell when their program was at work
