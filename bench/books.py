"""The books of a run whose bundles are all stored."""

import time
from collections.abc import Sequence

from fastbatch.books.facts import Action, Built, Collected, Ended, Fact, Stored, Submit
from fastbatch.books.ledger import Ledger
from fastbatch.model import Blob, Bundle, Item, Kind, Plan


def name(number: int) -> str:
    """Give the id of a bundle."""
    return f"b{number:06}"


class Books:
    """Tasks that are to be submitted; what ends is noted, and taken as fetched."""

    def __init__(self, tasks: int) -> None:
        item = Item("", "", 0, 0)
        bundles = tuple(Bundle(name(number), Kind.WHOLE, (item,)) for number in range(tasks))
        self.ledger = Ledger(Plan((item,) * tasks, bundles, 1), retries=0, retry_wait=0.0)
        self.todo: list[Submit] = []
        self.noticed: dict[str, float] = {}
        self.ledger.begin()
        for bundle in bundles:
            self.ledger.apply(Built(bundle.id, Blob("", 0)))
            self._take(self.ledger.apply(Stored(bundle.id, reused=True)))

    def note(self, fact: Fact) -> None:
        """Enter a fact."""
        self.ledger.apply(fact)
        if isinstance(fact, Ended):
            self.noticed[fact.ending.task.id] = time.time()
            self.ledger.apply(Collected(fact.ending.task))

    def _take(self, actions: Sequence[Action]) -> None:
        self.todo += [action for action in actions if isinstance(action, Submit)]
