"""An instance over its life: what survives its ends, and what ends with it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fastbatch.local.clock import SystemClock
from fastbatch.local.errors import Unavailable
from fastbatch.local.instance import lifecycle, services
from fastbatch.local.instance.home import ACCOUNT, Home
from fastbatch.local.processes import alive, identify, look
from fastbatch.local.records import Job, Pool
from fastbatch.local.service.limits import Limits
from fastbatch.local.states import jobs, pools
from fastbatch.local.store import Store
from tests.cli import User
from tests.local import instances
from tests.local.instances import Instance, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)

# A task that holds a lock while it runs, and fails if another run of it does; what it starts flees into a session of
# its own, and holds the lock, too.
EXCLUSIVE = """
import fcntl, os, sys, time
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
os.set_inheritable(lock.fileno(), True)
if len(sys.argv) > 2 and not os.path.exists(sys.argv[2]):
    os.spawnlp(os.P_NOWAIT, "setsid", "setsid", "sleep", "600")
    open(sys.argv[2], "w").close()
    time.sleep(600)
"""


def command(*argv: str | Path) -> str:
    """Give a command line."""
    return shlex.join(map(str, argv))


def is_alive(pid: int) -> bool:
    """Tell whether a process has not ended."""
    process = look(pid)
    return process is not None and process.alive


def kill(home: Path, name: str, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a service, and wait until it is gone."""
    process = Home(home).process(name)
    assert process
    os.kill(process.identity.pid, number)
    eventually(lambda: process.runs, lambda runs: not runs)


def up(home: Path) -> Instance:
    """Start an instance that stays."""
    lifecycle.up(Home(home), lifecycle.Ports(), Limits(), lambda _text: None)
    return instances.look(home)


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """Be a user with nothing yet."""
    found = User(tmp_path)
    yield found
    found.end_all()


