"""Small disks of our own, which fill up: memory that is mounted where only the programs that we send there see it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PAGE = 4096
_NEEDED = ("unshare", "nsenter", "mount")


class Disk:
    """A small disk, seen by what is sent there."""

    def __init__(self, folder: Path, holder: int) -> None:
        self._enter = ("nsenter", "--preserve-credentials", "--user", "--mount", f"--target={holder}", "--")
        self._root = Path(f"/proc/{holder}/root")
        self._filler = self.seen(folder) / "filler"

    def within(self, folder: Path) -> tuple[str, ...]:
        """Give what sends a program there, into a folder."""
        return (*self._enter, "sh", "-c", 'cd "$0" && exec "$@"', str(folder))

    def seen(self, path: Path) -> Path:
        """Give the path by which others see what those programs have at a path."""
        return self._root / path.relative_to("/")

    def run(self, *argv: str | Path) -> None:
        """Run a program there, which must do well."""
        subprocess.run([*self._enter, *argv], check=True, capture_output=True)

    def fill(self) -> None:
        """Leave no room on it."""
        with open(self._filler, "ab", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(_PAGE))
            except OSError:
                pass

    def free(self) -> None:
        """Have room again."""
        self._filler.unlink()


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Disk]:
    """Have a small disk in place of a folder for a while; skip the test where none can be made."""
    if not all(map(shutil.which, _NEEDED)):
        pytest.skip(f"a small disk takes {', '.join(_NEEDED)}")
    folder.mkdir(parents=True, exist_ok=True)
    script = f'mount -t tmpfs -o size={size} none "$0" && echo ready && exec cat'
    holder = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
    )
    with holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stderr
        if not holder.stdout.readline():
            pytest.skip(f"a small disk can't be made here: {os.fsdecode(holder.stderr.read()).strip()}")
        try:
            yield Disk(folder, holder.pid)
        finally:
            holder.stdin.close()
