"""Measuring by node count, on the local services: what is measured, and what is not."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastbatch import Account, api, patience, run_sync
from fastbatch.errors import NotOurs, Unauthorized, UsageError
from fastbatch.events import (
    Event,
    Noticed,
    PoolFound,
    PoolLeft,
    PoolReady,
    RoundBegun,
    RoundFailed,
    RoundMeasured,
    RunCompleted,
    RunStarted,
    TasksSubmitted,
)
from fastbatch.journal.records import Phase
from fastbatch.tuning.measured import Measurements, Point
from fastbatch.tuning.measuring import work_of
from fastbatch.tuning.sampling import sample
from tests.counted import POOL, account_of
from tests.local import instances
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy
from tests.recorded import journal_in
from tests.tuning.scenes import Scene


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at pools often."""
    monkeypatch.setattr(patience, "LOOK_AGAIN", 0.1)


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have services on which an account has two nodes at most."""
    with instances.lasting_as_long_as_we(tmp_path_factory.mktemp("tight"), node_quota=2) as found:
        yield found


def refusal(status: int, code: str) -> tuple[int, dict[str, str], bytes]:
    """Give an answer of Batch that refuses something."""
    return status, {}, json.dumps({"code": code, "message": {"value": "no"}}).encode()


def test_each_number_of_nodes_is_measured_so_often(services: Instance, account: Account, tmp_path: Path) -> None:
    """The largest first, after a run that does not count; and all that is told of it adds up."""
    folder = tmp_path / "in"
    scene = Scene(folder, output=str(tmp_path / "out"), name="mine", keep_data=True, delete_pool=True)
    found = scene.measure(account, (1, 2, 1), 2)

    assert [(point.nodes, len(point.runs), point.failures) for point in found.points] == [(1, 2, ()), (2, 2, ())]
    assert scene.rounds() == scene.rounds(RoundMeasured) == [(2, 0), (2, 1), (2, 2), (1, 1), (1, 2)]
    assert [sum(len(point.runs) for point in kept.points) for kept in scene.kept] == [1, 2, 3, 4]
    assert scene.kept[-1] == found == Measurements.of(json.loads(json.dumps(found.json())))
    assert [(event.nodes, event.new) for event in scene.seen.of(PoolReady)] == [(2, 2), (1, 0)]
    assert [(boot.nodes, boot.seconds > 0) for boot in found.boots] == [(2, True)]
    assert scene.seen[-1] == PoolLeft(scene.settings.pool, None)
    assert scene.seen.of(Noticed) == []
    assert (found.measured, found.share, found.slots, found.vm_size) == (found.whole, 1.0, 1, "standard_d2s_v3")
    assert found.local  # by where its services are, however they were named
    for point in found.points:
        for run in point.runs:
            assert 0 < run.opening < run.opening + max(task.ended for task in run.tasks) < run.seconds + 0.1
            assert 0 < run.merge < run.seconds
            assert run.uploaded == 0
            assert [task.task for task in run.tasks] == ["b00001", "b00002", "b00003"]
            assert sum(task.bytes for task in run.tasks) == found.measured.bytes
            assert len({task.node for task in run.tasks}) <= point.nodes
    _see_that_each_was_a_run_like_others(services, scene)
    assert not (tmp_path / "out").exists()


def _see_that_each_was_a_run_like_others(services: Instance, scene: Scene) -> None:
    """See that the journal has them, complete, and nothing of them is left but what was uploaded."""
    runs = [event.summary.run for event in scene.seen.of(RunCompleted)]
    assert len(runs) == 5
    assert all(run.startswith("mine-") for run in runs)
    with journal_in() as journal:
        assert [(record.id, record.phase) for record in journal.runs()] == [(run, Phase.OVER) for run in runs[::-1]]
    left = {container.name for container in services.blobs().list_containers()}
    assert left.isdisjoint(f"fastbatch-out-{run}" for run in runs)


def test_a_sample_is_measured_as_a_part_of_the_whole(account: Account, tmp_path: Path) -> None:
    """A later run of all finds its bundles uploaded."""
    scene = Scene(tmp_path, top=3)
    for item in scene.plan.items:
        Path(item.path).write_bytes(new_name().encode() * (item.size // 14))
    whole = api.prepare([str(tmp_path)], scene.settings)
    scene.plan = sample(whole, 0.4)
    found = scene.measure(account, (1,), whole=work_of(whole))
    summary = run_sync([str(tmp_path)], dataclasses.replace(scene.settings, pool=POOL), account=account)

    assert [bundle.id for bundle in scene.plan.bundles] == ["b00002"]
    assert [task.task for task in found.points[0].runs[0].tasks] == ["b00002"]
    assert 0.3 < found.share < 0.4
    assert (found.measured.bundles, found.whole.bundles) == (1, 3)
    assert (summary.complete, summary.uploaded, summary.reused) == (True, 2, 1)


def test_a_pool_that_can_not_be_resized_is_measured_as_it_is(services: Instance, tmp_path: Path) -> None:
    """What was asked for and not had is kept as failed."""
    scene = Scene(tmp_path)
    with services.client() as client, instances.pool(client, 1, 1) as pool, proxy(services.endpoint) as batch:
        scene.settings = dataclasses.replace(scene.settings, pool=pool)
        batch.rules.append(Rule("POST", "/resize", refuse=refusal(409, "AccountCoreQuotaReached")))
        found = scene.measure(account_of(services, batch_endpoint=batch.url), (1, 2))

    one, two = found.points
    assert (len(one.runs), one.failures, two.runs) == (1, (), ())
    assert "AccountCoreQuotaReached" in two.failures[0]
    assert scene.rounds(RoundFailed) == [(2, 0)]
    assert scene.kept[0].points == (Point(1), two)
    assert found.boots == ()
    assert scene.seen[-1] == PoolLeft(pool, 1)


@pytest.mark.slow
def test_a_number_of_nodes_that_is_not_to_be_had_is_kept_as_failed(tight: Instance, tmp_path: Path) -> None:
    """With the reason; and the others are measured."""
    scene = Scene(tmp_path)
    found = scene.measure(account_of(tight), (1, 3))

    one, three = found.points
    assert (len(one.runs), one.failures, three.runs) == (1, (), ())
    assert "AccountCoreQuotaReached" in three.failures[0]
    assert "2 nodes that can be used, not 3" in three.failures[0]
    assert scene.rounds(RoundFailed) == [(3, 0)]
    assert scene.rounds() == [(1, 0), (1, 1)]
    assert scene.kept[0].points == (Point(1), three)


def test_a_run_that_fails_is_kept_as_failed(services: Instance, tmp_path: Path) -> None:
    """
    Whether a service fails, or an input; the next one is measured, and nothing goes on beside it.

    One to warm up is tried again, so that what is measured finds all uploaded.
    """
    scene = Scene(tmp_path, task_retries=0)
    with proxy(services.endpoint) as batch, proxy(account_of(services).storage_endpoint) as storage:
        batch.rules.append(Rule("POST", "/addtaskcollection", refuse=refusal(400, "NoLuck")))
        account = account_of(services, batch_endpoint=batch.url, storage_endpoint=storage.url)
        missing = Rule("GET", "b00002/result", refuse=(404, {"x-ms-error-code": "BlobNotFound"}, b""))
        scene.when = lambda event: storage.rules.append(missing) if event == RoundBegun(1, 2, 3) else None
        found = scene.measure(account, (1,), 3)

    (point,) = found.points
    broken, incomplete = point.failures
    assert (len(point.runs), len(scene.kept)) == (2, 4)
    assert scene.rounds() == [(1, 0), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert scene.rounds(RoundFailed) == [(1, 0), (1, 2)]
    assert [run.uploaded for run in point.runs] == [0, 0]
    assert "NoLuck" in broken
    assert "1 of 3 inputs failed; first 'text-0001.txt': the task ended well, but" in incomplete
    runs = [event.run for event in scene.seen.of(RunStarted)]
    with services.client() as client, journal_in() as journal:
        assert [client.get_job(run).state for run in (runs[0], runs[3])] == ["completed", "completed"]
        assert journal.record(runs[3]).phase is Phase.OVER
        for run in (runs[0], runs[3]):
            client.begin_delete_job(run, polling_interval=3600)


def test_what_can_not_get_better_ends_it_all(services: Instance, tmp_path: Path) -> None:
    """And the pool is left as it was found, where that can be done."""
    scene = Scene(tmp_path)
    with proxy(services.endpoint) as batch:
        denied = Rule("POST", "/jobs", times=1000, refuse=refusal(403, "AuthenticationFailed"))
        scene.when = lambda event: batch.rules.append(denied) if event == RoundBegun(1, 1, 2) else None
        with pytest.raises(Unauthorized):
            scene.measure(account_of(services, batch_endpoint=batch.url), (1,), 2)

    assert scene.rounds() == [(1, 0), (1, 1)]
    assert scene.seen[-1] == PoolLeft(scene.settings.pool, None)


@pytest.mark.slow
def test_a_pool_that_somebody_deletes_meanwhile_ends_it_all(
    services: Instance, account: Account, tmp_path: Path
) -> None:
    """A run makes it anew, but not as it was; that is said, with what was done about it."""
    scene = Scene(tmp_path)
    pool = scene.settings.pool
    with services.client() as client:

        def delete(event: Event) -> None:
            if event == RoundBegun(1, 1, 2):
                client.begin_delete_pool(pool, polling_interval=3600)

        scene.when = delete
        with pytest.raises(NotOurs, match=f"fastbatch pool delete {pool}"):
            scene.measure(account, (1,), 2)
        client.begin_delete_pool(pool, polling_interval=3600)

    assert scene.rounds() == [(1, 0), (1, 1)]
    assert "made anew meanwhile" in scene.seen.of(Noticed)[-1].text
    assert scene.seen.of(PoolLeft) == []


@pytest.mark.parametrize(("nodes", "repeat", "said"), [((), 1, "numbers"), ((0, 1), 1, "numbers"), ((1,), 0, "once")])
def test_nothing_to_measure_is_told_at_once(
    account: Account, tmp_path: Path, nodes: tuple[int, ...], repeat: int, said: str
) -> None:
    """Before anything is sent."""
    scene = Scene(tmp_path)
    with pytest.raises(UsageError, match=said):
        scene.measure(account, nodes, repeat)
    assert scene.seen == []


def test_runs_that_can_not_be_recorded_are_told_at_once(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before there are nodes to be paid for."""
    scene = Scene(tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="XDG_STATE_HOME"):
        scene.measure(account, (1,))
    assert scene.seen == []


