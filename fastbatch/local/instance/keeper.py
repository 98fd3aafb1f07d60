"""A program that waits for a process to end, and then removes an instance: nothing of a test is left behind."""

import argparse
import asyncio
import contextlib
from pathlib import Path

from fastbatch.local.instance.background import tell
from fastbatch.local.instance.home import Home
from fastbatch.local.instance.lifecycle import down
from fastbatch.local.processes import Identity, gone


def main() -> None:
    """Wait, and stop the instance; as it has an owner, it is removed with that."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--owner", type=Identity.parse, required=True)
    options = parser.parse_args()
    with contextlib.suppress(BrokenPipeError):  # whoever started this was killed: the more it is needed
        tell(watches=options.owner.pid)
    asyncio.run(gone(options.owner))
    down(Home(options.home))


if __name__ == "__main__":
    main()
