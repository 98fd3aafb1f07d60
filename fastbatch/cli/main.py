"""The command `fastbatch`."""

import click

import fastbatch
from fastbatch.cli.cancel import cancel
from fastbatch.cli.clean import clean
from fastbatch.cli.config import config
from fastbatch.cli.fetch import fetch
from fastbatch.cli.interruption import Program
from fastbatch.cli.local import local
from fastbatch.cli.logs import logs
from fastbatch.cli.ls import ls
from fastbatch.cli.pool import pool
from fastbatch.cli.resume import resume
from fastbatch.cli.run import run
from fastbatch.cli.status import status
from fastbatch.cli.tune import tune
from fastbatch.cli.watch import watch


class _InOrder(Program):
    """A command line whose verbs are named in the order in which they are needed."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Name them as they were added."""
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(fastbatch.__version__, prog_name="fastbatch")
def main() -> None:
    """
    Thousands of input files in, merged results out, on Azure Batch.

    \b
    Examples:
      fastbatch run --local --sample 2000   try it on this machine, with made-up texts
      fastbatch run corpus --top 10         count the words of all files of a folder, on Azure
      fastbatch ls                          the runs of this machine, and how they are
      fastbatch status last                 how the newest run stands
      fastbatch logs last --failed          what its failed tasks wrote
      fastbatch pool ls                     which pools have nodes, which cost money
      fastbatch tune corpus --nodes 1,2,4   measure, and say how many nodes are worth having
      fastbatch config show                 what is set, and where
      fastbatch local down                  stop what --local started
    """


for _command in (run, ls, status, watch, fetch, resume, cancel, logs, clean, pool, tune, config, local):
    main.add_command(_command)
