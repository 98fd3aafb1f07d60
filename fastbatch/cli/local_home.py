"""Which instance of the local services a command is about."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fastbatch.local.instance.home import Home

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the instance: its state, keys and logs.  [default: fastbatch/local in the user's state folder]",
)


def instance(home: Path | None) -> "Home":
    """Give the instance in a folder, or the user's own one."""
    from fastbatch.local.instance.home import Home, default_home

    return Home(home or default_home())
