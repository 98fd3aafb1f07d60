"""How a run is gone about."""

import enum
from dataclasses import dataclass

from fastbatch.events import Observer
from fastbatch.stages.clean import Confirm
from fastbatch.stopwatch import Stopwatch


class Reach(enum.Enum):
    """How far a run is driven."""

    END = "end"
    SUBMITTED = "submitted"  # until the service has all of it
    PRESENT = "present"  # no further than it is: what is done is brought here


@dataclass(frozen=True, slots=True)
class Manners:
    """Who is told, who is asked before something is cleaned away, what takes the time, and how far it goes."""

    observe: Observer
    confirm: Confirm
    stopwatch: Stopwatch
    reach: Reach = Reach.END
