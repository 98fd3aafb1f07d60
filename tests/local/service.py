"""
A service in small, which adopts orphans, and so runs as a process of its own: `python service.py SCENE FOLDER [...]`.

What it asserts and does not hold ends it with an error. All that it starts lives for 20 seconds at most, and bears
the folder in its environment, its command line, or as its working folder, where survivors() finds it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fastbatch.local.ending import end
from fastbatch.local.orphans import adopting, orphans
from fastbatch.local.processes import Mark, leftovers
from fastbatch.local.spawning import Running, spawn

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "AZ_BATCH_TASK_DIR"

# Flees from fork to fork, each time into a new session, and says so if it was let go.
FLEEING = """
import os, sys, time
deadline = time.monotonic() + 8
for hop in range(5000):
    if os.fork():
        os._exit(0)
    {step}
    if time.monotonic() > deadline:
        break
open("escaped", "w").close()
"""

# Forks one after the other, and each child forks too.
SPREADING = """
import os, time
for _ in range(400):
    if not os.fork():
        os.fork()
        time.sleep(20)
        os._exit(0)
    time.sleep(0.001)
time.sleep(20)
"""


def survivors(folder: str) -> list[int]:
    """List the processes that live and have anything to do with a folder, except this one and its parent."""
    spared = {os.getpid(), os.getppid()}
    pids = {int(name) for name in os.listdir("/proc") if name.isdecimal()} - spared
    return [pid for pid in pids if folder in _all_of(pid)]


def _all_of(pid: int) -> str:
    process = Path("/proc", str(pid))
    try:
        return (process / "environ").read_text() + (process / "cmdline").read_text() + os.readlink(process / "cwd")
    except OSError:
        return ""


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition, ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- what other processes do sets no event here
            await asyncio.sleep(0.005)


class Service:
    """Starts tasks in a folder, and ends them."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def start(self, *argv: str, name: str = "task") -> Running:
        """Start a task, in a folder of its own within ours."""
        where = os.path.join(self.folder, name)
        os.makedirs(where, exist_ok=True)
        env = {"PATH": os.environ["PATH"], VARIABLE: where}
        return spawn(argv, cwd=where, env=env, stdout=f"{where}/out", stderr=f"{where}/err")

    def mark(self, name: str = "task") -> Mark:
        """Give what tells a task from others."""
        return Mark(VARIABLE, os.path.join(self.folder, name))

    def sleepers(self, name: str = "task") -> int:
        """Count the living processes of a task that run `sleep`."""
        return sum(_program(pid) == "sleep" for pid in survivors(os.path.join(self.folder, name)))

    def nothing_left(self) -> bool:
        """Tell whether no process of any task is there, dead or alive."""
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        return not children.strip() and not survivors(self.folder)

    def written(self, name: str) -> str | None:
        """Read what a task has written to a file in its folder."""
        file = Path(self.folder, "task", name)
        return file.read_text() if file.exists() else None


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _ended(*argv: str) -> subprocess.Popen[bytes]:
    """Start a program as a library might, and let it end unnoticed."""
    child = subprocess.Popen(argv)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return child


async def spread(service: Service, script: str, sleepers: str) -> None:
    """End a shell's task with its sleepers, so many, wherever they are."""
    task = service.start("sh", "-c", script)
    await until(lambda: service.sleepers() == int(sleepers))
    await end(task.identity, mark=service.mark())
    assert not survivors(service.folder)
    await task.wait()
    assert service.nothing_left()


async def abandoned(service: Service, script: str, sleepers: str) -> None:
    """End the sleepers, so many, that a shell's task has left behind."""
    task = service.start("sh", "-c", script)
    assert await task.wait() == 0
    await until(lambda: service.sleepers() == int(sleepers))
    await end(task.identity, mark=service.mark())
    assert service.nothing_left()


async def fleeing(service: Service, step: str) -> None:
    """End a task that flees from process to process."""
    task = service.start(sys.executable, "-S", "-c", FLEEING.format(step=step))
    await task.wait()
    mark = service.mark() if "setsid" in step else None  # without a new session, the session tells
    await end(task.identity, mark=mark)
    assert service.nothing_left()
    assert service.written("escaped") is None


