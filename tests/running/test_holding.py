"""A run is driven by one process at a time, however those before it ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from fastbatch import state
from fastbatch.errors import Busy, UsageError
from fastbatch.running.holding import held, holder

RUN = "run-abcdefgh"
HOLDING = f"""
import sys
from fastbatch.running.holding import held
with held({RUN!r}):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another() -> Iterator[subprocess.Popen[str]]:
    """Have another process drive the run."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDING], text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def lock_file() -> Path:
    """Give the file of the lock."""
    return state.folder() / "locks" / RUN


def test_a_run_is_held_while_it_is_driven() -> None:
    """And nothing is left afterwards."""
    assert holder(RUN) is None
    with held(RUN):
        assert holder(RUN) == os.getpid()
    assert holder(RUN) is None
    assert not lock_file().exists()


def test_a_run_is_driven_once() -> None:
    """Who comes second is told who is first, and what to do; other runs are free."""
    with another() as first:
        assert holder(RUN) == first.pid
        with pytest.raises(Busy) as caught, held(RUN):
            pass
        with held("run-zzzzzzzz"):
            pass

    assert str(caught.value) == (
        f"Run {RUN} is driven by another process (pid {first.pid}). Watch it with: fastbatch watch {RUN}"
    )


def test_it_is_the_same_within_a_process() -> None:
    """As a program may drive several runs, and by mistake one twice."""
    with held(RUN), pytest.raises(Busy), held(RUN):
        pass
    with held(RUN):
        assert holder(RUN)


def test_a_killed_process_drives_nothing() -> None:
    """Though its file is still there, with its process id."""
    with another() as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        left = lock_file().read_text()

        assert int(left) == first.pid
        assert holder(RUN) is None
        with held(RUN):
            assert holder(RUN) == os.getpid()


def test_a_process_that_ends_by_itself_frees_the_run() -> None:
    """And takes its file with it."""
    with another() as first:
        first.communicate()

        assert holder(RUN) is None
        assert not lock_file().exists()


def test_a_lock_on_a_file_that_was_replaced_is_none() -> None:
    """Whoever holds what is there now is who drives; the other takes nothing away from it."""
    with another() as first:
        lock_file().unlink()

        assert holder(RUN) is None
        with held(RUN):
            first.communicate()  # ends, and does not remove the file that is not its own

            assert holder(RUN) == os.getpid()
            assert lock_file().exists()


def test_looking_keeps_nobody_from_driving() -> None:
    """Though who looks holds the lock for an instant; and what is looked at may be gone in the next."""
    with ThreadPoolExecutor(2) as pool:
        driving = True

        def look() -> None:
            while driving:
                assert holder(RUN) in {None, 0, os.getpid()}

        looks = [pool.submit(look) for _ in range(2)]
        try:
            for _ in range(300):
                with held(RUN):
                    pass
        finally:
            driving = False
        assert [done.result() for done in looks] == [None, None]


def test_only_one_of_many_that_come_at_once_drives() -> None:
    """Each of them in turn, or not at all."""
    inside: list[int] = []

    def drive(number: int) -> bool:
        try:
            with held(RUN):
                inside.append(number)
                assert inside == [number]
                inside.remove(number)
        except Busy:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert any(pool.map(drive, range(200)))
    assert holder(RUN) is None


def test_a_state_folder_that_cannot_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    assert holder(RUN) is None
    with pytest.raises(UsageError, match=r"Not a directory\..*XDG_STATE_HOME"), held(RUN):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there, who makes links must be allowed to")
def test_a_link_is_no_lock(tmp_path: Path) -> None:
    """What it leads to is not written, and that it can't be used is told."""
    (tmp_path / "precious").write_text("precious")
    state.make(lock_file().parent)
    lock_file().symlink_to(tmp_path / "precious")

    assert holder(RUN) is None
    with pytest.raises(UsageError, match="cannot make"), held(RUN):
        pass
    assert (tmp_path / "precious").read_text() == "precious"
