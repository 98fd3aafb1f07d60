"""The Batch service as a program; it tells on its standard output, in a line of JSON, its ports or why it has none."""

import argparse
import asyncio
import logging
import resource
import sys
from pathlib import Path

from fastbatch.local.errors import Unavailable
from fastbatch.local.instance.background import tell
from fastbatch.local.instance.home import ACCOUNT, Home
from fastbatch.local.server.handler import Account
from fastbatch.local.server.serving import Ports, serve
from fastbatch.local.service.limits import Limits

_FILES = 1 << 16


def main() -> int:
    """Serve until it is told to stop."""
    options = _parser().parse_args()
    home = Home(options.home)
    limits = Limits.of_options(options)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # what it logs are requests that are no HTTP
    _open_many_files()
    ports = Ports(options.port, options.faulty_storage_port)
    try:
        asyncio.run(serve(home, Account(ACCOUNT, home.keys().batch_bytes), ports, limits, _tell))
    except Unavailable as error:
        tell(error=str(error))
        return 1
    return 0


def _tell(ports: Ports) -> None:
    tell(port=ports.batch, faulty_storage_port=ports.faulty_storage)


def _open_many_files() -> None:
    """Let as many files be open as may be: each task that runs has some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faulty-storage-port", type=int, default=0)
    Limits.add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