async def spreading(service: Service) -> None:
    """End a task that keeps forking, and whose children fork too."""
    task = service.start(sys.executable, "-S", "-c", SPREADING)
    await until(lambda: len(survivors(service.folder)) > 30)
    await end(task.identity)
    assert not survivors(service.folder)
    assert await task.wait() == -signal.SIGKILL
    await until(service.nothing_left)


async def deaf(service: Service) -> None:
    """End a task that ignores SIGTERM: it is given its grace, and is killed then."""
    task = service.start("sh", "-c", "trap '' TERM; sleep 20; sleep 20")
    await until(lambda: service.sleepers() == 1)
    asked = time.monotonic()
    await end(task.identity, grace=0.3)
    assert time.monotonic() - asked >= 0.3
    assert await task.wait() == -signal.SIGKILL
    assert service.nothing_left()


async def polite(service: Service) -> None:
    """End a task that ends when it is asked to: it is waited for no longer, and is not killed."""
    task = service.start("sh", "-c", "trap 'exit 3' TERM; sleep 20 & wait")
    await until(lambda: service.sleepers() == 1)
    async with asyncio.timeout(5):
        await end(task.identity, grace=20)
    assert await task.wait() == 3
    assert service.nothing_left()


async def neighbours(service: Service) -> None:
    """End one task, and leave another alone, with its orphan."""
    script = "(setsid sleep 20 &); sleep 20"
    one, other = (service.start("sh", "-c", script, name=name) for name in ("one", "other"))
    await until(lambda: service.sleepers("one") == service.sleepers("other") == 2)
    await end(one.identity, mark=service.mark("one"))
    assert service.sleepers("one") == 0
    assert service.sleepers("other") == 2
    await end(other.identity, mark=service.mark("other"))
    await until(service.nothing_left)


async def hidden(service: Service) -> None:
    """End a task whose orphan has nothing to be known by: it stays, but is listed, and ends when named."""
    script = f"(cd / && env -i setsid sh -c 'sleep 20; : {service.folder}' >/dev/null 2>&1 &)"
    task = service.start("sh", "-c", script)
    await task.wait()
    await until(lambda: [_program(one.identity.pid) for one in orphans() if one.session == one.identity.pid] == ["sh"])
    await end(task.identity, mark=service.mark())
    assert orphans()
    await end(*(orphan.identity for orphan in orphans()))
    assert service.nothing_left()


async def statuses(service: Service) -> None:
    """Run 200 tasks at once, each with an orphan to be reaped: all exit codes arrive, no zombie or file is left."""
    before = len(os.listdir("/proc/self/fd"))
    tasks = [service.start("sh", "-c", f"(setsid true &); exit {code}", name=f"t{code}") for code in range(200)]
    assert await asyncio.gather(*(task.wait() for task in tasks)) == list(range(200))
    await until(service.nothing_left)
    assert len(os.listdir("/proc/self/fd")) == before


async def strangers(service: Service) -> None:
    """Reap an orphan beside a child that was started in another way: its exit code stays for who waits for it."""
    child = _ended("sh", "-c", "exit 7")
    task = service.start("sh", "-c", "(setsid true &)")
    await task.wait()
    await until(lambda: not orphans())
    assert child.wait() == 7


async def signals(service: Service) -> None:
    """Start a task where signals are ignored and blocked, and input is a pipe: nothing is so in the task."""
    task = service.start("sh", "-c", "grep -E 'Sig(Ign|Blk)' /proc/self/status; readlink /proc/$$/fd/0")
    assert await task.wait() == 0
    *lines, where = (service.written("out") or "").splitlines()
    assert [int(line.split()[1], 16) for line in lines] == [0, 0]
    assert where == os.devnull


async def crash(service: Service, script: str, sleepers: str) -> None:
    """Say what was started, and be killed."""
    task = service.start("sh", "-c", script)
    await until(lambda: service.sleepers() == int(sleepers))
    print(task.identity, flush=True)  # noqa: T201 -- the answer
    os.kill(os.getpid(), signal.SIGKILL)


async def lineage(service: Service) -> None:
    """Look for leftovers where this process and its parent bear the mark: neither is found."""
    assert survivors(service.folder) == []
    assert leftovers(Mark(VARIABLE, service.folder)) == []


async def main(scene: str, folder: str, *more: str) -> None:
    """Play one of the scenes above."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    with adopting():
        await globals()[scene](Service(folder), *more)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
