"""`fastbatch fetch`: what is done of a run, brought here."""

from typing import Any

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import display_options, run_argument, settings_anew

ANEW = ("output", "per_file", "timeout")


@click.command(short_help="Bring what is done of a run, and name what is not.")
@run_argument
@settings_anew(*ANEW)
@display_options
def fetch(run: str, **given: Any) -> None:
    """
    Bring what is done of a run, while it goes on or not; merge it, show it, write it, and name what is not there.

    RUN is the id of a run, the beginning of one, a name (its newest run), or last. Nothing is changed on the services.
    It can be repeated, as long as nothing was cleaned away; after that it says where the outputs are.

    \b
    Examples:
      fastbatch fetch last                      see what there is so far
      fastbatch fetch run-k3v9 --output out     and write counts.tsv and summary.json there

    \b
    Exit codes: 0 all is there    1 some is not; the rest is brought    2, 3 and signals as of fastbatch run.
    """
    with boundary():
        from fastbatch.cli.display import Wishes
        from fastbatch.cli.recorded import conduct, found
        from fastbatch.running.bringing import bring
        from fastbatch.running.manners import Reach

        flags = {name: given.pop(name) for name in ANEW}
        conduct(found(run), Wishes(**given), flags, bring, Reach.PRESENT)
