"""A run that another process drives is followed by what that writes down."""

from dataclasses import replace

import anyio
import pytest

from fastbatch import Settings
from fastbatch.errors import StillGoing, UsageError
from fastbatch.events import BooksRead, Event
from fastbatch.journal.store import Journal
from fastbatch.running.following import follow
from fastbatch.running.holding import held
from tests.journal import made
from tests.journal.made import RUN


@pytest.fixture(autouse=True)
def _begun() -> None:
    """Have a run in the journal, with an output."""
    with Journal.opened() as journal:
        journal.begin(made.record(settings=Settings(output="/out")), made.whole_files("a", "b", "c"))


def test_it_is_waited_for_as_long_as_is_wished() -> None:
    """Then it is told how far it is, and it goes on."""
    seen: list[Event] = []
    with held(RUN), pytest.raises(StillGoing, match=rf"0 of 3 inputs are done by now.*fastbatch watch {RUN}"):
        anyio.run(follow, RUN, seen.append, Settings(output="/out", timeout=0.01))

    assert seen[-1] == BooksRead(0, 0)


@pytest.mark.parametrize(
    ("anew", "named"),
    [
        (Settings(output="/elsewhere"), "--output"),
        (Settings(output="/out", per_file=True, keep_data=True), "--per-file and --keep-data"),
    ],
)
def test_nobody_is_left_to_believe_that_another_process_does_what_is_told_here(anew: Settings, named: str) -> None:
    """It ends the run as it was told to, and so what it can't know of is refused before anybody waits."""
    with held(RUN), pytest.raises(UsageError, match=rf"^{named} can't be given now.*fastbatch fetch {RUN}"):
        anyio.run(follow, RUN, print, anew)


def test_what_nobody_drives_is_not_followed() -> None:
    """Whatever the settings."""
    assert anyio.run(follow, RUN, print, replace(Settings(), top=3)) is None
