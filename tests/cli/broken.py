"""Runs that were broken off, or left to the service, and the user who goes on with them."""

import signal

from tests.cli import FASTBATCH
from tests.cli.running import Done, Record, Runner
from tests.counted import counts, reference, texts, write
from tests.local.instances import new_name
from tests.proxy import Proxy, Rule

ALWAYS = 1_000_000
COMMAND = ["in", "--json", "--output", "out", "--files-per-task", "3"]

Corpus = dict[str, bytes]


def corpus(runner: Runner, number: int = 8) -> Corpus:
    """Write texts that nobody has uploaded, below the user's folder `in`."""
    found = {**texts(number), "own.txt": new_name().encode()}
    write(runner.folder / "in", found)
    return found


def is_whole(runner: Runner, found: Corpus, output: str = "out") -> bool:
    """Tell whether an output folder has the counts of all texts."""
    return counts(runner.folder / output) == dict(reference(list(found.values())))


def do(runner: Runner, verb: str, *arguments: str) -> Done:
    """Run a verb to its end."""
    return runner.call(*FASTBATCH, verb, *arguments)


def never_ending(batch: Proxy) -> None:
    """Have no task ever seen to end."""
    batch.rules.append(Rule("GET", "/tasks\\?", times=ALWAYS, edit=lambda _: b'{"value":[]}'))


def killed(runner: Runner, batch: Proxy, *arguments: str, at: str = "tasks.submitted") -> str:
    """Run until an event, and kill it then; give the run."""
    never_ending(batch)
    with runner.running(*(arguments or COMMAND)) as run:
        run.until(at)
        run.send(signal.SIGKILL)
        done = run.end(10)
    batch.rules.clear()
    assert done.code == -signal.SIGKILL
    return str(done.records()[0]["run"])


def detached(runner: Runner, *arguments: str) -> str:
    """Submit and leave it to the service; give the run."""
    done = runner.run(*(arguments or COMMAND), "--detach")
    assert done.code == 0, done.err
    last = done.records()[-1]
    assert last["event"] == "run.detached"
    return str(last["run"])


def of(done: Done, event: str) -> list[Record]:
    """Give what was told of an event."""
    return [record for record in done.records() if record["event"] == event]
