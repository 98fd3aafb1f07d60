"""`fastbatch pool ls`: all pools."""

import dataclasses
import json

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import account_options
from fastbatch.cli.pool.account import reached


@click.command(short_help="All pools, with their nodes.")
@account_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line, one for each pool.")
def ls(*, profile: str | None, local: bool, as_json: bool) -> None:
    """
    List all pools of the account: state, nodes (there are, and there are to be, by state), VM size, slots, who made it.

    \b
    Examples:
      fastbatch pool ls
      fastbatch pool ls --json | jq -r 'select(.nodes > 0).id'
    """
    with boundary():
        from fastbatch.cli.pool import wording
        from fastbatch.cli.speaking import say
        from fastbatch.cli.table import table
        from fastbatch.pools.state import look_at_all

        pools = reached({}, profile=profile, local=local).with_services(lambda services: look_at_all(services.batch))
        if as_json:
            for pool in pools:
                click.echo(json.dumps(dataclasses.asdict(pool)))
            return
        if not pools:
            say("There are no pools in this account.")
            return
        click.echo(table([wording.COLUMNS, *map(wording.row, pools)]))
        for line in (*filter(None, map(wording.lacking, pools)), wording.cost(pools)):
            say(line)
