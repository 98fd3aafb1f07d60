"""Programs of ours in the background: started, and heard, as each tells in one line of JSON how its start went."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any

from fastbatch.local.errors import Unavailable
from fastbatch.local.instance.home import Home
from fastbatch.local.marking import INSTANCE_MARK
from fastbatch.local.processes import Identity, identify

_SECONDS = 60


def tell(**what: Any) -> None:
    """Tell whoever started this program how that went, and nothing more from then on."""
    try:
        print(json.dumps(what), flush=True)  # noqa: T201 - it is how the two talk
    finally:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def start(home: Home, module: str, options: Sequence[str]) -> tuple[Identity, Mapping[str, Any]]:
    """Start a module as a program, in a session of its own; give which process it is and what it told."""
    with open(os.open(home.log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b") as log:
        log.seek(0, os.SEEK_END)
        process = _spawn(home, module, options, log)
        try:
            told = _told(process)
            identity = identify(process.pid)
        except BaseException:
            _end(process)
            raise
        if "error" in told or not told or identity is None:
            _end(process)
            raise Unavailable(told.get("error", f"{module} did not start; its log is {home.log}{_last_line(log)}"))
    process.returncode = 0  # it outlives us, and nobody waits for it
    return identity, told


def _spawn(home: Home, module: str, options: Sequence[str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - a program of ours
        [sys.executable, "-P", "-m", module, f"--home={home.path}", *options],
        cwd="/",
        env={**os.environ, INSTANCE_MARK: str(home.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _last_line(log: IO[bytes]) -> str:
    lines = log.read().decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""


def _told(process: "subprocess.Popen[bytes]") -> Mapping[str, Any]:
    assert process.stdout  # noqa: S101 - it is a pipe
    with process.stdout as output, contextlib.suppress(ValueError):
        ready, _, _ = select.select([output], [], [], _SECONDS)
        return dict(json.loads(output.readline())) if ready else {}
    return {}
