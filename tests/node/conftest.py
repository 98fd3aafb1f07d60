"""What the tests of the node share: the interpreters it must run in, and a way to call it in each."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE = Path(__file__).parents[2] / "node"
WORDCOUNT = NODE / "wordcount.py"
AGENT = Path(__file__).with_name("agent.py")


def oldest_python() -> str | None:
    """Find the oldest Python that the node must run in, of those on this machine."""
    for minor in (8, 9, 10):
        on_path = shutil.which(f"python3.{minor}")
        under_pyenv = sorted(glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/python")))
        for candidate in [*([on_path] if on_path else []), *under_pyenv]:
            asked = subprocess.run(
                [candidate, "-c", "import sys; print(sys.version_info[1])"], capture_output=True, check=False, text=True
            )
            if asked.stdout.strip() == str(minor):
                return candidate
    return None


def python_named(name: str) -> str:
    """Give this Python, or the oldest one; skip the test where there is no older one."""
    if name == "this Python":
        return sys.executable
    oldest = oldest_python()
    if oldest is None:
        pytest.skip("there is no Python 3.8, 3.9 or 3.10 on this machine")
    return oldest


@pytest.fixture(scope="session", params=["this Python", "the oldest Python"])
def python(request: pytest.FixtureRequest) -> str:
    """Give an interpreter that the node must run in."""
    return python_named(request.param)


class AgentError(Exception):
    """Raised when the code under test raised: its kind, and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Agent:
    """The node's functions, called in a process of the interpreter under test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __getattr__(self, function: str) -> Any:
        if function.startswith("_"):
            raise AttributeError(function)
        return partial(self._call, function)

    def _call(self, function: str, *positional: object, **named: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        request = json.dumps({"function": function, "positional": positional, "named": named})
        print(request, file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise AgentError(answer["error"], answer["message"])
        return answer["value"]


@pytest.fixture(scope="session")
def agent(python: str) -> Iterator[Agent]:
    """Give the node's functions."""
    command = [python, "-W", "error", str(AGENT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Agent(process)


@dataclass(frozen=True)
class Wordcount:
    """The program as a user runs it."""

    python: str

    def command(self, *arguments: str | Path) -> list[str]:
        """Return what to run."""
        return [self.python, "-W", "error", str(WORDCOUNT), *map(str, arguments)]

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", **options: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end."""
        return subprocess.run(self.command(*arguments), input=stdin, capture_output=True, check=False, **options)

    def top(self, *arguments: str | Path, stdin: bytes = b"") -> list[tuple[str, int]]:
        """Run it, and read what it prints."""
        done = self(*arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, b"")
        rows = (line.split("\t") for line in done.stdout.decode().split("\n")[:-1])
        return [(word, int(count)) for count, word in rows]


@pytest.fixture(scope="session")
def wordcount(python: str) -> Wordcount:
    """Give the program."""
    return Wordcount(python)
