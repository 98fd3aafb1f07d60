"""A run is cancelled while it goes on, gone on with, and cleaned away."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fastbatch.journal.records import Phase
from tests.cli import FASTBATCH
from tests.cli.running import Runner
from tests.counted import counts, reference, texts, write
from tests.local import instances
from tests.local.instances import eventually, new_name
from tests.recorded import journal_in

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]


@contextmanager
def occupied(runner: Runner, pool: str) -> Iterator[None]:
    """Have the only slot of a pool taken for a while, so that no other task runs there."""
    with runner.services.client() as client, instances.job(client, pool) as job:
        client.create_task(job, {"id": "t", "commandLine": "sleep 1000"})
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "running")
        yield


def test_a_run_ends_when_it_is_cancelled_and_goes_on_when_it_is_resumed(runner: Runner) -> None:
    """Its own process sees that; nothing of it runs any more until then, and nothing is lost or counted twice."""
    found = {**texts(6), "own.txt": new_name().encode()}
    write(runner.folder / "in", found)
    with runner.services.client() as client, instances.pool(client, nodes=1, slots=1) as pool:
        with occupied(runner, pool), runner.running("in", "--pool", pool, "--json", "--output", "out") as running:
            run = running.until("run.started")["run"]
            running.until("tasks.submitted")
            cancelled = runner.call(*FASTBATCH, "cancel", run)
            done = running.end(60)
        assert cancelled.code == 0
        assert "1 job ended" in cancelled.err
        assert (done.code, done.records()[-1]["inputs"]["done"]) == (1, 0)
        with journal_in(runner.state) as journal:
            assert journal.record(run).phase is Phase.CANCELLED

        resumed = runner.call(*FASTBATCH, "resume", run, "--json")
        assert resumed.code == 0
        assert resumed.records()[-1]["inputs"] == {"planned": 7, "done": 7, "failed": 0, "open": 0}
        assert counts(runner.folder / "out") == dict(reference(list(found.values())))
        with journal_in(runner.state) as journal:
            assert journal.record(run).phase is Phase.OVER
            assert journal.record(run).job == 1

        assert runner.call(*FASTBATCH, "clean", run, "--yes").code == 0
    assert [name for name in runner.left_there() if run in name] == []
    assert [path for path in runner.left_here() if run in str(path)] == []
