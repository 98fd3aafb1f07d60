"""A task is ended whole, in a service that adopts orphans and after one that was killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastbatch.local.ending import end_leftovers
from fastbatch.local.processes import Identity, Mark

from .service import VARIABLE, survivors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Play = Callable[..., subprocess.CompletedProcess[str]]

SERVICE = Path(__file__).with_name("service.py")

# Nothing tells of these but who started them.
HIDDEN = "cd / && env -i WHERE=$OLDPWD setsid"
IN_A_THREAD = f"""exec {sys.executable} -S -c '
import os, subprocess, threading
argv, env = ["setsid", "sleep", "20"], {{"WHERE": os.getcwd()}}
threading.Thread(target=subprocess.call, args=(argv,), kwargs=dict(env=env, cwd="/")).start()
'"""

SPREAD = {
    "a group": ("sleep 20 & sh -c 'sleep 20 & wait' & wait", 2),
    "sessions of their own": ("setsid sleep 20 & setsid sh -c 'sleep 20 & wait' & wait", 2),
    "a daemon beside its task": ("(setsid sh -c 'sleep 20 & sleep 20 & wait' &); sleep 20", 3),
    "a session with a cleared environment": ("env -i setsid sleep 20 & wait", 1),
    "a daemon with a cleared environment": ("(env -i setsid sleep 20 &); sleep 20", 2),
    "a stopped process": ("sh -c 'kill -STOP $$; sleep 20' & sleep 20", 1),
    "a hidden process": (f"{HIDDEN} sleep 20 & wait", 1),
    "a hidden process that a thread started": (IN_A_THREAD, 1),
    "zombies": ("sh -c 'true & exec sleep 20' & wait", 1),
}
ABANDONED = {
    "a process in the background": ("sleep 20 &", 1),
    "a daemon": ("(setsid sh -c 'sleep 20 & exec sleep 20' &)", 2),
    "a daemon with a cleared environment": ("(env -i setsid sleep 20 &)", 1),
    "a daemon's daemon": ("(setsid sh -c '(setsid sleep 20 &); exec sleep 20' &)", 2),
}


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Play a scene in a service of its own; whatever it leaves is ended after the test."""

    def play(scene: str, *more: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, str(SERVICE), scene, str(tmp_path), *map(str, more)]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, input="", timeout=20)
        assert done.returncode == expect, done.stderr
        return done

    yield play
    while left := survivors(str(tmp_path)):
        for pid in left:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("kind", SPREAD)
def test_a_running_task_is_ended_with(play: Play, kind: str) -> None:
    """Whatever a task has started ends with it, and no zombie stays."""
    play("spread", *SPREAD[kind])


def test_an_orphan_is_known_by_the_session_of_a_process_that_is_known(play: Play) -> None:
    """Sessions that come to light while a task is ended tell what else belongs to it."""
    play("spread", f"{HIDDEN} sh -c '(sleep 20 &); sleep 20' & wait", 2)


@pytest.mark.parametrize("kind", ABANDONED)
def test_a_task_that_has_ended_leaves_behind(play: Play, kind: str) -> None:
    """What a task left behind when it ended by itself is ended too."""
    play("abandoned", *ABANDONED[kind])


@pytest.mark.parametrize("step", ["os.setsid()", "pass"])
def test_nothing_outruns_its_end(play: Play, step: str) -> None:
    """Who flees from fork to fork is caught, in new sessions by the mark and in an old one by the session."""
    play("fleeing", step)


@pytest.mark.parametrize("scene", ["spreading", "deaf", "polite", "neighbours", "hidden"])
def test_a_task_ends_that_is(play: Play, scene: str) -> None:
    """See the scene for what it is."""
    play(scene)


@pytest.mark.parametrize("scene", ["statuses", "strangers", "signals"])
def test_adopting_disturbs_nobody(play: Play, scene: str) -> None:
    """See the scene for who is not disturbed."""
    play(scene)


@pytest.mark.parametrize("kind", SPREAD)
def test_what_a_killed_service_left_is_ended(play: Play, tmp_path: Path, kind: str) -> None:
    """The tasks that were recorded are ended with all that came of them, and so is what only bears the mark."""
    script, sleepers = SPREAD[kind]
    killed = play("crash", script, sleepers, expect=-signal.SIGKILL)
    assert survivors(str(tmp_path))

    asyncio.run(end_leftovers(Mark(VARIABLE, str(tmp_path)), Identity.parse(killed.stdout.strip())))
    assert survivors(str(tmp_path)) == []


def test_what_was_never_recorded_is_ended(play: Play, tmp_path: Path) -> None:
    """The mark alone is enough after a crash."""
    play("crash", *ABANDONED["a daemon's daemon"], expect=-signal.SIGKILL)

    asyncio.run(end_leftovers(Mark(VARIABLE, str(tmp_path))))
    assert survivors(str(tmp_path)) == []


def test_who_looks_for_leftovers_finds_neither_itself_nor_its_ancestors(tmp_path: Path) -> None:
    """A service that runs in a task of another does not end itself."""
    env = {**os.environ, VARIABLE: str(tmp_path)}
    argv = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, str(SERVICE), "lineage", str(tmp_path)]

    subprocess.run(argv, env=env, check=True, timeout=20)
