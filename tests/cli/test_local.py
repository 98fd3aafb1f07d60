"""`fastbatch local`: what a user sees of it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shlex
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError

from fastbatch.local.instance.home import Home, Process
from fastbatch.local.processes import Identity, look
from tests.cli import FASTBATCH, User
from tests.local import instances
from tests.local.instances import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)

WHERE = re.compile(
    r"batch    http://127\.0\.0\.1:\d+\nstorage  http://127\.0\.0\.1:\d+/fastbatchlocal\nhome     (?P<home>.+)\n",
    re.DOTALL,
)
NOTHING = {"port": None, "pid": None, "answers": False}


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """Be a user with nothing yet."""
    found = User(tmp_path)
    yield found
    found.end_all()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Be a user whose services run."""
    found = User(tmp_path_factory.mktemp("running"))
    try:
        started = found.run("up")
        assert (started.returncode, started.stderr) == (0, "")
        assert WHERE.fullmatch(started.stdout)
        yield found
    finally:
        found.end_all()


def status(user: User, *options: str | Path) -> dict[str, dict[str, object]]:
    """Give what the status says to programs."""
    found: dict[str, dict[str, object]] = json.loads(user.run("status", "--json", *options).stdout)
    return found


def exported(user: User, *options: str | Path) -> dict[str, str]:
    """Give the variables that a shell has after it evaluated what `env` prints."""
    command = f'eval "$({shlex.join([*FASTBATCH, "local", "env", *map(str, options)])})" && env -0'
    said = user.call("sh", "-ec", command).stdout
    variables = dict(line.split("=", 1) for line in said.split("\0") if line)
    return {name: value for name, value in variables.items() if name.startswith("AZURE_")}


def kill(pid: object) -> None:
    """Kill a service, and wait until it is gone."""
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: look(pid), lambda process: process is None or not process.alive)


# --- a running instance -----------------------------------------------------------------------------------------------


def test_up_again_says_that_they_run(running: User) -> None:
    """And where, with the same services."""
    before = status(running)
    again = running.run("up")

    assert again.returncode == 0
    assert again.stderr == "The local services run already, with the options that they were started with.\n"
    found = WHERE.fullmatch(again.stdout)
    assert found
    assert found["home"] == str(running.home)
    assert status(running) == before


def test_status_tells_what_runs(running: User) -> None:
    """To people."""
    said = running.run("status")

    assert (said.returncode, said.stderr) == (0, "")
    assert re.fullmatch(
        r"batch    answers on port \d+ \(process \d+\)\n"
        r"storage  answers on port \d+ \(process \d+\)\n"
        rf"home     {re.escape(str(running.home))}\n"
        r"pools    none\nnodes    none\njobs     none\ntasks    none\n",
        said.stdout,
    )


def test_status_for_programs_has_the_same_keys_always(running: User, user: User) -> None:
    """Whether anything runs or not."""
    runs, runs_not = status(running), status(user)

    assert list(runs) == list(runs_not) == ["home", "batch", "storage", "counts"]
    assert list(runs["batch"]) == list(runs["storage"]) == list(NOTHING)
    assert runs["counts"] == {"pools": {}, "nodes": {}, "jobs": {}, "tasks": {}}
    assert runs_not == {"home": str(user.home), "batch": NOTHING, "storage": NOTHING, "counts": {}}


def test_the_sdks_work_with_what_env_prints(running: User) -> None:
    """In a shell that evaluates it: four variables, and no more is needed."""
    variables = exported(running)

    assert set(variables) == {
        "AZURE_BATCH_ACCOUNT",
        "AZURE_BATCH_ACCESS_KEY",
        "AZURE_BATCH_ENDPOINT",
        "AZURE_STORAGE_CONNECTION_STRING",
    }
    connected = instances.Instance(
        running.home,
        variables["AZURE_BATCH_ENDPOINT"],
        variables["AZURE_BATCH_ACCOUNT"],
        variables["AZURE_BATCH_ACCESS_KEY"],
        variables["AZURE_STORAGE_CONNECTION_STRING"],
    )
    with connected.client() as client, connected.blobs() as blobs:
        assert list(client.list_pools()) == []
        assert list(blobs.list_containers()) == []


def test_only_the_owner_can_look_into_the_files(running: User) -> None:
    """As the folder is closed to others, and what holds keys once more."""
    assert stat.S_IMODE(running.home.stat().st_mode) == 0o700
    for name in ("keys.json", "processes.json", "batch.log", "azurite.log", "lock"):
        assert stat.S_IMODE((running.home / name).stat().st_mode) == 0o600, name


