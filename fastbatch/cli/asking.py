"""Questions to who sits at a terminal."""

import sys

import anyio
import click
from anyio import to_thread

from fastbatch.errors import UsageError


def somebody_is_there() -> bool:
    """Tell whether there is a terminal, so that somebody can be asked."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


async def agreed(question: str, *, yes: bool, undone: str) -> bool:
    """
    Ask whether to do what can't be undone, unless `yes` was said before.

    Raises UsageError where there is nobody to ask, with what is not done then.
    """
    if yes:
        return True
    if not somebody_is_there():
        raise UsageError(f"{undone}: nobody can be asked, as this is no terminal. If it is meant, say --yes")
    return await answer(question, expected=False)


async def answer(question: str, *, expected: bool) -> bool:
    """Ask until there is an answer; the end of the input is no agreement."""
    if sys.platform == "win32":
        return await to_thread.run_sync(
            lambda: click.confirm(question, default=expected, err=True), abandon_on_cancel=True
        )
    while True:
        click.echo(f"{question} [{'Y/n' if expected else 'y/N'}]: ", nl=False, err=True)
        await anyio.wait_readable(sys.stdin)  # a thread that reads would hold the program when a signal ends it
        line = sys.stdin.readline()
        match line.strip().lower():
            case "":
                return expected and bool(line)
            case "y" | "yes":
                return True
            case "n" | "no":
                return False
            case _:
                continue
