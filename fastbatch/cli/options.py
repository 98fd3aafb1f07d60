"""The options by which runs are set, one for each setting."""

from collections.abc import Callable
from typing import Any

import click

from fastbatch.bounds import SETTINGS, Setting, Shape

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


_CALLED = {Shape.NUMBER: "N", Shape.SIZE: "SIZE", Shape.DURATION: "DURATION"}


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """
    Give a command an option for every setting; the values of those that are not given are None.

    Values are texts, which are read when all that is set is brought together: then everything that is wrong is told at
    once, and not only the first.
    """
    return setting_options(*SETTINGS)(command)


def setting_options(*names: str, otherwise: str | None = None) -> Decorator:
    """Give a command the options for some settings, as texts or None; `otherwise` says what None stands for."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            command = _option(SETTINGS[name], otherwise)(command)
        return command

    return decorated


def settings_anew(*names: str) -> Decorator:
    """Give a command the options for settings of a run that was started before."""
    return setting_options(*names, otherwise="as the run was started")


def options_of_display(last: str) -> Decorator:
    """Give a command the options that say how it is shown, as Wishes has them; its last event has that name."""
    options = (
        click.option("--json", is_flag=True, help=f"Print events as JSON lines; the last one is {last}."),
        click.option("-q", "--quiet", is_flag=True, help="Show errors and the result only."),
        click.option("-v", "--verbose", is_flag=True, help="Show requests that are sent again, too."),
        click.option("--log-file", type=click.Path(dir_okay=False), metavar="FILE", help="Append all events as JSON."),
    )

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


display_options = options_of_display("run.completed")


def account_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which account is used: `profile` and `local`."""
    command = click.option("--local", is_flag=True, help="Use the local services; ignore what is set for accounts.")(
        command
    )
    return click.option(
        "--profile", metavar="NAME", help="The profile of config.toml to use.  [default: its default_profile, if any]"
    )(command)


def run_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument by which a run is named, `run`; Journal.find knows what it may be."""
    return click.argument("run", metavar="RUN")(command)


def _option(known: Setting, otherwise: str | None = None) -> Decorator:
    about = f"{known.help}  [default: {otherwise or _default(known)}]"
    if known.shape is Shape.FLAG:
        return click.option(f"{known.option}/--no-{known.option[2:]}", known.name, default=None, help=about)
    several = known.shape is Shape.TEXTS
    return click.option(
        known.option,
        known.name,
        type=str,
        metavar=known.called or _CALLED[known.shape],
        multiple=several,
        callback=_or_none if several else None,
        help=f"{about[:-1]}; may be given several times]" if several else about,
    )


def _default(known: Setting) -> str:
    if known.shape is Shape.FLAG:
        return "on" if known.default else "off"
    return known.otherwise if known.default in {None, ()} else known.shown(known.default)


def _or_none(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Tell no value from some, as with the other options."""
    return values or None