def begun(number: int) -> Callable[[Scene], Callable[[Event], bool]]:
    """Give what tells when a round has tasks."""
    return lambda scene: lambda event: isinstance(event, TasksSubmitted) and scene.rounds()[-1][1] == number


def shrinking(_scene: Scene) -> Callable[[Event], bool]:
    """Give what tells when nodes go."""
    return lambda event: isinstance(event, PoolFound) and event.resized and event.nodes == 1


@pytest.mark.parametrize(
    ("at", "there"),
    [
        pytest.param(begun(0), True, id="warming up, there"),
        pytest.param(begun(1), False, id="measuring"),
        pytest.param(shrinking, True, id="shrinking, there", marks=pytest.mark.slow),
        pytest.param(begun(0), False, id="warming up", marks=pytest.mark.slow),
        pytest.param(begun(1), True, id="measuring, there", marks=pytest.mark.slow),
        pytest.param(shrinking, False, id="shrinking", marks=pytest.mark.slow),
    ],
)
def test_an_interruption_leaves_nothing_that_is_of_no_use(
    services: Instance,
    account: Account,
    tmp_path: Path,
    at: Callable[[Scene], Callable[[Event], bool]],
    *,
    there: bool,
) -> None:
    """Neither jobs nor results nor nodes; the journal has what there was."""
    scene = Scene(tmp_path)
    with services.client() as client, contextlib.ExitStack() as stack:
        if there:
            scene.settings = dataclasses.replace(scene.settings, pool=stack.enter_context(instances.pool(client, 3, 1)))
        assert scene.interrupted(account, (1, 2), at(scene))

        assert scene.seen[-1] == PoolLeft(scene.settings.pool, 3 if there else None)
        assert not there or client.get_pool(scene.settings.pool).target_dedicated_nodes == 3
        assert not [event for event in scene.seen.of(Noticed) if "could not" in event.text]
        last = scene.seen.of(RunStarted)[-1].run
        jobs = {job.id: job.state for job in client.list_jobs()}
        assert jobs.get(last, "deleting") == "deleting"
        assert f"fastbatch-out-{last}" not in [container.name for container in services.blobs().list_containers()]
    with journal_in() as journal:
        was_over = at is shrinking
        assert journal.record(last).phase is (Phase.OVER if was_over else Phase.CANCELLED)
