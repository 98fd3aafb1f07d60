"""Pools, in words."""

from fastbatch.cli.display.sentences import brief
from fastbatch.cli.display.wording import states_text
from fastbatch.pools.state import PoolState
from fastbatch.terminal import escaped
from fastbatch.units import counted

COLUMNS = ("POOL", "STATE", "NODES", "VM SIZE", "SLOTS", "MADE BY")


def row(pool: PoolState) -> tuple[str, ...]:
    """Give a pool as a row of the table of all pools."""
    return (
        escaped(pool.id),
        escaped(pool.state),
        nodes_text(pool),
        escaped(pool.vm_size),
        str(pool.slots),
        made_by(pool),
    )


def nodes_text(pool: PoolState) -> str:
    """Say how many nodes there are, how many there are to be, and how they are."""
    text = f"{pool.nodes:,}" if pool.nodes == pool.target else f"{pool.nodes:,} of {pool.target:,}"
    if pool.nodes_by_state:
        text = f"{text} ({states_text(pool.nodes_by_state)})"
    return text if pool.allocation in ("", "steady") else f"{text}, {escaped(pool.allocation)}"


def made_by(pool: PoolState) -> str:
    """Say who made a pool."""
    return "fastbatch" if pool.made_by_fastbatch else "others"


def lacking(pool: PoolState) -> str:
    """Say why a pool did not get its nodes, if so."""
    return f"Pool {escaped(pool.id)} did not get its nodes: {brief(pool.resize_errors)}" if pool.resize_errors else ""


def cost(pools: list[PoolState]) -> str:
    """Say what costs money."""
    busy = [pool for pool in pools if pool.nodes]
    if not busy:
        return "No pool has nodes, so none costs money."
    nodes = sum(pool.nodes for pool in busy)
    cost_money = "costs money" if nodes == 1 else "cost money"
    return (
        f"{counted(nodes, 'node')} in {counted(len(busy), 'pool')} {cost_money}, at work or not. To be rid of that: "
        "fastbatch pool resize ID --nodes 0, or fastbatch pool delete ID"
    )
