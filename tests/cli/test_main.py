"""The command as a whole: its help, its version, its exit codes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

import fastbatch
from fastbatch.cli.exits import boundary
from fastbatch.cli.interruption import Program
from fastbatch.cli.local import up
from fastbatch.cli.main import main
from fastbatch.local.errors import Unavailable
from tests.cli import FASTBATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def commands(command: click.Command, *path: str) -> Iterator[list[str]]:
    """Give the words of every command."""
    yield list(path)
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, *path, name)


def raising(error: BaseException) -> click.Group:
    """Give a program with a command that raises something within the boundary."""
    return acting(lambda: throw(error))


def throw(error: BaseException) -> None:
    """Raise it."""
    raise error


def acting(does: Callable[[], None]) -> click.Group:
    """Give a program with a command that does something within the boundary."""

    @click.group(cls=Program)
    def program() -> None:
        pass

    @program.command()
    def act() -> None:
        with boundary():
            does()

    return program


@pytest.mark.parametrize("words", list(commands(main)), ids=lambda words: "-".join(words) or "fastbatch")
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_shows_its_help_with_an_example(words: list[str], option: str) -> None:
    """In both spellings, on lines of their own."""
    shown = CliRunner().invoke(main, [*words, option])

    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert any(line.strip().startswith(("fastbatch ", 'eval "$(fastbatch')) for line in shown.output.splitlines())


def test_every_option_of_up_shows_its_default() -> None:
    """Flags, which are off, have none to show."""
    context = click.Context(up)
    helps = [option.get_help_record(context) for option in up.params if not getattr(option, "is_flag", False)]

    assert len(helps) == 8
    for text in helps:
        assert text
        assert "[default: " in text[1]


def test_it_says_its_version() -> None:
    """As a program and as a module."""
    done = subprocess.run([*FASTBATCH, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"fastbatch, version {fastbatch.__version__}\n"


def test_help_imports_nothing_that_takes_long() -> None:
    """Neither the server's libraries nor the SDKs."""
    code = """
import sys
from fastbatch.cli.main import main
main(["local", "up", "--help"], standalone_mode=False)
print(sorted({"aiohttp", "azure", "asyncio", "sqlite3", "yarl"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words",
    [
        ["wrong"],
        ["local", "wrong"],
        ["local", "up", "--wrong"],
        ["local", "up", "there"],
        ["local", "up", "--batch-port", "65536"],
        ["local", "up", "--node-boot-seconds", "-1"],
        ["local", "up", "--node-boot-seconds", "nan"],
        ["local", "up", "--node-quota", "many"],
        ["local", "up", "--owner", "1"],
        ["local", "up", "--ephemeral", "--owner", "0"],
        ["local", "up", "--ephemeral", "--owner", "4194305"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_and_is_code_2(words: list[str], tmp_path: Path) -> None:
    """And nothing is made."""
    ended = CliRunner(env={"XDG_STATE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}).invoke(main, words)

    assert ended.exit_code == 2
    assert "Error: " in ended.stderr
    assert not list(tmp_path.iterdir())


def test_what_the_local_services_raise_is_a_message_and_code_3() -> None:
    """Nothing else is shown."""
    ended = CliRunner().invoke(raising(Unavailable("Do this.")), ["act"])

    assert (ended.exit_code, ended.stdout, ended.stderr) == (3, "", "Error: Do this.\n")


def test_what_the_system_refuses_is_a_message_and_code_3() -> None:
    """With the file that it is about."""
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/the/file")
    ended = CliRunner().invoke(raising(error), ["act"])

    assert ended.exit_code == 3
    assert ended.stderr == "Error: /the/file: No space left on device. See to that, then run this again.\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 129), (signal.SIGTERM, 143)], ids=["INT", "HUP", "TERM"]
)
def test_a_signal_ends_it_with_a_message_and_the_code_of_the_signal(number: signal.Signals, code: int) -> None:
    """And from then on signals are heard as before."""
    before = signal.getsignal(number)
    ended = CliRunner().invoke(acting(lambda: os.kill(os.getpid(), number)), ["act"])

    assert (ended.exit_code, ended.stdout, ended.stderr) == (code, "", f"Interrupted ({number.name}).\n")
    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_so() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        ended = CliRunner().invoke(acting(lambda: os.kill(os.getpid(), signal.SIGHUP)), ["act"])
    finally:
        signal.signal(signal.SIGHUP, before)

    assert (ended.exit_code, ended.stderr) == (0, "")
