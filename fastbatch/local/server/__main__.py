"""The Batch service as a program; it tells on its standard output, in one line of JSON, its port or why it has none."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from fastbatch.local.errors import Unavailable
from fastbatch.local.instance.background import tell
from fastbatch.local.instance.home import ACCOUNT, Home
from fastbatch.local.server.handler import Account
from fastbatch.local.server.serving import serve
from fastbatch.local.service.limits import Limits


def main() -> int:
    """Serve until it is told to stop."""
    options = _parser().parse_args()
    home = Home(options.home)
    limits = Limits.of_options(options)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        asyncio.run(
            serve(home, Account(ACCOUNT, home.keys().batch_bytes), options.port, limits, lambda port: tell(port=port))
        )
    except Unavailable as error:
        tell(error=str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    Limits.add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
