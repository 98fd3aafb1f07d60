"""Measuring from the command line: shown, kept, and ended well however it ends."""

import contextlib
import shlex
from dataclasses import dataclass
from functools import partial

import anyio
import click

from fastbatch.cli.conducting import end
from fastbatch.cli.display import Display, Wishes, choose
from fastbatch.cli.interruption import Interrupted
from fastbatch.cli.signalled import until_signalled
from fastbatch.cli.speaking import say
from fastbatch.cli.tuning import outcome
from fastbatch.cli.tuning.asked import Asked, Prepared
from fastbatch.cli.tuning.completed import TuneCompleted
from fastbatch.cli.tuning.keeping import Keeper
from fastbatch.cli.tuning.wanted import Wanted
from fastbatch.errors import FastbatchError, OutputFailed
from fastbatch.place import Place
from fastbatch.settings import Account
from fastbatch.terminal import escaped
from fastbatch.tuning.measured import Measurements
from fastbatch.tuning.measuring import Intention, TuneManners, measure, work_of
from fastbatch.tuning.study import study

_STOPPING = (
    "Stopping: the pool is left as it was found, then what was measured is shown. A second signal leaves at once, and "
    "the pool as it is then, which may cost money: fastbatch pool show {}"
)


@dataclass(frozen=True, slots=True)
class Sitting:
    """What is asked for, and by whom it is seen."""

    asked: Asked
    wanted: Wanted
    display: Display

    def tell(self, text: str) -> None:
        """Say something on stderr, unless only errors and results are wanted."""
        if not self.asked.quiet:
            say(text)

    def conclude(self, measurements: Measurements, kept: str | None = None) -> bool:
        """Show what measurements say, and write it to the folder for outputs; tell whether all went well."""
        wanted = self.wanted
        findings = study(measurements, price=wanted.price, simulate=wanted.simulate, conditions=wanted.conditions)
        self.display(TuneCompleted(findings))
        if kept is not None:
            self.tell(f"To look at it again: fastbatch tune --from {escaped(shlex.quote(kept))}")
        try:
            if self.asked.output is not None:
                outcome.write(self.asked.output, findings, self.tell)
        except OutputFailed as error:
            self.display.say(f"What was found is not all there: {escaped(str(error))}")
            return False
        return True


def from_measurements(asked: Asked, wanted: Wanted, measurements: Measurements, notices: list[str]) -> None:
    """Show what was measured before."""
    with choose(_wishes(asked), parts=outcome.PARTS) as display:
        sitting = Sitting(asked, wanted, display)
        for notice in notices:
            sitting.tell(notice)
        sound = sitting.conclude(measurements)
    end(display, complete=sound)


def from_runs(asked: Asked, prepared: Prepared) -> None:
    """Measure, and show it; what was measured is shown also if measuring is broken off."""
    with choose(_wishes(asked), parts=outcome.PARTS) as display:
        sitting = Sitting(asked, prepared.wanted, display)
        account = prepared.configuration.account or _local_account(sitting)
        keeper = Keeper(asked.output, prepared.configuration.settings.name, display.say)
        try:
            _measure(prepared, account, display, keeper)
        except (Interrupted, FastbatchError):
            _conclude(sitting, keeper)
            raise
        sound = _conclude(sitting, keeper)
    end(display, complete=sound and _is_complete(keeper, prepared.wanted))


def _measure(prepared: Prepared, account: Account, display: Display, keeper: Keeper) -> None:
    intention = Intention(prepared.wanted.nodes, prepared.wanted.repeat, work_of(prepared.whole))
    configuration = prepared.configuration
    place = Place.of(account, profile=configuration.profile, local=configuration.account is None)
    manners = TuneManners(display, keeper.keep)
    doing = partial(measure, prepared.plan, prepared.configuration.settings, account, intention, manners, place=place)

    def stopping() -> None:
        display.stop()  # so that a second signal leaves the terminal as it was
        with contextlib.suppress(OSError):  # nobody may be there to read it
            click.echo(_STOPPING.format(escaped(prepared.configuration.settings.pool)), err=True)

    anyio.run(until_signalled, doing, stopping)


def _conclude(sitting: Sitting, keeper: Keeper) -> bool:
    """Show what was kept, if anything; tell whether it is kept, and all of this went well."""
    sitting.display.stop()
    if keeper.last is None:
        return False
    return sitting.conclude(keeper.last, keeper.path if keeper.is_sound else None) and keeper.is_sound


def _is_complete(keeper: Keeper, wanted: Wanted) -> bool:
    """Tell whether each number of nodes has a run."""
    points = keeper.last.points if keeper.last else ()
    return {point.nodes for point in points if point.runs} >= set(wanted.nodes)


def _wishes(asked: Asked) -> Wishes:
    return Wishes(json=asked.json, quiet=asked.quiet, verbose=asked.verbose, log_file=asked.log_file)


def _local_account(sitting: Sitting) -> Account:
    from fastbatch.cli.account import local_account

    return local_account(sitting.tell)
