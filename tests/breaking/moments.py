"""Moments at which a run may be broken off, drawn by chance from all that there are from its first to its last act."""

import itertools
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.breaking.trial import Trial
from tests.cli.running import Done, Running
from tests.proxy import Rule

_KINDS = ("event", "unsent request", "change of a file", "lost answer")


@dataclass(frozen=True)
class Span:
    """How much a run does that nothing befalls."""

    events: int
    requests: int
    changes: int  # of files of its own


@dataclass(frozen=True)
class Moment:
    """A moment: that of some number, of all of a kind."""

    kind: str
    number: int


def drawn(seed: int, parts: int, span: Span) -> Moment:
    """Draw a moment from one of the parts of a run, so that the seeds from 0 on find some from everywhere in it."""
    share = (seed + random.Random(seed).random()) / parts
    kind = _KINDS[seed % len(_KINDS)]
    most = {"event": span.events, "change of a file": span.changes}.get(kind, span.requests)
    return Moment(kind, 1 + int(share * most))


def measured(trial: Trial) -> Span:
    """Run to the end, and count."""
    number = trial.runner.folder / "changes"
    trial.inside(below=trial.own_folders, counted_in=str(number))
    done = trial.run()
    assert done.code == 0
    return Span(len(done.records()), trial.requests, int(number.read_text()))


def broken_off(trial: Trial, moment: Moment, number: signal.Signals, verb: str = "run") -> Done:
    """Run until a moment, at which a signal comes; if it has ended before, that is fine too."""
    if moment.kind == "change of a file":
        trial.inside(below=trial.own_folders, signalled_at=moment.number, signal=number.value)
    strike = _Strike(number)
    with _at_request(trial, moment, strike), trial.running(verb=verb) as run:
        strike.may_reach(run)
        if moment.kind == "event":
            run.after(moment.number)
            strike()
        done = run.end()
    trial.inside()
    return done


class _Strike:
    """Sends a run a signal, as soon as it is known which one."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number
        self._known = threading.Event()

    def __call__(self) -> None:
        """Send it."""
        assert self._known.wait(10)
        self._run.send(self._number)

    def may_reach(self, run: Running) -> None:
        """Tell it the run."""
        self._run = run
        self._known.set()


@dataclass
class _Struck(Rule):
    """Takes the request of some number, whatever it is, and whichever service it is for."""

    countdown: Iterator[int] = field(default_factory=itertools.count)

    def takes(self, method: str, path: str) -> bool:
        """Count a request, and tell whether it is the one."""
        del method, path
        return next(self.countdown) == 0


@contextmanager
def _at_request(trial: Trial, moment: Moment, strike: _Strike) -> Iterator[None]:
    """Strike when some request has come and no service has seen it yet; or when it was answered, and nobody heard."""

    def heard_by_nobody(content: bytes) -> bytes:
        strike()
        return content

    countdown = itertools.count(1 - moment.number)
    match moment.kind:
        case "unsent request":
            rule = _Struck("", "", then=strike, drop="before", countdown=countdown)
        case "lost answer":
            rule = _Struck("", "", edit=heard_by_nobody, countdown=countdown)
        case _:
            rule = _Struck("", "", countdown=itertools.count(1))
    for service in (trial.batch, trial.storage):
        service.rules.append(rule)
    yield
    for service in (trial.batch, trial.storage):
        service.rules.remove(rule)
