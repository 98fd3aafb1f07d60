"""Processes are told apart for certain, and none is left over."""

from __future__ import annotations

import asyncio
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local.ending import end
from fastbatch.local.errors import Unavailable
from fastbatch.local.processes import Identity, Mark, alive, gone, identify, leftovers, look, send

from .service import VARIABLE, survivors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program as anybody might; it is ended after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, **options: object) -> subprocess.Popen[bytes]:
        cwd = options.pop("cwd", tmp_path)
        started.append(subprocess.Popen(argv, cwd=cwd, stdout=subprocess.PIPE, **options))  # type: ignore[call-overload]
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for pid in survivors(str(tmp_path)):
        os.kill(pid, signal.SIGKILL)


def end_of(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended, and leave it a zombie."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def known(pid: int) -> Identity:
    """Identify a process that is there."""
    identity = identify(pid)
    assert identity
    return identity


def test_a_process_lives_until_it_ends(start: Start) -> None:
    """It is alive while it runs, not as a zombie, and not when it is reaped."""
    process = start("sleep", "20")
    identity = known(process.pid)
    assert alive(identity)

    process.kill()
    end_of(process)
    assert identify(process.pid) == identity
    assert not alive(identity)

    process.wait()
    assert identify(process.pid) is None
    assert not alive(identity)


def test_a_process_lives_on_in_its_threads(start: Start) -> None:
    """It is alive when its first thread has ended and another runs."""
    script = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(20,)).start()"
    process = start(sys.executable, "-c", f"{script}; print(1, flush=True); ctypes.CDLL(None).pthread_exit(None)")
    assert process.stdout
    process.stdout.readline()
    while "State:\tZ" not in Path(f"/proc/{process.pid}/status").read_text():
        pass

    assert alive(known(process.pid))
    assert send(known(process.pid), signal.SIGKILL)
    end_of(process)
    assert not alive(known(process.pid))


def test_a_pid_that_is_used_again_is_another_process(start: Start) -> None:
    """Who has the pid but not the start is neither seen, nor waited for, nor signalled, nor ended."""
    process = start("sleep", "20")
    ticks, boot = known(process.pid).started.split(":")
    earlier = Identity(process.pid, f"{int(ticks) - 1}:{boot}")
    before_the_restart = Identity(process.pid, f"{ticks}:another")

    for other in (earlier, before_the_restart):
        assert not alive(other)
        assert not send(other, signal.SIGKILL)
        asyncio.run(gone(other))
        asyncio.run(end(other))
    assert process.poll() is None


@pytest.mark.parametrize("name", ["a b", ") Z 1 (", "(x))", "1 2 3 4"])
def test_any_name_of_a_program_is_read_right(start: Start, tmp_path: Path, name: str) -> None:
    """A name can't be taken for what follows it."""
    shutil.copy("/bin/sleep", tmp_path / name)
    process = look(start(str(tmp_path / name), "20").pid)

    assert process
    assert (process.parent, process.session, process.alive) == (os.getpid(), os.getsid(0), True)


@given(pid=st.integers(1, 1 << 22), started=st.text(min_size=1))
def test_an_identity_can_be_kept_as_text(pid: int, started: str) -> None:
    """What is read is what was written."""
    identity = Identity(pid, started)

    assert Identity.parse(str(identity)) == identity


@pytest.mark.parametrize("text", ["", "12", "12:", ":5:x", "-1:5:x", "x:5:x"])
def test_other_text_is_no_identity(text: str) -> None:
    """What str() can't have written is refused."""
    with pytest.raises(ValueError, match="not a process's identity"):
        Identity.parse(text)


def test_the_end_of_anyones_child_can_be_waited_for(start: Start) -> None:
    """A grandchild is watched; one wait that is cancelled takes nothing from another, and no descriptor stays open."""
    shell = start("sh", "-c", "sleep 20 & echo $!; wait")
    assert shell.stdout
    grandchild = known(int(shell.stdout.readline()))

    async def watch() -> None:
        before = len(os.listdir("/proc/self/fd"))
        waits = [asyncio.create_task(gone(grandchild)) for _ in range(2)]
        await asyncio.sleep(0)
        waits[0].cancel()
        await asyncio.sleep(0)
        assert not waits[1].done()
        send(grandchild, signal.SIGKILL)
        async with asyncio.timeout(5):
            await waits[1]
            await gone(grandchild)
        assert waits[0].cancelled()
        assert len(os.listdir("/proc/self/fd")) == before

    asyncio.run(watch())


def test_leftovers_are_known_by_their_environment(start: Start, tmp_path: Path) -> None:
    """The variable names the folder or one inside it; a longer name, or another variable, does not count."""
    folder = str(tmp_path / "node-1")
    settings = {
        f"{VARIABLE}={folder}": True,
        f"{VARIABLE}={folder}/workitems": True,
        f"{VARIABLE}={folder}0": False,
        f"X{VARIABLE}={folder}": False,
        f"OTHER={folder}": False,
    }
    found = {known(start("env", "-i", setting, "sleep", "20").pid): here for setting, here in settings.items()}
    for identity in found:
        while program(identity) != "sleep":
            pass

    assert set(leftovers(Mark(VARIABLE, folder))) == {identity for identity, here in found.items() if here}


def program(identity: Identity) -> str:
    """Tell which program a process runs."""
    return Path(f"/proc/{identity.pid}/comm").read_text().strip()


def test_leftovers_are_known_by_their_working_folder(start: Start, tmp_path: Path) -> None:
    """Without an environment the working folder tells, also by a link; a person's terminal is spared."""
    folder, beside, link = tmp_path / "node-1", tmp_path / "node-10", tmp_path / "link"
    (folder / "wd").mkdir(parents=True)
    beside.mkdir()
    link.symlink_to(folder)
    inside = [known(start("sleep", "20", cwd=where, env={}).pid) for where in (folder, folder / "wd")]
    start("sleep", "20", cwd=beside, env={})
    ours, theirs = pty.openpty()
    person = start("setsid", "--ctty", "sleep", "20", cwd=folder, env={}, stdin=theirs)
    while program(known(person.pid)) != "sleep":
        pass

    assert set(leftovers(Mark(VARIABLE, str(link)))) == set(inside)
    assert leftovers(Mark(VARIABLE, str(tmp_path / "node"))) == []
    os.close(ours)
    os.close(theirs)


def test_leftovers_are_known_by_a_working_folder_that_is_deleted(start: Start, tmp_path: Path) -> None:
    """A node's folder may be gone before its processes are."""
    folder = tmp_path / "node-1"
    folder.mkdir()
    process = start("sleep", "20", cwd=folder, env={})
    folder.rmdir()

    assert leftovers(Mark(VARIABLE, str(folder))) == [known(process.pid)]


def test_zombies_are_no_leftovers(start: Start, tmp_path: Path) -> None:
    """What has ended needs no end."""
    end_of(start("true", env={VARIABLE: str(tmp_path)}))

    assert leftovers(Mark(VARIABLE, str(tmp_path))) == []


def test_other_systems_are_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Linux, the error says that it is needed."""
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(Unavailable, match="Linux"):
        identify(os.getpid())
    with pytest.raises(Unavailable, match="Linux"):
        leftovers(Mark(VARIABLE, "/nowhere"))