class Service:
    """The Batch service alone, as our own child, to see how it ends."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        with self.home.locked(create=True):
            self.home.make_keys()
        self._process: subprocess.Popen[str] | None = None

    @property
    def argv(self) -> list[str]:
        """Give its command line."""
        return [sys.executable, "-m", "fastbatch.local.server", f"--home={self.home.path}"]

    def start(self) -> Any:
        """Start it, and give a client."""
        with self.home.log.open("a") as log:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdout
        port = json.loads(self._process.stdout.readline())["port"]
        return Instance(self.home.path, f"http://127.0.0.1:{port}", ACCOUNT, self.home.keys().batch, "").client()

    @property
    def pid(self) -> int:
        """Give its pid."""
        assert self._process
        return self._process.pid

    def end(self, number: signal.Signals) -> int:
        """Send it a signal, and give its exit code."""
        assert self._process
        self._process.send_signal(number)
        self._process.communicate(timeout=30)
        return self._process.returncode


@pytest.fixture
def service(user: User) -> Service:
    """Have a Batch service that does not run yet."""
    return Service(user.folder / "home")


def await_completed(client: Any, job: str, enough: int) -> None:
    """Wait until so many tasks of a job are completed."""
    eventually(lambda: client.get_job_task_counts(job).task_counts.completed, lambda count: count >= enough)


# --- the Batch service ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)], ids=["TERM", "INT"]
)
def test_the_service_ends_with_its_tasks(user: User, service: Service, number: signal.Signals) -> None:
    """Its code is 0, and what ran waits to run again."""
    started = user.folder / "started"
    with service.start() as client:
        client.create_pool(instances.pool_body("p", targetDedicatedNodes=1))
        client.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
        task = command(sys.executable, "-c", EXCLUSIVE, user.folder / "lock", started)
        client.create_task("j", {"id": "t", "commandLine": task})
        eventually(started.exists, bool)

    assert service.end(number) == 0
    assert not user.processes()
    with service.start() as client:
        eventually(lambda: client.get_task("j", "t").state, lambda state: state == "completed")
        assert client.get_task("j", "t").execution_info.exit_code == 0
        assert client.get_task("j", "t").execution_info.requeue_count == 1
    assert service.end(number) == 0


def test_a_state_that_can_t_be_read_ends_it_without_harm(service: Service) -> None:
    """It says so in its one line."""
    service.home.database.write_text("broken" * 1000)
    done = subprocess.run(service.argv, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "can't be read (file is not a database). Move it away" in json.loads(done.stdout)["error"]
    assert service.home.database.read_text() == "broken" * 1000
    assert done.stderr == ""


def test_a_state_that_is_damaged_further_on_is_told_too(service: Service) -> None:
    """By a start and, as it does not need it, not by a stop."""
    service.start().close()
    assert service.end(signal.SIGTERM) == 0
    content = service.home.database.read_bytes()
    damaged = content[:4096] + b"\xff" * (len(content) - 4096)
    service.home.database.write_bytes(damaged)
    done = subprocess.run(service.argv, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "can't be read (database disk image is malformed). Move it away" in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr
    assert not lifecycle.down(service.home)
    assert service.home.database.read_bytes() == damaged


def test_no_task_is_lost_or_runs_twice_at_once_when_it_is_killed(user: User, service: Service) -> None:
    """Each time while tasks come and go as fast as they can."""
    locks = user.folder / "locks"
    locks.mkdir()
    script = f"exec flock -n {shlex.quote(str(locks))}/$AZ_BATCH_TASK_ID sleep 0.0$((RANDOM % 4))1"
    names = [f"t{number}" for number in range(150)]
    with service.start() as client:
        client.create_pool(instances.pool_body("p", targetDedicatedNodes=2, taskSlotsPerNode=2))
        client.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
        client.create_tasks("j", [{"id": name, "commandLine": command("/bin/bash", "-c", script)} for name in names])
        await_completed(client, "j", 20)
    ended: dict[str, Any] = {}
    for enough in (60, 100, len(names)):
        assert service.end(signal.SIGKILL) == -signal.SIGKILL
        with service.start() as client:
            await_completed(client, "j", enough)
            ended = {task.id: task.execution_info for task in client.list_tasks("j") if task.state == "completed"}
    assert service.end(signal.SIGTERM) == 0

    assert sorted(ended) == sorted(names)
    assert {info.exit_code for info in ended.values()} == {0}
    assert sum(info.requeue_count for info in ended.values()) >= 3


# --- what survives ----------------------------------------------------------------------------------------------------


class Crash:
    """An instance whose Batch service was killed while much went on, and then started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = User(folder)
        before = up(folder / "home")
        with before.client() as client:
            self._fill(client)
        kill(before.home, "batch")
        self.orphans = [pid for pid in self.user.processes() if _name(pid) == "sleep"]
        self._interrupt()
        self.killed = before
        self.after = up(before.home)

    def _fill(self, client: Any) -> None:
        started = [self.folder / name for name in ("task", "start", "ending", "stopping")]
        lock = self.folder / "lock"
        once = f"echo x >> {self.folder}/starts; test -e {started[1]} || {{ touch {started[1]}; exec sleep 600; }}"
        start = {"commandLine": command("/bin/sh", "-c", once), "waitForSuccess": True}
        client.create_pool(instances.pool_body("p", targetDedicatedNodes=1, taskSlotsPerNode=4))
        client.create_pool(instances.pool_body("starting", targetDedicatedNodes=1, startTask=start))
        client.create_pool(instances.pool_body("leaving", targetDedicatedNodes=1))
        for job, pool in {"j": "p", "ending": "p", "stopping": "p", "going": "p", "waiting": "absent"}.items():
            client.create_job({"id": job, "poolInfo": {"poolId": pool}})
        client.create_task("j", {"id": "done", "commandLine": "/bin/echo hello"})
        exclusive = command(sys.executable, "-c", EXCLUSIVE, lock, started[0])
        client.create_task("j", {"id": "running", "commandLine": exclusive})
        client.create_task("waiting", {"id": "t", "commandLine": "/bin/true"})
        client.create_task("going", {"id": "t", "commandLine": "/bin/true"})
        for path in started[2:]:
            sleeping = command("/bin/sh", "-c", f"touch {path}; exec sleep 600")
            client.create_task(path.name, {"id": "t", "commandLine": sleeping})
        eventually(lambda: all(path.exists() for path in started), bool)
        eventually(lambda: client.get_task("j", "done").state, lambda state: state == "completed")
        eventually(lambda: client.get_pool("leaving").allocation_state, lambda state: state == "steady")

    def _interrupt(self) -> None:
        """Write down what was asked for in the last moment, and not begun."""
        now = SystemClock().now()
        with contextlib.closing(Store(Home(self.folder / "home").database)) as store, store.transaction():
            by_id = {job.id: job for job in list(store.select(Job))}
            store.save(by_id["ending"], jobs.terminating(by_id["ending"], "UserTerminate", now))
            store.save(by_id["stopping"], jobs.disabling(by_id["stopping"], "terminate", now))
            store.save(by_id["going"], jobs.deleting(by_id["going"], now))
            leaving = store.find(Pool, "leaving")
            assert leaving
            store.save(leaving, pools.deleting(leaving, now))


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crash]:
    """Have such an instance."""
    folder = tmp_path_factory.mktemp("crash")
    try:
        yield Crash(folder)
    finally:
        User(folder).end_all()


@pytest.fixture(scope="module")
def restarted(crash: Crash) -> Iterator[Any]:
    """Have a client of it."""
    with crash.after.client() as client:
        yield client


