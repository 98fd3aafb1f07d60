"""Programs start as they should, and their exit codes arrive."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import resource
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from fastbatch.local import spawning
from fastbatch.local.ending import end
from fastbatch.local.processes import children
from fastbatch.local.spawning import Running, Unprepared, spawn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYSTEM = os.environ["PATH"]


class Folder:
    """Where a test's programs run; what they write is read here."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, *argv: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Running:
        """Start a program in the folder."""
        out, err = str(self.path / "out"), str(self.path / "err")
        return spawn(argv, cwd=str(cwd or self.path), env=env or {"PATH": SYSTEM}, stdout=out, stderr=err)

    def run(self, *argv: str, env: dict[str, str] | None = None) -> int:
        """Run a program in the folder to its end."""

        async def run() -> int:
            return await self.start(*argv, env=env).wait()

        return asyncio.run(run())

    def out(self) -> str:
        """Read what the program has written."""
        return (self.path / "out").read_text()

    def program(self, name: str, says: str) -> None:
        """Make a program that says something."""
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\necho {says}\n")
        file.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Make a folder for programs."""
    return Folder(tmp_path)


def descriptors() -> int:
    """Count this process's open files."""
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 5", 5), ("kill -9 $$", -9), ("kill -15 $$", -15)])
def test_the_exit_code_arrives(folder: Folder, script: str, code: int) -> None:
    """It is the program's own, or the negative number of the signal that ended it."""
    assert folder.run("sh", "-c", script) == code


def test_output_goes_to_fresh_files(folder: Folder) -> None:
    """What an earlier attempt wrote is gone, and what still writes to it does not reach the new file."""
    (folder.path / "out").write_text("earlier and longer\n")
    with (folder.path / "out").open("a") as earlier:
        assert folder.run("sh", "-c", "echo out; echo err >&2") == 0
        earlier.write("late\n")

    assert folder.out() == "out\n"
    assert (folder.path / "err").read_text() == "err\n"


def test_nothing_of_ours_leaks_in(folder: Folder) -> None:
    """No open file, no input, no variable and no terminal of ours; files are made readable."""
    leaking = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(leaking, True)  # noqa: FBT003 -- it takes no name
    before = os.umask(0o077)
    try:
        script = "umask; readlink /proc/$$/fd/0; ls /proc/$$/fd; tr '\\0' '\\n' < /proc/$$/environ; cat"
        assert folder.run("sh", "-c", script, env={"PATH": SYSTEM, "A": "b"}) == 0
    finally:
        os.umask(before)
        os.close(leaking)

    assert folder.out().split() == ["0022", "/dev/null", "0", "1", "2", f"PATH={SYSTEM}", "A=b"]


def test_a_program_leads_a_session(folder: Folder) -> None:
    """Its pid is the number of its session and of its group."""

    async def started() -> None:
        running = folder.start("sleep", "20")
        pid = running.identity.pid
        assert os.getsid(pid) == os.getpgid(pid) == pid
        await end(running.identity)

    asyncio.run(started())


def test_programs_are_found_as_they_would_find_them(folder: Folder) -> None:
    """The PATH is the program's own, and relative names start from its folder."""
    folder.program("say", "here")
    folder.program("bin/say", "there")

    for argv, path, said in (
        ("say", f"{folder.path}/bin:{SYSTEM}", "there"),
        ("say", f"nowhere:bin:{SYSTEM}", "there"),
        ("say", f":{SYSTEM}", "here"),
        ("./say", SYSTEM, "here"),
        ("bin/say", SYSTEM, "there"),
    ):
        assert folder.run(argv, env={"PATH": path}) == 0
        assert folder.out() == f"{said}\n"
    with pytest.raises(FileNotFoundError):
        folder.run("say", env={"PATH": SYSTEM})


def test_what_can_not_be_executed_is_said(folder: Folder) -> None:
    """The error is that of the program, and nothing stays open."""
    folder.program("forbidden", "never")
    (folder.path / "forbidden").chmod(0o644)
    (folder.path / "text").write_text("no program")
    (folder.path / "text").chmod(0o755)
    before = descriptors()

    for argv, error in (
        (["nothing-like-this"], FileNotFoundError),
        (["./nothing"], FileNotFoundError),
        ([""], FileNotFoundError),
        ([], FileNotFoundError),
        (["./forbidden"], PermissionError),
        ([str(folder.path)], PermissionError),
        (["./text"], OSError),
        (["echo", "\0"], OSError),
        (["echo", "x" * (4 << 20)], OSError),
    ):
        with pytest.raises(error):
            folder.run(*argv)
    assert descriptors() == before
    assert not spawning.own


def test_a_missing_folder_is_not_a_missing_program(folder: Folder) -> None:
    """The folder to work in, or one for output, has an error of its own, and nothing stays open."""
    nowhere = folder.path / "nowhere"

    async def starts() -> None:
        before = descriptors()
        with pytest.raises(Unprepared, match=r"can't work in .*nowhere"):
            folder.start(str(nowhere), cwd=nowhere)
        with pytest.raises(Unprepared, match=r"can't make .*nowhere/err"):
            spawn(["true"], cwd=str(folder.path), env={}, stdout=str(folder.path / "o"), stderr=str(nowhere / "err"))
        assert descriptors() == before

    asyncio.run(starts())


def test_waiting_can_be_cancelled(folder: Folder) -> None:
    """One that waits gives up; the program goes on, and others still learn how it ended, as often as they ask."""

    async def waits() -> None:
        before = descriptors()
        running = folder.start("sleep", "20")
        first, second = (asyncio.create_task(running.wait()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        assert first.cancelled()
        assert not second.done()
        os.kill(running.identity.pid, signal.SIGINT)
        assert [await second, await running.wait()] == [-signal.SIGINT] * 2
        assert descriptors() == before

    asyncio.run(waits())


@contextmanager
def only(free: int) -> Iterator[None]:
    """Leave this process so many descriptors, and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(64)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken) + 1, hard))
    for descriptor in taken[:free]:
        os.close(descriptor)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in taken[free:]:
            os.close(descriptor)


@pytest.mark.slow
def test_too_few_descriptors_leave_nothing_behind(folder: Folder) -> None:
    """The start fails, at whichever step, and no process and no file remain."""

    async def start(free: int) -> bool:
        before = descriptors()
        with only(free):
            try:
                running = folder.start("sleep", "20")
            except (OSError, Unprepared):
                return False
            finally:
                gc.collect()
        await end(running.identity)
        await running.wait()
        assert descriptors() == before
        return True

    others = children(os.getpid())
    done = [asyncio.run(start(free)) for free in range(8)]
    assert done == sorted(done)
    assert set(done) == {False, True}
    assert children(os.getpid()) == others


def test_a_program_that_can_not_be_watched_is_not_left_running(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the last descriptor have gone to another thread, the program is ended."""

    def none_left(pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(pid))

    monkeypatch.setattr(os, "pidfd_open", none_left)
    others = children(os.getpid())
    with pytest.raises(OSError, match="open files"):
        folder.run("sleep", "20")
    assert children(os.getpid()) == others