def test_keys_are_in_one_file_only(running: User) -> None:
    """Neither in a log, nor in what is written down of processes, nor in a command line."""
    keys = Home(running.home).keys()
    seen = [file.read_bytes() for file in running.home.iterdir() if file.is_file() and file.name != "keys.json"]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            seen.append(process.read_bytes())

    for key in (keys.batch, keys.storage):
        assert not any(key.encode() in text for text in seen)


@pytest.mark.slow
def test_two_instances_do_not_meet(running: User) -> None:
    """Each has its ports and keys; one stops without the other, or who works there, though its home is inside."""
    inner = running.home / "inner"
    assert running.run("up", "--home", inner).returncode == 0
    one, other = exported(running), exported(running, "--home", inner)
    assert len({*one.values(), *other.values()}) == 7  # only the account's name is the same
    strange = instances.Instance(
        inner, one["AZURE_BATCH_ENDPOINT"], "fastbatchlocal", other["AZURE_BATCH_ACCESS_KEY"], ""
    )
    with strange.client() as client, pytest.raises(HttpResponseError, match="AuthenticationFailed"):
        list(client.list_pools())

    before = status(running)
    with subprocess.Popen(["sleep", "60"], cwd=inner, start_new_session=True) as bystander:
        try:
            assert running.run("down", "--home", inner).stderr == "Stopped.\n"
            assert bystander.poll() is None
        finally:
            bystander.kill()
    assert status(running) == before
    assert running.run("status", "--home", inner).returncode == 3


# --- stopping and starting again --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_service_that_was_killed_is_missed_and_started_again(user: User) -> None:
    """At its port, while the other goes on; and all ends with `down`, once."""
    user.run("up")
    before = status(user)
    kill(before["storage"]["pid"])

    said = user.run("status")
    assert said.returncode == 3
    assert "storage  stopped\n" in said.stdout
    assert said.stderr == "Error: Not all services answer. Start what is stopped: fastbatch local up\n"
    assert user.run("env").stderr.startswith("Error: Not running in ")

    assert user.run("up").stderr == ""
    after = status(user)
    assert after["batch"] == before["batch"]
    assert after["storage"]["port"] == before["storage"]["port"]

    os.kill(int(str(after["batch"]["pid"])), signal.SIGSTOP)
    down = user.run("down")  # also of one that is stopped and so can't hear
    assert (down.returncode, down.stdout, down.stderr) == (0, "", "Stopped.\n")
    assert not user.processes()
    again = user.run("down")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", f"No local services run in {user.home}.\n")


def test_what_does_not_run_has_no_environment(user: User) -> None:
    """Code 3 and what to do, with the folder where it is not the user's usual one, and quoted for a shell."""
    asked = user.run("env")
    assert (asked.returncode, asked.stdout) == (3, "")
    assert asked.stderr == f"Error: There are no local services in {user.home}. Start them: fastbatch local up\n"

    assert user.run("env", "--home", "a home").stderr.endswith(f"fastbatch local up --home '{user.folder}/a home'\n")
    assert not user.home.exists()


