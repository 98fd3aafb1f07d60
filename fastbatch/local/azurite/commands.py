"""Programs that are run to their end: none outlives its time or an interruption, and what it wrote is kept."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# What programs find their libraries, files and language with. Nothing that is meant for Azure's own programs, or that
# changes what Node.js does.
_KEPT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and all that it wrote."""

    code: int | None  # None when its time was over
    output: str


def plain_environment() -> dict[str, str]:
    """Give the few variables of our own environment that a program can't do without."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def run(
    argv: Sequence[str],
    *,
    seconds: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
    inherited: Sequence[int] = (),
) -> Ended:
    """Run a program to its end, or end it and all that it started; OSError when there is nothing to run."""
    # A file takes what is written even if something that the program left behind holds on to its end.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - what to run is our business, and no shell reads it
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=inherited,
        )
        code = _await_end(process, seconds)
        output.seek(0)
        return Ended(code, output.read().decode(errors="replace"))


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program that leads its own session, with all others in it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_lines(text: str, count: int = 10) -> str:
    """Give the last different lines that say something, each on a line of its own below what comes before."""
    lines = list(dict.fromkeys(line.rstrip() for line in text.splitlines() if line.strip()))
    return "".join(f"\n  {line}" for line in lines[-count:])


def _await_end(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        end(process)