def test_addresses_and_keys_are_the_same_after_a_crash(crash: Crash) -> None:
    """So that clients go on."""
    assert crash.after == crash.killed


def test_what_ran_at_the_crash_was_ended_before_anything_else_runs(crash: Crash, restarted: Any) -> None:
    """Descendants in sessions of their own, too; and then it ran again, alone."""
    task = eventually(lambda: restarted.get_task("j", "running"), lambda task: task.state == "completed")

    assert task.execution_info.exit_code == 0
    assert task.execution_info.requeue_count == 1
    assert len(crash.orphans) == 4
    assert not any(is_alive(pid) for pid in crash.orphans)


def test_what_was_complete_at_the_crash_stays_so(restarted: Any) -> None:
    """With its files; and what waited waits."""
    assert restarted.get_task("j", "done").execution_info.requeue_count == 0
    assert b"".join(restarted.download_task_file("j", "done", "stdout.txt")) == b"hello\n"
    assert restarted.get_task("waiting", "t").state == "active"


def test_a_start_task_that_ran_at_the_crash_runs_again(crash: Crash, restarted: Any) -> None:
    """And then its node is usable."""
    (node,) = eventually(
        lambda: list(restarted.list_nodes("starting")), lambda nodes: [node.state for node in nodes] == ["idle"]
    )
    assert node.start_task_info.exit_code == 0
    assert (crash.folder / "starts").read_text() == "x\nx\n"


@pytest.mark.parametrize(("job", "end"), [("ending", "completed"), ("stopping", "disabled")])
def test_a_job_that_was_ending_its_tasks_at_the_crash_goes_on(restarted: Any, job: str, end: str) -> None:
    """They don't run again."""
    eventually(lambda: restarted.get_job(job).state, lambda state: state == end)
    task = restarted.get_task(job, "t")

    assert task.state == "completed"
    assert task.execution_info.failure_info.code == "TaskEnded"


def test_what_was_being_deleted_at_the_crash_goes(restarted: Any) -> None:
    """A job with its tasks, a pool with its nodes."""
    eventually(
        lambda: {job.id for job in restarted.list_jobs()}, lambda ids: ids == {"j", "ending", "stopping", "waiting"}
    )
    eventually(lambda: {pool.id for pool in restarted.list_pools()}, lambda ids: ids == {"p", "starting"})


@pytest.mark.slow
def test_blobs_survive_an_azurite_that_hears_nothing(user: User) -> None:
    """Stopped as it is when it is told to end: it goes on, saves its index, and ends."""
    instance = up(user.folder / "home")
    with instance.blobs() as blobs:
        blobs.create_container("container").upload_blob("b", b"kept")
    process = Home(instance.home).process("storage")
    assert process
    os.kill(process.identity.pid, signal.SIGSTOP)
    assert lifecycle.down(Home(instance.home))
    assert not user.processes()

    again = up(instance.home)
    assert again == instance
    with again.blobs() as blobs:
        assert blobs.get_blob_client("container", "b").download_blob().readall() == b"kept"


