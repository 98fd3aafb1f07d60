"""The command `fastbatch`."""

import click

import fastbatch
from fastbatch.cli.interruption import Program
from fastbatch.cli.local import local


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(fastbatch.__version__, prog_name="fastbatch")
def main() -> None:
    """
    Thousands of input files in, merged results out, on Azure Batch.

    \b
    Examples:
      fastbatch local up                    start Azure Batch and Blob Storage on this machine
      eval "$(fastbatch local env)"         let az, the SDKs and azcopy find them
      fastbatch local down                  stop them
    """


main.add_command(local)
