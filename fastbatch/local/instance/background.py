"""Programs of ours in the background: started, and heard, as each tells in one line of JSON how its start went."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from fastbatch.local.errors import Unavailable
from fastbatch.local.instance.home import Home
from fastbatch.local.instance.marking import INSTANCE_MARK
from fastbatch.local.processes import Identity, identify

_SECONDS = 60


def tell(**what: Any) -> None:
    """Tell whoever started this program how that went, and nothing more from then on."""
    print(json.dumps(what), flush=True)  # noqa: T201 - it is how the two talk
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def start(home: Home, module: str, options: Sequence[str]) -> tuple[Identity, Mapping[str, Any]]:
    """Start a module as a program, in a session of its own; give which process it is and what it told."""
    with open(os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        process = subprocess.Popen(  # noqa: S603 - a program of ours
            [sys.executable, "-P", "-m", module, f"--home={home.path}", *options],
            cwd="/",
            env={**os.environ, INSTANCE_MARK: str(home.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    told: Mapping[str, Any] = {}
    with contextlib.suppress(ValueError):
        told = json.loads(_line(process))
    identity = identify(process.pid)
    if not told or "error" in told or identity is None:
        process.kill()
        process.wait()
        raise Unavailable(told.get("error", f"{module} did not start; {home.log} may say why."))
    process.returncode = 0  # it outlives us, and nobody waits for it
    return identity, told


def _line(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout  # noqa: S101 - it is a pipe
    with process.stdout as output:
        ready, _, _ = select.select([output], [], [], _SECONDS)
        return output.readline() if ready else b""
