"""Whether there are colors, and which."""

from collections.abc import Mapping

import click

from fastbatch.cli.display.sentences import Tone

COLORS = {Tone.STEP: None, Tone.NOTICE: "yellow", Tone.FAILURE: "red", Tone.DETAIL: "cyan"}


def is_dumb(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal can do no more than print."""
    return environment.get("TERM", "").lower() in ("dumb", "unknown")


def wants_color(environment: Mapping[str, str], *, terminal: bool) -> bool:
    """
    Tell whether what is written is to be in color.

    NO_COLOR says no, whatever else is said, as it does for rich. FORCE_COLOR says yes to what is no terminal, too.
    """
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return terminal and not is_dumb(environment)


def painted(text: str, tone: Tone, *, color: bool) -> str:
    """Give text in the color of what it says."""
    return click.style(text, fg=COLORS[tone]) if color and COLORS[tone] else text
