"""`fastbatch pool delete`: a pool and its nodes, gone."""

from typing import TYPE_CHECKING

import click

from fastbatch.cli.exits import Incomplete, boundary
from fastbatch.cli.options import account_options
from fastbatch.cli.pool.account import no_such_pool, reached

if TYPE_CHECKING:
    from fastbatch.azure.services import Services
    from fastbatch.pools.state import PoolDetails

_JOBS = 3  # that are named


@click.command(short_help="Delete a pool.")
@click.argument("pool_id", metavar="ID")
@account_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(*, pool_id: str, profile: str | None, local: bool, yes: bool) -> None:
    """
    Delete a pool and its nodes. It asks first; where nobody can be asked, --yes is needed.

    Tasks that run there are ended, and wait for another pool of that name.

    \b
    Examples:
      fastbatch pool delete big
      fastbatch pool delete big --yes
    """
    with boundary():
        at = reached({}, profile=profile, local=local)
        at.with_services(lambda services: _delete(services, pool_id, yes=yes))


async def _delete(services: "Services", pool_id: str, *, yes: bool) -> None:
    from fastbatch.cli.asking import agreed
    from fastbatch.cli.speaking import say
    from fastbatch.pools.state import look_at
    from fastbatch.terminal import escaped

    found = await look_at(services.batch, pool_id)
    if found is None:
        raise no_such_pool(pool_id)
    name = escaped(found.pool.id)
    if found.pool.state == "deleting":
        say(f"Pool {name} is being deleted already.")
        return
    in_use = _in_use(found)
    if in_use:
        say(in_use)
    if not await agreed(_question(found), yes=yes, undone=f"Pool {name} was not deleted"):
        raise Incomplete(f"Pool {name} was not deleted.")
    await services.batch.delete_pool(pool_id)
    say(f"Pool {name} is being deleted.")


def _question(found: "PoolDetails") -> str:
    from fastbatch.cli.pool.wording import made_by
    from fastbatch.terminal import escaped
    from fastbatch.units import counted

    pool = found.pool
    return f"Delete pool {escaped(pool.id)} with {counted(pool.nodes, 'node')}, made by {made_by(pool)}?"


def _in_use(found: "PoolDetails") -> str:
    """Say what the pool is used for now, if it is."""
    from fastbatch.terminal import escaped
    from fastbatch.units import counted

    parts = []
    if running := found.pool.nodes_by_state.get("running"):
        parts.append(f"{counted(running, 'node')} of it {'runs' if running == 1 else 'run'} tasks")
    if jobs := found.active_jobs:
        named = [*map(escaped, jobs[:_JOBS]), *([f"{len(jobs) - _JOBS:,} more"] if len(jobs) > _JOBS else [])]
        parts.append(f"{counted(len(jobs), 'active job')} may want it: {', '.join(named)}")
    return f"Pool {escaped(found.pool.id)} is in use: {'; '.join(parts)}." if parts else ""
