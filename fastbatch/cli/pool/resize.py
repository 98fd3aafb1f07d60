"""`fastbatch pool resize`: another number of nodes."""

from typing import TYPE_CHECKING

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import account_options
from fastbatch.cli.pool.account import no_such_pool, reached

if TYPE_CHECKING:
    from fastbatch.azure.services import Services


@click.command(short_help="Give a pool another number of nodes.")
@click.argument("pool_id", metavar="ID")
@click.option("--nodes", type=click.IntRange(0), required=True, metavar="N", help="How many nodes it is to have.")
@account_options
def resize(*, pool_id: str, nodes: int, profile: str | None, local: bool) -> None:
    """
    Give a pool another number of nodes, as soon as it is not being resized already.

    Nodes that go end their tasks first. With 0 nodes a pool costs nothing, and is there for the next run.

    \b
    Examples:
      fastbatch pool resize big --nodes 20
      fastbatch pool resize big --nodes 0
    """
    with boundary():
        at = reached({}, profile=profile, local=local)
        at.with_services(lambda services: _resize(services, pool_id, nodes))


async def _resize(services: "Services", pool_id: str, nodes: int) -> None:
    from fastbatch.cli.speaking import say, show
    from fastbatch.errors import Refused, UsageError
    from fastbatch.pools import obtaining
    from fastbatch.pools.health import target
    from fastbatch.terminal import escaped
    from fastbatch.units import counted

    found = await services.batch.pool(pool_id)
    if found is None:
        raise no_such_pool(pool_id)
    name = escaped(found["id"])
    if found["state"] == "deleting":
        raise UsageError(f"Pool {name} is being deleted. To make it anew: fastbatch pool create {name} --nodes {nodes}")
    if found.get("enableAutoScale"):
        raise UsageError(f"Pool {name} has as many nodes as its formula says (enableAutoScale), and can't be resized.")
    try:
        await obtaining.resize(services.batch, pool_id, nodes, show)
    except Refused as refused:
        if refused.not_found:
            raise no_such_pool(pool_id) from refused
        raise
    say(f"Pool {name} is being resized from {target(found):,} to {counted(nodes, 'node')}.")
