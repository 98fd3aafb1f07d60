"""Which inputs of a run are done, and which failed; one that is cut is done when all its slices are."""

from collections import Counter
from collections.abc import Collection

from fastbatch.model import Books, Bundle, Failure, Kind, Plan


class Inputs:
    """The inputs of a plan; each is open until it is done or lost."""

    def __init__(self, plan: Plan) -> None:
        self._items = plan.items
        # Of each input that was cut, how many slices are not done.
        self._slices = Counter(bundle.items[0].name for bundle in plan.bundles if bundle.kind is Kind.SLICE)
        self._failures: dict[str, Failure] = {}
        self._done = 0

    @property
    def books(self) -> Books:
        """Count them."""
        return Books(len(self._items), self._done, len(self._failures))

    @property
    def lost(self) -> Collection[str]:
        """Name those that failed."""
        return self._failures.keys()

    @property
    def failures(self) -> list[Failure]:
        """Say of those that failed why, in the order of the plan."""
        return [self._failures[item.name] for item in self._items if item.name in self._failures]

    def lose(self, failure: Failure) -> bool:
        """Note that one failed; tell whether it had not before."""
        if failure.name in self._failures:
            return False
        self._failures[failure.name] = failure
        return True

    def finish(self, bundle: Bundle, lost: Collection[str]) -> int:
        """Note that a bundle is done, but for what it lost; tell how many inputs that makes."""
        if bundle.kind is Kind.SLICE:
            self._slices[bundle.items[0].name] -= 1
            finished = int(self.counts(bundle))
        else:
            finished = sum(item.name not in lost for item in bundle.items)
        self._done += finished
        return finished

    def counts(self, bundle: Bundle) -> bool:
        """Tell whether what is found of a bundle that is done counts: that of a slice does if all others are done."""
        name = bundle.items[0].name
        return bundle.kind is not Kind.SLICE or not (self._slices[name] or name in self._failures)
