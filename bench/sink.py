"""
A sink: storage that takes everything at once and keeps nothing, so that what shows is the client.

As a program of its own, this is one.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT, KEY = "sink", "a2V5" * 16
_ROOT = Path(__file__).parent.parent


@contextmanager
def running() -> Iterator[str]:
    """Have a sink for a while, and how to connect to it."""
    command = [sys.executable, "-m", "bench.sink"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        endpoint = process.stdout.readline().strip()
        try:
            yield f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint}/{ACCOUNT};"
        finally:
            process.terminate()


async def serve() -> None:
    """Be a sink until the end; there is nothing in it."""
    application = web.Application(client_max_size=1 << 30)
    application.router.add_get("/{path:.*}", _missing)
    application.router.add_put("/{path:.*}", _taken)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _missing(_request: web.Request) -> web.Response:
    return web.Response(status=404, headers={"x-ms-error-code": "ContainerNotFound"})


async def _taken(request: web.Request) -> web.Response:
    async for _ in request.content.iter_any():
        pass
    return web.Response(status=201, headers={"ETag": '"0x1"', "Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"})


if __name__ == "__main__":
    asyncio.run(serve())
