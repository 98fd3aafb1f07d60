"""`fastbatch watch`: attaching to a run."""

from typing import Any

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import display_options, run_argument, settings_anew
from fastbatch.cli.resume import ANEW


@click.command(short_help="Attach to a run until it is over.")
@run_argument
@settings_anew(*ANEW)
@display_options
def watch(run: str, **given: Any) -> None:
    """
    Attach to a run until it is over: follow it if another process drives it, else drive it to its end.

    RUN is the id of a run, the beginning of one, a name (its newest run), or last. What failed is not tried again, and
    what was cancelled does not go on; see resume. What is set anew counts only if nobody else drives the run.

    \b
    Examples:
      fastbatch run corpus --detach     submit, and leave it to the service
      fastbatch watch last              wait for it, fetch, merge, clean up

    \b
    Exit codes: as of fastbatch run.
    """
    with boundary():
        from fastbatch.cli.display import Wishes
        from fastbatch.cli.recorded import conduct, found
        from fastbatch.running.manners import Reach
        from fastbatch.running.runs import attach

        flags = {name: given.pop(name) for name in ANEW}
        conduct(found(run), Wishes(**given), flags, attach, Reach.END)
