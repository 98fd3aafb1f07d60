"""What a run would do: for a look before anything is done."""

import math
from dataclasses import dataclass

from fastbatch import limits
from fastbatch.capacity import BLOCK, IN_MEMORY
from fastbatch.model import Kind, Plan

# Containers, the node's program, the job: made or looked for once in each run.
_STORAGE_ONCE, _BATCH_ONCE = 8, 2


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many requests a run needs, when nothing is there and nothing goes wrong; polling comes on top."""

    uploads: int
    submissions: int
    downloads: int
    others: int

    @property
    def requests(self) -> int:
        """Give all of them."""
        return self.uploads + self.submissions + self.downloads + self.others


def forecast(plan: Plan, *, for_pool: int) -> Forecast:
    """Count the requests that a plan needs, with so many for the pool."""
    tasks = len(plan.bundles)
    return Forecast(
        uploads=sum(_puts(bundle.kind, bundle.size) for bundle in plan.bundles),
        submissions=math.ceil(tasks / limits.TASKS_PER_COLLECTION),
        downloads=tasks,
        others=_STORAGE_ONCE + _BATCH_ONCE + for_pool,
    )


def _puts(kind: Kind, size: int) -> int:
    if kind is Kind.TAR or size <= IN_MEMORY:
        return 1
    return math.ceil(size / BLOCK) + 1
