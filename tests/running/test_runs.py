"""Runs, from inputs to merged results, on the local services."""

import itertools
import os
import time
from pathlib import Path

import pytest

from fastbatch import Account, Settings, run_sync
from fastbatch.errors import NotOurs, PoolUnusable, ServiceError, UsageError
from fastbatch.events import (
    BundleUploaded,
    InputFailed,
    Left,
    NodesCounted,
    Noticed,
    PoolFound,
    RunCompleted,
    RunStarted,
    TaskDone,
    TaskFailed,
)
from fastbatch.running import pipeline
from fastbatch.sending.retry import Policy
from fastbatch.stages import guard
from tests.counted import POOL, Seen, account_of, counted, counts, reference, texts, write
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy


def test_a_folder_goes_in_and_merged_counts_come_out(account: Account, tmp_path: Path) -> None:
    """The totals are those of the definition; every input is done."""
    corpus = texts(40)
    summary, seen = counted(account, write(tmp_path / "in", corpus), tmp_path / "out")
    expected = reference(list(corpus.values()))

    assert counts(tmp_path / "out") == dict(expected)
    assert summary.complete
    assert summary.totals.words == expected.total()
    assert summary.totals.bytes == sum(map(len, corpus.values()))
    assert list(summary.totals.top) == sorted(expected.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    assert sum(event.inputs for event in seen.of(TaskDone)) == len(corpus)
    assert seen[-1] == RunCompleted(summary)


def test_empty_tiny_and_odd_files_are_all_counted(account: Account, tmp_path: Path) -> None:
    """A file of any content and any name is an input like others."""
    corpus = {
        "empty": b"",
        "space only": b" \n\t",
        "-rf": b"dash dash",
        "a'b\"c $(touch x)": b"shell",
        "line\nbreak": b"line",
        "\u202egnp.txt": "wörter \ufeff größer".encode(),
        "deep/er/one.txt": b"\xef\xbb\xbfbom \xff\xfe broken",
    }
    folder = write(tmp_path / "in", corpus)
    with open(os.fsencode(folder) + b"/\xff\xfe", "wb") as file:
        file.write(b"undecodable name")
    summary, _ = counted(account, folder, tmp_path / "out", per_file=True)

    assert summary.books.done == len(corpus) + 1
    assert counts(tmp_path / "out") == dict(reference([*corpus.values(), b"undecodable name"]))
    written = {path.name for path in (tmp_path / "out").rglob("*_OUTPUT.txt")}
    assert len(written) == len(corpus) + 1


def test_one_file_a_task_is_the_tutorials_shape(account: Account, tmp_path: Path) -> None:
    """Each file is a blob and a task of its own; equal files share a blob."""
    corpus = {f"{n}.txt": f"{new_name()} {n}".encode() for n in range(5)}
    corpus["again.txt"] = corpus["2.txt"]
    summary, _ = counted(account, write(tmp_path / "in", corpus), tmp_path / "out", files_per_task=1)

    assert summary.tasks == summary.bundles == 6
    assert (summary.uploaded, summary.reused) == (5, 1)
    assert counts(tmp_path / "out") == dict(reference(list(corpus.values())))


def test_a_second_run_uploads_and_makes_nothing(services: Instance, tmp_path: Path) -> None:
    """Also after touch, from another folder, and with one file added: only what is new goes up."""
    name = new_name("marker")
    corpus = {**texts(30), "own.txt": name.encode()}
    folder = write(tmp_path / "in", corpus)
    with proxy(account_of(services).storage_endpoint) as storage, proxy(services.endpoint) as batch:
        account = account_of(services, storage_endpoint=storage.url, batch_endpoint=batch.url)
        counted(account, folder, tmp_path / "out", bundle_size=65536)
        for path in folder.rglob("*.txt"):
            os.utime(path, (time.time(), 1_000_000_000))
        folder = folder.rename(tmp_path / "moved")
        storage.requests.clear()
        batch.requests.clear()
        again, seen = counted(account, folder, tmp_path / "again", bundle_size=65536)

        assert (again.uploaded, again.reused) == (0, again.bundles)
        assert [(event.made, event.resized) for event in seen.of(PoolFound)] == [(False, False)]
        # The results' container, and what nodes write there; one look at what is there, and one at the program.
        assert storage.count("PUT", "restype=container") == 1
        assert storage.count("PUT", "") == 1 + storage.count("PUT", "/result")
        assert storage.count("GET", "comp=list") == 1
        assert storage.count("HEAD", "") == 1
        assert storage.count("GET", "/result") == again.tasks
        assert batch.count("POST", "/addtaskcollection") <= again.tasks
        assert batch.count("POST", "") == 1 + batch.count("POST", "/addtaskcollection")
        assert batch.count("GET", r"/pools/runs\?") >= 1

        write(folder, {"new.txt": new_name().encode()})
        more, _ = counted(account, folder, tmp_path / "more", bundle_size=65536)
        assert (more.uploaded, more.reused) == (1, more.bundles - 1)
        assert more.books.done == len(corpus) + 1


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks be tried again soon."""
    monkeypatch.setattr(pipeline, "RETRY_WAIT", 0.05)


# What is asked as often as it takes: polls, and looks at the pool while they go on.
POLLS = {"list tasks", "count the tasks", "look at the job", "look at the pool", "count the nodes"}


@pytest.mark.parametrize(("files_per_task", "bundles"), [(None, 1), (4, 3), (1, 12)])
def test_a_run_sends_no_more_requests_than_it_needs(
    account: Account, tmp_path: Path, files_per_task: int | None, bundles: int
) -> None:
    """Cold, when nothing of it is there but the containers and the pool; and again, when all is."""
    corpus = {name: f"{new_name()} {name}".encode() for name in texts(12)}
    folder = write(tmp_path / "in", corpus)
    counted(account, write(tmp_path / "first", texts(1)), tmp_path / "out")
    cold, _ = counted(account, folder, tmp_path / "cold", files_per_task=files_per_task)
    warm, _ = counted(account, folder, tmp_path / "warm", files_per_task=files_per_task)

    once = {"list blobs": 1, "make a container": 1, "look at a blob": 1, "delete a container": 1}
    assert cold.requests["storage"] == {**once, "put a blob": bundles, "fetch a result": bundles}
    assert warm.requests["storage"] == {**once, "fetch a result": bundles}
    for summary in (cold, warm):
        batch = {what: count for what, count in summary.requests["batch"].items() if what not in POLLS}
        assert 1 <= batch.pop("add tasks") <= 3
        assert batch == {"make the job": 1, "delete the job": 1}


def test_after_success_nothing_is_left_but_the_pool(services: Instance, account: Account, tmp_path: Path) -> None:
    """Job and output container are gone, and what is left is named."""
    summary, _ = counted(account, write(tmp_path / "in", texts(3)), tmp_path / "out")

    with services.client() as client:
        jobs = [job.id for job in client.list_jobs() if job.id == summary.run and job.state != "deleting"]
    containers = [container.name for container in services.blobs().list_containers()]
    assert jobs == []
    assert f"fastbatch-out-{summary.run}" not in containers
    assert list(summary.left) == ["pool runs"]


def test_data_is_kept_on_request_and_the_job_ends_by_itself(
    services: Instance, account: Account, tmp_path: Path
) -> None:
    """A job that is left holds no quota."""
    summary, _ = counted(account, write(tmp_path / "in", texts(3)), tmp_path / "out", keep_data=True)

    with services.client() as client:
        assert client.get_job(summary.run).all_tasks_complete_mode == "terminatejob"
    assert f"fastbatch-out-{summary.run}" in [each.name for each in services.blobs().list_containers()]
    assert list(summary.left) == [f"job {summary.run}", f"container fastbatch-out-{summary.run}", "pool runs"]


def test_a_file_that_vanishes_is_a_failed_input_and_the_rest_goes_on(services: Instance, tmp_path: Path) -> None:
    """It is named with its reason; the run is not complete, and leaves what it made."""
    folder = write(tmp_path / "in", texts(10))
    gone = folder / "text-0004.txt"
    with proxy(account_of(services).storage_endpoint) as storage:
        # Before the first upload, and after the plan.
        storage.rules.append(Rule("GET", "comp=list", then=gone.unlink))
        account = account_of(services, storage_endpoint=storage.url)
        summary, seen = counted(account, folder, tmp_path / "out")

    assert (summary.books.done, summary.books.failed, summary.books.open) == (9, 1, 0)
    assert [event.name for event in seen.of(InputFailed)] == ["text-0004.txt"]
    assert "gone" in summary.failures[0].reason
    assert f"job {summary.run}" in summary.left
    assert counts(tmp_path / "out") == dict(reference([path.read_bytes() for path in folder.iterdir()]))


def test_a_damaged_blob_is_uploaded_again(services: Instance, account: Account, tmp_path: Path) -> None:
    """The node finds that it is not what was uploaded, and the next attempt has the right one."""
    corpus = {"only.txt": new_name().encode() * 50}
    folder = write(tmp_path / "in", corpus)
    container = services.blobs().get_container_client("fastbatch-input")
    before = set(container.list_blob_names()) if container.exists() else set()
    counted(account, folder, tmp_path / "out")
    (name,) = set(container.list_blob_names()) - before
    size = container.get_blob_client(name).get_blob_properties().size
    container.upload_blob(name, b"x" * size, overwrite=True)
    summary, seen = counted(account, folder, tmp_path / "again")

    assert summary.complete
    assert [(event.task, event.retried) for event in seen.of(TaskFailed)] == [("b00001", True)]
    assert summary.tasks == 2
    assert counts(tmp_path / "again") == dict(reference(list(corpus.values())))
    assert container.download_blob(name).readall() != b"x" * size


def test_a_result_that_is_missing_makes_another_attempt(services: Instance, tmp_path: Path) -> None:
    """A task that ended well is not done until its result is here, and sound."""
    folder = write(tmp_path / "in", texts(3))
    with proxy(account_of(services).storage_endpoint) as storage:
        not_found = (404, {"x-ms-error-code": "BlobNotFound"}, b"")
        storage.rules.append(Rule("GET", "b00001/result", refuse=not_found))
        storage.rules.append(Rule("GET", "b00001-r1/result", edit=lambda body: body[:-20]))
        account = account_of(services, storage_endpoint=storage.url)
        summary, seen = counted(account, folder, tmp_path / "out")

    assert summary.complete
    assert summary.tasks == 3
    assert [event.task for event in seen.of(TaskFailed)] == ["b00001", "b00001-r1"]
    assert [event.task for event in seen.of(TaskDone)] == ["b00001-r2"]


@pytest.mark.slow
def test_requests_that_fail_are_sent_again_and_nothing_is_counted_twice(services: Instance, tmp_path: Path) -> None:
    """Refused with and without Retry-After, answers lost before and after the work, short answers: all of it passes."""
    busy: tuple[int, dict[str, str], bytes] = (503, {}, b'{"code":"ServerBusy","message":{"value":"busy"}}')
    throttled = (429, {"Retry-After": "1"}, b'{"code":"TooManyRequests","message":{"value":"slow down"}}')
    corpus = texts(20)
    with proxy(account_of(services).storage_endpoint) as storage, proxy(services.endpoint) as batch:
        batch.rules += [
            Rule("POST", "/jobs\\?", drop="after"),
            Rule("POST", "/addtaskcollection", refuse=throttled),
            Rule("POST", "/addtaskcollection", drop="after"),
            Rule("POST", "/addtaskcollection", edit=lambda _: b'{"value":[]}'),
            Rule("GET", "/tasks\\?", refuse=busy),
            Rule("GET", "/tasks\\?", drop="before"),
        ]
        storage.rules += [
            Rule("PUT", "/fastbatch-input/", drop="after"),
            Rule("PUT", "/fastbatch-input/", refuse=(500, {"x-ms-error-code": "InternalError"}, b"")),
            Rule("GET", "/result", drop="after"),
        ]
        account = account_of(services, storage_endpoint=storage.url, batch_endpoint=batch.url)
        summary, _ = counted(account, write(tmp_path / "in", corpus), tmp_path / "out", files_per_task=5)

        assert [rule for rule in [*batch.rules, *storage.rules] if rule.times] == []
    assert summary.complete
    assert summary.tasks == summary.bundles == 4
    assert counts(tmp_path / "out") == dict(reference(list(corpus.values())))


def test_a_job_of_that_name_that_is_not_ours_is_told(services: Instance, tmp_path: Path) -> None:
    """It is never mixed with ours."""
    with proxy(services.endpoint) as batch:
        exists: tuple[int, dict[str, str], bytes] = (409, {}, b'{"code":"JobExists","message":{"value":"it exists"}}')
        batch.rules.append(Rule("POST", "/jobs\\?", refuse=exists))
        account = account_of(services, batch_endpoint=batch.url)
        with pytest.raises(NotOurs, match="that this run did not make"):
            counted(account, write(tmp_path / "in", texts(2)), tmp_path / "out")


def test_a_pool_whose_start_task_fails_ends_the_run_with_what_was_seen(account: Account, tmp_path: Path) -> None:
    """Not an endless wait."""
    folder = write(tmp_path / "in", texts(2))
    with pytest.raises(PoolUnusable, match=r"start ?task.*exit code 7"):
        counted(account, folder, tmp_path / "out", pool=new_name("bad"), nodes=1, start_command="exit 7")


def test_a_pool_without_nodes_ends_the_run(account: Account, tmp_path: Path) -> None:
    """It says how to give it some."""
    folder = write(tmp_path / "in", texts(2))
    with pytest.raises(PoolUnusable, match="--nodes"):
        counted(account, folder, tmp_path / "out", pool=new_name("none"), nodes=0)


@pytest.mark.slow
def test_a_job_that_is_ended_by_somebody_ends_the_run(
    services: Instance, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not done has failed, with what ended the job; no endless wait for tasks that will never run."""
    monkeypatch.setattr(guard, "LISTED_AGAIN", 0.0)
    folder = write(tmp_path / "in", texts(2))
    seen = Seen()

    def end_the_job() -> None:
        with services.client() as client:
            client.begin_terminate_job(seen.of(RunStarted)[0].run, options={"terminateReason": "no more"})

    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/tasks\\?", times=1000, edit=lambda _: b'{"value":[]}'))
        batch.rules.append(Rule("GET", "/pools/", times=2))
        batch.rules.append(Rule("GET", "/pools/", then=end_the_job))
        account = account_of(services, batch_endpoint=batch.url)
        summary = run_sync([str(folder)], Settings(pool=POOL), account=account, observe=seen)

    assert (summary.books.failed, summary.books.open) == (2, 0)
    assert all("no more" in failure.reason for failure in summary.failures)


@pytest.mark.slow
def test_a_wait_is_not_silent(services: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that somebody disabled is told once, and the nodes are told anew though nothing changed."""
    monkeypatch.setattr(guard, "LOOK_AGAIN", 0.1)
    monkeypatch.setattr(guard, "LOOK_AT_MOST", 0.1)
    monkeypatch.setattr(guard, "TOLD_EVERY", 0.2)
    folder = write(tmp_path / "in", texts(2))
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/tasks\\?", times=1000, edit=lambda _: b'{"value":[]}'))
        batch.rules.append(
            Rule("GET", "/jobs/[^/]*\\?", times=1000, edit=lambda body: body.replace(b'"active"', b'"disabled"'))
        )
        account = account_of(services, batch_endpoint=batch.url)
        _, seen = counted(account, folder, tmp_path / "out", timeout=2.0)

    assert sum("disabled" in event.text for event in seen.of(Noticed)) == 1
    states = [tuple(event.states.items()) for event in seen.of(NodesCounted)]
    assert any(one == following for one, following in itertools.pairwise(states))


@pytest.mark.slow
def test_a_run_that_gives_up_its_pool_ends_its_job(services: Instance, account: Account, tmp_path: Path) -> None:
    """It holds no quota, and its tasks will not run at some later time."""
    folder, seen = write(tmp_path / "in", texts(2)), Seen()
    with pytest.raises(PoolUnusable):
        run_sync([str(folder)], Settings(pool=new_name("none"), nodes=0), account=account, observe=seen)

    job = f"job {seen.of(RunStarted)[0].run}"
    assert job in seen.of(Left)[0].what
    with services.client() as client:
        assert client.get_job(job.removeprefix("job ")).state in ("terminating", "completed")


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"null", b"<html>hello</html>"])
@pytest.mark.parametrize("service", ["batch", "storage"])
def test_what_is_no_answer_of_the_service_is_told(
    services: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str, answer: bytes
) -> None:
    """As when something else listens there; it is not a mistake of ours."""
    monkeypatch.setattr(Policy.__init__, "__kwdefaults__", {**(Policy.__init__.__kwdefaults__ or {}), "attempts": 1})
    with proxy(services.endpoint) as other:
        for method in ("GET", "HEAD", "POST", "PUT"):
            other.rules.append(Rule(method, "", times=1000, refuse=(200, {"Content-Type": "application/json"}, answer)))
        account = account_of(services, **{f"{service}_endpoint": other.url})
        with pytest.raises(ServiceError):
            counted(account, write(tmp_path / "in", texts(2)), tmp_path / "out")


def test_a_timeout_leaves_what_is_open_and_names_it(services: Instance, tmp_path: Path) -> None:
    """The client stops; tasks go on."""
    folder = write(tmp_path / "in", texts(2))
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/tasks\\?", times=1000, edit=lambda _: b'{"value":[]}'))
        account = account_of(services, batch_endpoint=batch.url)
        summary, _ = counted(account, folder, tmp_path / "out", timeout=2.0)

    assert (summary.books.done, summary.books.failed, summary.books.open) == (0, 0, 2)
    assert not summary.complete
    assert f"job {summary.run}" in summary.left


def test_nothing_to_run_is_told_before_anything_is_sent(services: Instance, tmp_path: Path) -> None:
    """All problems at once."""
    with proxy(services.endpoint) as batch:
        account = account_of(services, batch_endpoint=batch.url)
        with pytest.raises(UsageError) as caught:
            counted(account, tmp_path / "nowhere", tmp_path / "out", top=0, pool="not a pool id")
        assert batch.requests == []
    assert len(caught.value.problems) == 3


def test_events_tell_bundles_as_they_go_up(account: Account, tmp_path: Path) -> None:
    """Each bundle once."""
    summary, seen = counted(account, write(tmp_path / "in", texts(12)), tmp_path / "out", files_per_task=3)

    assert sorted(event.bundle for event in seen.of(BundleUploaded)) == ["b00001", "b00002", "b00003", "b00004"]
    assert summary.bundles == 4
