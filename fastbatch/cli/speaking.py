"""Speaking with the services from a command that is not a run: connected for a while, with what happens on stderr."""

import contextlib
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import click

from fastbatch.azure.services import Services, connected
from fastbatch.cli.display.sentences import sentences
from fastbatch.cli.display.wording import states_text
from fastbatch.cli.signalled import until_signalled
from fastbatch.events import Event, NodesCounted
from fastbatch.settings import Account, Settings

T = TypeVar("T")


def with_services(account: Account, settings: Settings, doing: Callable[[Services], Awaitable[T]]) -> T:
    """Do something with the services of an account; raise Interrupted if a signal ends it."""

    async def whole() -> T:
        async with connected(account, settings, show) as services:
            return await doing(services)

    return anyio.run(until_signalled, whole)


def show(event: Event) -> None:
    """Say what happened on stderr."""
    lines = (f"Nodes: {states_text(event.states)}.",) if isinstance(event, NodesCounted) else sentences(event)
    for line in lines:
        say(line)


def say(text: str) -> None:
    """Say something on stderr; nobody may be there to read it."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            click.echo(text, err=True)
