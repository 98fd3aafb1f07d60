"""What happens in a run, written to the journal: many changes at once, and at once where somebody waits for it."""

from collections.abc import Callable
from functools import partial

import anyio
from anyio import CapacityLimiter, to_thread

from fastbatch.books.endings import diagnose
from fastbatch.books.facts import Ended, Fact, Rejected, Submitted
from fastbatch.books.ledger import Ledger
from fastbatch.books.standing import Standing
from fastbatch.journal.records import Attempt, Changes, Outcome
from fastbatch.model import Ending

Write = Callable[[Changes], None]

# Where nobody waits for what changed, it is written this often.
_EVERY = 0.2


class Recorder:
    """Writes down what changes in the books of a run."""

    def __init__(self, write: Write, ledger: Ledger) -> None:
        self._write = write
        self._ledger = ledger
        self._attempts: list[Attempt] = []
        self._standings = dict[str, Standing]()
        self._noted = self._written = 0
        self._wanted = anyio.Event()
        self._stirred = anyio.Event()
        self._turned = anyio.Event()
        self._thread = CapacityLimiter(1)
        self._writing = anyio.Lock()

    def note(self, fact: Fact) -> None:
        """Take note of a fact that was entered into the books."""
        match fact:
            case Submitted():
                # One whose ending was faster than the answer to its submission is noted already.
                self._attempts += [Attempt(task, fact.job) for task in fact.tasks if self._ledger.awaits(task)]
            case Rejected() if self._ledger.failed_by(fact.task):  # else it was taken before, and this changes nothing
                self._attempts.append(Attempt(fact.task, outcome=Outcome.REJECTED, reason=fact.reason))
            case Ended():
                self._attempts.append(_ended(fact.ending))
            case _:
                pass
        self._noted += 1
        self._stirred.set()

    async def work(self) -> None:
        """Write what changes, until cancelled."""
        while True:
            await self._stirred.wait()
            with anyio.move_on_after(_EVERY):
                await self._wanted.wait()
            await self.flush()

    async def written(self) -> None:
        """Wait until all that was noted is in the journal."""
        until = self._noted
        while self._written < until:
            self._wanted.set()
            await self._turned.wait()

    async def flush(self) -> None:
        """Write what is not yet written."""
        async with self._writing:
            until = self._noted
            self._standings |= self._ledger.changes()
            attempts = len(self._attempts)
            changes = Changes(self._standings, self._attempts[:attempts], self._ledger.books)
            self._stirred, self._wanted = anyio.Event(), anyio.Event()
            # What can't be written now is kept, as the journal may work again when the run ends.
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(partial(self._write, changes), limiter=self._thread)
            self._standings = dict[str, Standing]()
            del self._attempts[:attempts]
            self._written = until
            self._turned.set()
            self._turned = anyio.Event()


def _ended(ending: Ending) -> Attempt:
    if ending.succeeded:
        return Attempt(ending.task, ending.job, Outcome.SUCCEEDED, ending.exit_code, node=ending.node)
    reason = diagnose(ending).reason
    return Attempt(ending.task, ending.job, Outcome.FAILED, ending.exit_code, reason, ending.node)