@pytest.mark.slow
def test_what_does_not_end_when_asked_is_ended_in_bounded_time(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it started: here an Azurite of the user's that ignores the request."""
    program = user.folder / "bin" / "azurite-blob"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{textwrap.dedent(STUBBORN)}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(services, "_STOP_SECONDS", 0.3)
    up(user.folder / "home")
    assert [_name(pid) for pid in user.processes()].count("sleep") == 1

    before = time.monotonic()
    assert lifecycle.down(Home(user.folder / "home"))
    assert time.monotonic() - before < 10
    assert not user.processes()


STUBBORN = """
    import http.server, signal, subprocess, sys
    if "--version" in sys.argv:
        sys.exit(print("3.35.0"))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "600"])
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    print(f"listens on http://127.0.0.1:{server.server_port} ", flush=True)
    server.serve_forever()
"""


# --- instances with an owner ------------------------------------------------------------------------------------------


def nothing_is_left(user: User) -> None:
    """Wait until neither a process nor a folder is there."""
    eventually(lambda: (user.processes(), list(user.folder.iterdir())), lambda left: left == ([], []))


def test_all_is_gone_when_the_owner_is(user: User) -> None:
    """Killed, with a task running: no process, no port, no folder."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as owner:
        try:
            started = user.run("up", "--ephemeral", "--owner", str(owner.pid))
            assert started.returncode == 0
            (home,) = user.folder.glob("fastbatch-local-*")
            assert home.name in started.stdout
            with instances.look(home).client() as client:
                client.create_pool(instances.pool_body("p", targetDedicatedNodes=1))
                client.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
                client.create_task("j", {"id": "t", "commandLine": "/bin/sh -c 'setsid sleep 600 & exec sleep 600'"})
                eventually(lambda: [pid for pid in user.processes() if _name(pid) == "sleep"], bool)
        finally:
            owner.kill()
    nothing_is_left(user)


@pytest.mark.slow
def test_who_calls_is_the_owner_and_all_can_go_earlier(user: User) -> None:
    """By a plain `down`, which the keeper is no hindrance to."""
    home = user.folder / "home"
    started = user.run("up", "--ephemeral", "--home", home)
    assert started.returncode == 0
    assert len(user.processes()) == 3

    assert user.run("down", "--home", home).stderr == "Stopped.\n"
    assert (user.processes(), list(user.folder.iterdir())) == ([], [])


def test_what_is_there_to_stay_gets_no_owner(user: User) -> None:
    """As it would be removed in the end."""
    home = user.folder / "home"
    with Home(home).locked(create=True):
        Home(home).make_keys()
    me = identify(os.getpid())
    with pytest.raises(Unavailable, match="is there to stay"):
        lifecycle.up(Home(home), lifecycle.Ports(), Limits(), lambda _text: None, me)

    assert not user.processes()
    assert home.exists()


@pytest.mark.slow
def test_what_outlived_its_owner_and_keeper_may_stay(user: User) -> None:
    """Once it was started without an owner, a stop removes nothing."""
    home = user.folder / "home"
    user.run("up", "--ephemeral", "--home", home)
    user.end_all()
    assert user.run("up", "--home", home).returncode == 0
    assert user.run("down", "--home", home).returncode == 0
    assert home.exists()


# --- starts that are cut short ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ephemeral", [False, True], ids=["stays", "ephemeral"])
@pytest.mark.parametrize(
    "moment", ["lock", "keys.json", "azurite.log", "azurite", "processes.json", "batch.log", "batch.db"]
)
def test_a_start_that_is_killed_leaves_nothing_that_the_next_can_t_clear(
    user: User, moment: str, *, ephemeral: bool
) -> None:
    """At whichever moment: as soon as a file shows."""
    home = user.folder / "home"
    with subprocess.Popen(["sleep", "600"]) as owner:
        try:
            owned = ["--ephemeral", "--owner", str(owner.pid)] if ephemeral else []
            starting = user.begin("up", "--home", home, *owned)
            eventually((home / moment).exists, bool)
            starting.kill()
            starting.communicate()
            if moment == "processes.json" and not ephemeral:
                user.run("down", "--home", home)
                assert not user.processes()
            assert user.run("up", "--home", home).returncode == 0
            assert len([pid for pid in user.processes() if _name(pid) == "node"]) == 1
            assert user.run("status", "--home", home).returncode == 0
            assert user.run("down", "--home", home).returncode == 0
            assert not user.processes()
        finally:
            owner.kill()


@pytest.mark.slow
def test_a_start_that_is_killed_does_not_outlive_the_owner(user: User) -> None:
    """As the keeper is there before anything else."""
    home = user.folder / "home"
    with subprocess.Popen(["sleep", "600"]) as owner:
        try:
            starting = user.begin("up", "--ephemeral", "--owner", str(owner.pid), "--home", home)
            eventually((home / "azurite.log").exists, bool)
            starting.kill()
            starting.communicate()
        finally:
            owner.kill()
    nothing_is_left(user)


def test_who_clears_every_mark_ends_with_the_service(user: User, service: Service) -> None:
    """A session of its own, no environment, another folder: it is still an orphan that the service has adopted."""
    told = user.folder / "pid"
    daemon = f"echo $$ > {told}; exec sleep 1000"
    script = f"cd /; setsid env -i /bin/sh -c '{daemon}' & while [ ! -s {told} ]; do :; done"
    with service.start() as client:
        client.create_pool(instances.pool_body("p", targetDedicatedNodes=1))
        client.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
        client.create_task("j", {"id": "a", "commandLine": shlex.join(["/bin/sh", "-c", script])})
        await_completed(client, "j", 1)
    runaway = identify(int(told.read_text()))

    assert runaway
    assert service.end(signal.SIGTERM) == 0
    assert not alive(runaway)


@pytest.mark.slow
def test_services_whose_folder_was_removed_are_found(user: User) -> None:
    """By their mark."""
    home = user.folder / "home"
    up(home)
    identities = [process.identity for process in Home(home).processes().values()]
    shutil.rmtree(home)

    assert lifecycle.down(Home(home))
    assert not any(alive(identity) for identity in identities)


def test_many_files_may_be_open_at_once(service: Service) -> None:
    """As many as the system allows, up to a good number, and not only as many as the caller's shell says."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        service.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limits = Path(f"/proc/{service.pid}/limits").read_text()
    (allowed,) = [line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")]
    service.end(signal.SIGTERM)

    assert int(allowed) == min(hard, 1 << 16)
