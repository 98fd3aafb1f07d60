"""What tasks wrote is found where it is: on nodes, or beside the results."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.journal.records import Attempt, Outcome
from fastbatch.model import Task
from fastbatch.stages import logs
from fastbatch.stages.logs import Log, Logs, Stream, Written
from tests.local import instances
from tests.local.instances import Instance
from tests.recorded import Recorded, planned
from tests.seam import using

FAILS = "sh -c 'echo said; echo wrong >&2; exit 3'"


@pytest.fixture(scope="module")
def client(services: Instance) -> Iterator[Any]:
    """Have a client."""
    with services.client() as found:
        yield found


@pytest.fixture(scope="module")
def pool(client: Any) -> Iterator[str]:
    """Have a pool with a node."""
    with instances.pool(client) as name:
        yield name


@pytest.fixture
def run(services: Instance, pool: str, tmp_path: Path) -> Recorded:
    """Have a run in a journal, of which there is nothing on the services."""
    return Recorded(services, planned(5), tmp_path, pool=pool)


def found(account: Account, run: Recorded, task: Task) -> tuple[Log | None, dict[str, bytes]]:
    """Look for what a task wrote, and read it."""

    async def scene(connected: Services) -> tuple[Log | None, dict[str, bytes]]:
        with run.journal() as journal:
            at = Logs(connected, journal.record(run.id), journal.attempts(run.id))
        log = await at.of(task, tuple(Stream))
        texts = {}
        for written in log.written if log else ():
            texts[written.stream.value] = b"".join([piece async for piece in written.pieces()])
        return log, texts

    return using(account, scene)


def named(account: Account, run: Recorded, *, failed: bool) -> list[str]:
    """Name the tasks that there are."""

    async def scene(connected: Services) -> list[str]:
        with run.journal() as journal:
            at = Logs(connected, journal.record(run.id), journal.attempts(run.id))
        return [task.id for task in await at.tasks(failed=failed)]

    return using(account, scene)


def test_a_task_that_the_journal_does_not_know_is_found_in_its_job(
    account: Account, client: Any, run: Recorded
) -> None:
    """With its node and how it ended."""
    run.make_job()
    run.run_task("b00001", FAILS)
    log, texts = found(account, run, Task("b00001"))

    assert texts == {"stdout.txt": b"said\n", "stderr.txt": b"wrong\n"}
    assert log
    assert log.ending
    assert (log.state, log.ending.succeeded, log.ending.exit_code) == ("completed", False, 3)
    assert log.node == client.get_task(run.id, "b00001").node_info.node_id


def test_a_later_attempt_is_found_in_a_later_job(account: Account, run: Recorded) -> None:
    """Whichever it is in."""
    with run.journal() as journal:
        journal.note_job(run.id, 2, None)
    run.make_job()
    later = run.make_job(2)
    run.run_task("b00001-r1", "echo later", later)
    run.run_task("b00002", "echo first")

    assert found(account, run, Task("b00001", 1))[1]["stdout.txt"] == b"later\n"
    assert found(account, run, Task("b00002"))[1]["stdout.txt"] == b"first\n"
    assert named(account, run, failed=False) == ["b00001-r1", "b00002"]


def test_a_task_that_runs_shows_what_it_wrote_so_far(account: Account, client: Any, run: Recorded) -> None:
    """And it has no end yet."""
    run.make_job()
    run.begin_task("b00001", "sh -c 'echo begun; sleep 60'")
    instances.eventually(
        lambda: found(account, run, Task("b00001"))[1].get("stdout.txt"), lambda text: text == b"begun\n"
    )
    log, _ = found(account, run, Task("b00001"))
    client.terminate_task(run.id, "b00001")

    assert log
    assert (log.state, log.ending) == ("running", None)


def test_what_a_failed_task_left_in_storage_counts_when_its_job_is_gone(account: Account, run: Recorded) -> None:
    """With what the journal knows of its end."""
    run.note(attempts=[Attempt(Task("b00001"), 0, Outcome.FAILED, 3, "it failed", "node-1")])
    run.keep("b00001/stderr.txt", b"wrong\n")
    log, texts = found(account, run, Task("b00001"))

    assert texts == {"stderr.txt": b"wrong\n"}
    assert log
    assert log.ending
    assert (log.state, log.ending.exit_code, log.ending.message, log.node) == (None, 3, "it failed", "node-1")


def test_what_is_left_in_storage_counts_when_the_files_are_gone(account: Account, client: Any, run: Recorded) -> None:
    """As an hour after the end of a task, or with its node."""
    run.make_job()
    body = {"id": "b00001", "commandLine": FAILS, "constraints": {"retentionTime": "PT0S"}}
    client.create_task(run.id, body)
    run.keep("b00001/stderr.txt", b"kept\n")
    instances.eventually(
        lambda: found(account, run, Task("b00001"))[1], lambda texts: texts == {"stderr.txt": b"kept\n"}, seconds=40
    )


def test_a_task_that_was_never_added_is_none(account: Account, run: Recorded) -> None:
    """Whether its job is there or not."""
    assert found(account, run, Task("b00002")) == (None, {})
    run.make_job()
    assert found(account, run, Task("b00002")) == (None, {})


def test_a_task_that_waits_has_written_nothing(account: Account, client: Any, run: Recorded) -> None:
    """As in a job that is held."""
    run.make_job()
    client.begin_disable_job(run.id, {"disableTasks": "requeue"}, polling_interval=3600)
    run.begin_task("b00001", "true")
    log, texts = found(account, run, Task("b00001"))

    assert log
    assert (log.state, log.ending, texts) == ("active", None, {})


def test_a_job_of_the_same_name_is_not_the_run_s(account: Account, run: Recorded) -> None:
    """Nothing of it is shown."""
    run.make_job(uid="another")
    run.run_task("b00001", "echo secret")

    assert found(account, run, Task("b00001")) == (None, {})
    assert named(account, run, failed=False) == []


def test_failed_tasks_are_those_that_either_knows_to_have_failed(account: Account, run: Recorded) -> None:
    """In order, each once."""
    run.make_job()
    run.run_task("b00004", "false")
    run.run_task("b00003", "false")
    run.run_task("b00005", "true")
    run.note(
        attempts=[
            Attempt(Task("b00001"), 0, Outcome.FAILED),
            Attempt(Task("b00001", 1), 0, Outcome.OPEN),
            Attempt(Task("b00002"), 0, Outcome.REJECTED),
            Attempt(Task("b00003"), 0, Outcome.FAILED),
            Attempt(Task("b00005"), 0, Outcome.SUCCEEDED),
        ]
    )
    assert named(account, run, failed=True) == ["b00001", "b00003", "b00004"]
    assert named(account, run, failed=False) == ["b00001", "b00001-r1", "b00003", "b00005"]


def held(content: bytes) -> Written:
    """Give a text that is at hand."""

    async def part(span: range) -> bytes:
        return content[span.start : span.stop]

    return Written(Stream.STDOUT, len(content), part)


TEXTS = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n\n"]), max_size=30).map(b"".join)


@given(TEXTS, st.integers(1, 8), st.integers(1, 5))
def test_the_last_lines_are_those_that_splitting_gives(content: bytes, number: int, step: int) -> None:
    """Wherever it is divided to be looked through."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "_STEP", step)
        start = anyio.run(held(content).last_lines, number)
    assert content[start:] == b"".join(content.splitlines(keepends=True)[-number:])


@given(TEXTS, st.integers(0, 40), st.integers(1, 5))
def test_pieces_are_the_whole(content: bytes, start: int, size: int) -> None:
    """From where they begin."""

    async def read() -> bytes:
        return b"".join([piece async for piece in held(content).pieces(start)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "PIECE", size)
        assert anyio.run(read) == content[start:]
