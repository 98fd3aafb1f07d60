"""Who runs `fastbatch run`, as a process of its own."""

import fcntl
import itertools
import json
import os
import signal
import struct
import subprocess
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fastbatch.cli.main import main
from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from tests.cli import FASTBATCH
from tests.counted import account_of
from tests.local.instances import Instance, eventually

Record = dict[str, Any]

_OURS = ("AZURE_", "FASTBATCH_", "XDG_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "TMPDIR")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def records(self) -> list[Record]:
        """Give the lines of its stdout, each of which is JSON."""
        return records(self.out)


def records(lines: str) -> list[Record]:
    """Read lines of JSON."""
    return [json.loads(line) for line in lines.splitlines()]


def unread(pipe: int) -> int:
    """Tell how many bytes of a pipe nobody has read yet."""
    (found,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))
    return int(found)


class Runner:
    """A user in a folder, whose environment names services; with a state folder, a configuration of their own."""

    def __init__(self, folder: Path, services: Instance) -> None:
        self.folder = folder
        self.services = services
        self.state = folder / "state"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.program = FASTBATCH
        self.within: tuple[str, ...] = ()  # what is run before each program, to be where it is to run
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
            **asking.environment(Home(services.home)),
            "XDG_STATE_HOME": str(self.state),
            "XDG_CONFIG_HOME": str(folder / "configuration"),
            "TMPDIR": str(self.temporary),
            "TERM": "xterm-256color",
        }

    def with_local_services(self) -> None:
        """From now on have no account, and the local services where `--local` finds them."""
        self.state = self.services.home.parent.parent
        self.forget_account()
        self.environment["XDG_STATE_HOME"] = str(self.state)

    def forget_account(self) -> None:
        """From now on have no account in the environment."""
        self.environment = {name: value for name, value in self.environment.items() if not name.startswith("AZURE_")}

    def reach_batch_at(self, url: str) -> None:
        """From now on reach Batch in another place."""
        self.environment["AZURE_BATCH_ENDPOINT"] = url

    def reach_storage_at(self, url: str) -> None:
        """From now on reach the storage in another place."""
        connection = self.environment["AZURE_STORAGE_CONNECTION_STRING"]
        before = account_of(self.services).storage_endpoint
        assert before in connection
        self.environment["AZURE_STORAGE_CONNECTION_STRING"] = connection.replace(before, url)

    def run(self, *arguments: str | bytes | Path, stdin: bytes = b"", **options: Any) -> Done:
        """Run `fastbatch run` to its end, and see to it that no traceback is shown."""
        return self.call(*self.program, "run", *arguments, stdin=stdin, **options)

    def ask(self, *arguments: str) -> Done:
        """Have `fastbatch` do something that ends soon, within this process, which is quicker."""
        others = dict.fromkeys(os.environ.keys() - self.environment.keys())
        ended = CliRunner(env={**others, **self.environment}).invoke(main, arguments)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Done(ended.exit_code, ended.stdout, ended.stderr)

    def resume(self, *arguments: str | Path, **options: Any) -> Done:
        """Run `fastbatch resume` to its end."""
        return self.call(*self.program, "resume", *arguments, **options)

    def call(self, *argv: str | bytes | Path, stdin: bytes = b"", **options: Any) -> Done:
        """Run any program to its end; what it writes elsewhere is empty here."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        done = subprocess.run(
            [*self.within, *argv],
            input=stdin,
            check=False,
            env=self.environment,
            cwd=self.folder,
            **{"timeout": 100, **pipes, **options},
        )
        found = Done(done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode())
        assert "Traceback" not in found.err
        return found

    @contextmanager
    def running(self, *arguments: str | Path, **options: Any) -> Iterator["Running"]:
        """Run `fastbatch run` for a while, or another verb, in a session of its own."""
        verb = options.pop("verb", "run")
        with tempfile.TemporaryFile() as err:
            settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": err, **options}
            process = subprocess.Popen(
                [*self.within, *self.program, verb, *arguments],
                text=True,
                start_new_session=True,
                env=self.environment,
                cwd=self.folder,
                **settings,
            )
            try:
                yield Running(process, err)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if process.stdout:
                    process.stdout.close()

    def left_here(self) -> list[Path]:
        """Give what runs have left on this machine, beside the journal and results that are kept for a resumption."""
        kept = (self.state / "fastbatch" / "runs").glob("*/*")
        return [*(path for path in kept if path.suffix != ".result"), *self.temporary.iterdir()]

    def left_there(self) -> set[str]:
        """Give the jobs, pools and containers that there are and will be."""
        with self.services.client() as client, self.services.blobs() as blobs:
            return {
                *(f"job {job.id}" for job in client.list_jobs() if job.state != "deleting"),
                *(f"pool {pool.id}" for pool in client.list_pools() if pool.state != "deleting"),
                *(f"container {container.name}" for container in blobs.list_containers()),
            }


class Running:
    """A command that runs."""

    def __init__(self, process: subprocess.Popen[str], err: Any) -> None:
        self.process = process
        self._err = err
        self._read: list[str] = []

    def until(self, event: str) -> Record:
        """Read its lines of JSON until one tells of an event."""
        assert self.process.stdout
        for line in self.process.stdout:
            self._read.append(line)
            record: Record = json.loads(line)
            if record["event"] == event:
                return record
        raise AssertionError(f"it ended before {event}: {self.end()}")

    def after(self, number: int) -> None:
        """Read so many lines, or all if there are fewer."""
        assert self.process.stdout
        self._read += itertools.islice(self.process.stdout, number)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, seconds: float = 30) -> Done:
        """Wait for its end; nothing of its session may live longer, and no traceback be shown."""
        code = self.process.wait(seconds)
        rest = self.process.stdout.read() if self.process.stdout else ""
        self._err.seek(0)
        done = Done(code, "".join(self._read) + rest, self._err.read().decode())
        assert "Traceback" not in done.err
        eventually(self._session_lives, lambda lives: not lives, 5)
        return done

    def _session_lives(self) -> bool:
        """Tell whether anything of its session still runs; what was killed with it is there until it is reaped."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 0)
            return True
        return False