@pytest.mark.slow
@pytest.mark.parametrize("service", ["batch", "storage"])
def test_a_port_that_is_taken_is_told_and_nothing_is_left_half_started(user: User, service: str) -> None:
    """One message, code 3, and then `up` works without that port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        failed = user.run("up", f"--{service}-port", str(port))

    assert (failed.returncode, failed.stdout) == (3, "")
    assert re.fullmatch(rf"Error: Port {port} .* --{service}-port\.\n", failed.stderr)
    assert not user.processes()
    assert user.run("status").returncode == 3


@pytest.mark.slow
def test_options_arrive(user: User) -> None:
    """Ports, quotas and the time that a node takes; a relative home, and one that is strange."""
    with socket.create_server(("127.0.0.1", 0)) as batch, socket.create_server(("127.0.0.1", 0)) as storage:
        ports = [str(server.getsockname()[1]) for server in (batch, storage)]
    home = " ü\n'$HOME'"
    options = ["--node-boot-seconds", "1.5", "--node-quota", "1", "--pool-quota", "1", "--active-job-quota", "0"]
    started = user.run("up", "--home", home, "--batch-port", ports[0], "--storage-port", ports[1], *options)
    assert started.stderr == ""
    found = WHERE.fullmatch(started.stdout)
    assert found
    assert found["home"] == str(user.folder / home)
    assert [status(user, "--home", home)[name]["port"] for name in ("batch", "storage")] == list(map(int, ports))

    with instances.look(user.folder / home).client() as client:
        client.create_pool(instances.pool_body("p", targetDedicatedNodes=2))
        eventually(lambda: client.get_pool("p").allocation_state, lambda state: state == "steady")
        (node,) = client.list_nodes("p")
        assert (node.last_boot_time - node.allocation_time).total_seconds() >= 1.5
        with pytest.raises(HttpResponseError, match="PoolQuotaReached"):
            client.create_pool(instances.pool_body("q"))
        with pytest.raises(HttpResponseError, match="ActiveJobAndScheduleQuotaReached"):
            client.create_job({"id": "j", "poolInfo": {"poolId": "p"}})

    (user.folder / "link").symlink_to(home)
    assert user.run("down", "--home", "link").stderr == "Stopped.\n"
    assert not user.processes()


# --- homes and files that won't do ------------------------------------------------------------------------------------


def test_a_home_that_won_t_do_is_named(user: User) -> None:
    """With what is wrong about it; nothing in it is touched."""
    file = user.folder / "file"
    file.write_text("mine")
    assert user.run("up", "--home", file).returncode == 2
    below = user.run("up", "--home", file / "below")
    assert below.returncode == 3
    assert "can't be used: Not a directory. Name another with --home." in below.stderr
    for command in ("status", "env", "down"):
        assert user.run(command, "--home", file / "below").returncode == (0 if command == "down" else 3)

    user.state.mkdir()
    (user.state / "fastbatch").write_text("mine")
    assert "can't be used: " in user.run("up").stderr

    strange = user.run("up", "--home", user.folder)
    assert strange.returncode == 3
    assert "has files that are none of the local services'" in strange.stderr
    assert "is not empty" in user.run("up", "--ephemeral", "--home", user.folder).stderr
    assert sorted(path.name for path in user.folder.iterdir()) == ["file", "state"]


def test_a_home_that_can_t_be_written_is_named(user: User) -> None:
    """Even to those who may write everywhere else."""
    told = user.run("up", "--home", "/proc/fastbatch")

    assert (told.returncode, told.stdout) == (3, "")
    assert re.fullmatch(
        r"Error: The folder /proc/fastbatch can't be used: .*\. Name another with --home\.\n", told.stderr
    )


@pytest.mark.parametrize(
    ("filled", "said"), [(True, "No space left on device"), (False, "the disk is full. Free some space")]
)
def test_a_full_disk_is_told(user: User, said: str, *, filled: bool) -> None:
    """Whatever it is that finds no room: without a filler, there is some for all but the state."""
    full = user.folder / "full"
    full.mkdir()
    mounted = user.call("mount", "-t", "tmpfs", "-o", "size=64k", "none", full)
    if mounted.returncode:
        pytest.skip(f"a small disk can't be made here: {mounted.stderr.strip()}")
    try:
        home = full / "home"
        home.mkdir()
        with contextlib.suppress(OSError), open(full / "filler", "wb", buffering=0) as filler:
            while filled and filler.write(b"x" * 4096):
                pass
        told = user.run("up", "--home", home)
        assert (told.returncode, told.stdout) == (3, "")
        assert said in told.stderr
        assert not user.processes()
    finally:
        user.call("umount", "-l", full)


def test_keys_that_can_t_be_read_are_told(user: User) -> None:
    """With the file, and the way out; nothing else is done."""
    content = '{"batch": "AAAA'
    broken_home(user, "keys.json", content)

    for command in ("up", "env"):
        told = user.run(command)
        assert told.returncode == 3
        assert told.stdout == ""
        assert told.stderr == (
            f"Error: The keys in {user.home}/keys.json can't be read. "
            "Remove that file, and new ones are made by: fastbatch local up\n"
        )
    assert (user.home / "keys.json").read_text() == content


def broken_home(user: User, name: str, content: str) -> None:
    """Have a home where a file is broken, and all else as it was after a stop."""
    home = Home(user.home)
    with home.locked(create=True):
        home.make_keys()
    one = ended_process()
    home.note("batch", one)
    home.note("storage", one)
    (user.home / name).write_text(content)


def ended_process() -> Process:
    """Give a process that has ended."""
    return Process(Identity(1, "0:none"), 1)


def test_processes_that_can_t_be_read_are_told(user: User) -> None:
    """With the way out, which works."""
    content = '{"batch": {"process'
    broken_home(user, "processes.json", content)

    for command in ("up", "status", "env"):
        told = user.run(command)
        assert (told.returncode, told.stdout) == (3, "")
        assert told.stderr == (
            f"Error: What runs can't be read from {user.home}/processes.json. "
            "Stop whatever it is, and start anew: fastbatch local down && fastbatch local up\n"
        )
    assert (user.home / "processes.json").read_text() == content
    assert user.run("down").returncode == 0
    assert user.run("status").stderr.startswith("Error: Not all services answer.")


@pytest.mark.slow
def test_services_of_which_nothing_is_written_down_are_found_and_ended(user: User) -> None:
    """As all bear a mark."""
    user.run("up")
    (user.home / "processes.json").write_text("{")
    assert user.run("up").returncode == 3
    assert len(user.processes()) == 2

    assert user.run("down").stderr == "Stopped.\n"
    assert not user.processes()


@pytest.mark.slow
def test_a_state_that_can_t_be_read_is_told(user: User) -> None:
    """And left alone; nothing stays started because of it."""
    broken_home(user, "batch.db", "broken" * 1000)
    (user.home / "processes.json").unlink()
    failed = user.run("up")

    assert failed.returncode == 3
    assert failed.stderr == (
        f"Error: The state in {user.home}/batch.db can't be read (file is not a database). "
        "Move it away to start anew.\n"
    )
    assert not user.processes()
    assert user.run("down").returncode == 0
    assert (user.home / "batch.db").read_text() == "broken" * 1000


# --- who starts it ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_stays_when_the_terminal_goes(user: User) -> None:
    """From which it was started."""
    ours, theirs = pty.openpty()
    terminal = os.ttyname(theirs)
    script = f'exec <"$0" >"$0" 2>&1; {shlex.join([*FASTBATCH, "local", "up"])}; echo ready; exec sleep 60'
    shell = subprocess.Popen(["sh", "-c", script, terminal], env=user.environment, start_new_session=True)
    with os.fdopen(ours, "rb", buffering=0) as screen:
        shown = b""
        while b"ready" not in shown:
            shown += screen.read(1000)
        os.close(theirs)
    assert shell.wait(20) == -signal.SIGHUP
    assert user.run("status").returncode == 0


@pytest.mark.slow
def test_who_starts_it_may_have_no_input_and_no_output(user: User) -> None:
    """All closed."""
    closed = user.call("sh", "-c", f"{shlex.join([*FASTBATCH, 'local', 'up'])} <&- >&- 2>&-")

    assert closed.returncode == 0
    assert user.run("status").returncode == 0


def test_an_interrupted_start_leaves_nothing(user: User) -> None:
    """Code 130, and one line."""
    starting = user.begin("up")
    eventually((user.home / "azurite.log").exists, bool)
    starting.send_signal(signal.SIGINT)
    stdout, stderr = starting.communicate(timeout=30)

    assert (starting.returncode, stdout, stderr) == (130, "", "Interrupted (SIGINT).\n")
    assert not user.processes()


@pytest.mark.slow
def test_an_interrupted_start_leaves_what_ran_before(user: User) -> None:
    """As it is none of its business; and the next start works."""
    user.run("up")
    before = status(user)
    kill(before["storage"]["pid"])
    starting = user.begin("up")
    log = user.home / "azurite.log"
    size = log.stat().st_size
    eventually(lambda: log.stat().st_size, lambda now: now > size)
    starting.send_signal(signal.SIGTERM)
    assert starting.communicate(timeout=30) == ("", "Interrupted (SIGTERM).\n")
    assert starting.returncode == 143

    assert status(user)["batch"] == before["batch"]
    assert user.run("up").returncode == 0
    assert status(user)["batch"] == before["batch"]


def test_of_two_that_start_it_at_once_one_does(user: User) -> None:
    """And the other finds it running."""
    both = [user.begin("up") for _ in range(2)]
    said = [starting.communicate(timeout=60) for starting in both]

    assert [starting.returncode for starting in both] == [0, 0]
    assert len({stdout for stdout, _ in said}) == 1
    assert sorted(stderr for _, stderr in said) == [
        "",
        "The local services run already, with the options that they were started with.\n",
    ]
    assert len(user.processes()) == 2
    with instances.look(user.home).client() as client:  # and the keys are those of both
        assert list(client.list_pools()) == []
