"""`fastbatch pool create`: a pool as a run would make it."""

from typing import TYPE_CHECKING, Any

import click

from fastbatch.cli.exits import Incomplete, boundary
from fastbatch.cli.options import account_options, setting_options
from fastbatch.cli.pool.account import reached

if TYPE_CHECKING:
    from fastbatch.azure.services import Services
    from fastbatch.settings import Settings

_SET = ("nodes", "slots", "vm_size", "publisher", "offer", "sku", "start_command")


@click.command(short_help="Make a pool, as a run would make it.")
@click.argument("pool_id", metavar="ID")
@setting_options(*_SET)
@account_options
@click.option("--wait", is_flag=True, help="Wait until its nodes are ready, or none will ever be.")
def create(*, pool_id: str, profile: str | None, local: bool, wait: bool, **flags: Any) -> None:
    """
    Make a pool, as a run would make it. One that is there already stays as it is.

    \b
    Examples:
      fastbatch pool create big --nodes 8 --slots 4 --wait
      fastbatch pool create spare --nodes 0             costs nothing until it is resized
      fastbatch pool create gpu --vm-size standard_nc6s_v3 --start-command 'apt-get install -y jq'
    """
    with boundary():
        at = reached({**flags, "pool": pool_id}, profile=profile, local=local)
        at.with_services(lambda services: _create(services, at.settings, wait=wait))


async def _create(services: "Services", settings: "Settings", *, wait: bool) -> None:
    from fastbatch.cli.speaking import say, show
    from fastbatch.pools import obtaining
    from fastbatch.pools.health import target
    from fastbatch.units import counted

    found, made = await obtaining.obtain(services.batch, settings, show)
    is_to_have = f"is to have {counted(target(found), 'node')}"
    if made:
        say(f"Pool {settings.pool} was made; it {is_to_have}.")
    else:
        say(
            f"Pool {settings.pool} is there already, and stays as it is; it {is_to_have}. To change that: "
            f"fastbatch pool resize {settings.pool} --nodes N"
        )
    if wait:
        await _wait(services, settings.pool)


async def _wait(services: "Services", pool_id: str) -> None:
    """Wait for the nodes; not all of them may be of use."""
    from fastbatch.cli.display.sentences import brief
    from fastbatch.cli.display.wording import states_text
    from fastbatch.cli.speaking import say, show
    from fastbatch.pools.readiness import wait_until_ready

    ready = await wait_until_ready(services.batch, pool_id, show)
    if ready.of_no_use:
        why = f" ({brief(ready.said)})" if ready.said else ""
        raise Incomplete(f"Some nodes of pool {pool_id} can't be used: {states_text(ready.of_no_use)}{why}.")
    say(f"Pool {pool_id} is ready.")
