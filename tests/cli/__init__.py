"""Tests of the command line, which is run as users run it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.local.service import survivors

FASTBATCH = [sys.executable, "-m", "fastbatch"]


class User:
    """Who runs the command, with an instance and all else in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.home = self.state / "fastbatch" / "local"
        self.environment = {**os.environ, "XDG_STATE_HOME": str(self.state), "TMPDIR": str(folder)}

    def run(self, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run `fastbatch local`, and see to it that no traceback is shown."""
        done = self.call(*FASTBATCH, "local", *arguments, **options)
        assert "Traceback" not in done.stderr
        return done

    def call(self, *argv: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run any program to its end."""
        settings = {"env": self.environment, "cwd": self.folder, "timeout": 60, **options}
        return subprocess.run(argv, capture_output=True, text=True, check=False, **settings)

    def begin(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        """Begin to run `fastbatch local`."""
        settings = {"env": self.environment, "cwd": self.folder, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*FASTBATCH, "local", *arguments], text=True, **{**settings, **options})

    def processes(self) -> list[int]:
        """List whatever lives that has to do with the folder: services, tasks, and their descendants."""
        return survivors(str(self.folder))

    def end_all(self) -> None:
        """End whatever lives."""
        deadline = time.monotonic() + 20
        while pids := self.processes():
            assert time.monotonic() < deadline
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
