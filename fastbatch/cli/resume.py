"""`fastbatch resume`: a run that was broken off goes on."""

from functools import partial
from typing import Any

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import display_options, run_argument, settings_anew

ANEW = ("output", "per_file", "keep_data", "keep_pool", "delete_pool", "timeout")


@click.command(short_help="Go on with a run that was broken off, or partly failed.")
@run_argument
@click.option("--failed", is_flag=True, help="Try again what failed for good, too.")
@settings_anew(*ANEW)
@display_options
def resume(run: str, *, failed: bool, **given: Any) -> None:
    """
    Go on with a run from whatever it reached: only what is missing is uploaded, only what is not there is submitted.

    RUN is the id of a run, the beginning of one, a name (its newest run), or last. What failed
    in a passing way is tried again.

    \b
    Examples:
      fastbatch resume last                     go on after Ctrl-C, a crash, a closed laptop
      fastbatch resume run-k3v9 --output out    and write the outputs there
      fastbatch resume run-k3v9 --failed        try again what failed for good, too

    \b
    Exit codes: as of fastbatch run.
    """
    with boundary():
        from fastbatch.books.recovery import Again
        from fastbatch.cli.display import Wishes
        from fastbatch.cli.recorded import conduct, found
        from fastbatch.running.manners import Reach
        from fastbatch.running.runs import carry_on

        flags = {name: given.pop(name) for name in ANEW}
        again = Again.ALL if failed else Again.PASSING
        conduct(found(run), Wishes(**given), flags, partial(carry_on, again=again), Reach.END)
