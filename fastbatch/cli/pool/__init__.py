"""`fastbatch pool`: the pools of an account, which cost money as long as they have nodes."""

import click

from fastbatch.cli.pool.create import create
from fastbatch.cli.pool.delete import delete
from fastbatch.cli.pool.ls import ls
from fastbatch.cli.pool.resize import resize
from fastbatch.cli.pool.show import show


@click.group(short_help="Pools: list, show, create, resize, delete.")
def pool() -> None:
    """
    Look after pools. A node costs money from the moment it is allocated, whether it has work or not.

    \b
    Examples:
      fastbatch pool ls                     all pools, with their nodes
      fastbatch pool show big               one of them, with what is wrong with its nodes
      fastbatch pool create big --nodes 8   as a run would make it
      fastbatch pool resize big --nodes 0   costs nothing until it is needed again
      fastbatch pool delete big
    """


for _command in (ls, show, create, resize, delete):
    pool.add_command(_command)
