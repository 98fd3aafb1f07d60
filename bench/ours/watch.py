"""Watching a job by our watcher; requests and the bytes of their answers are counted."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import anyio

from bench.books import Books
from fastbatch import Settings
from fastbatch.azure import connections
from fastbatch.azure.services import connected
from fastbatch.books.facts import Submitted
from fastbatch.configuration import resolve
from fastbatch.events import nobody
from fastbatch.stages.watch import Watcher


class Traffic:
    """Counts requests and the bytes of their answers, bodies as they came over the wire and headers by themselves."""

    def __init__(self) -> None:
        self.requests = 0
        self.bytes = 0
        self.header_bytes = 0

    def session(self, endpoint: str, read_seconds: float) -> aiohttp.ClientSession:
        """Open a session that is counted."""
        session = connections.session(endpoint, read_seconds)
        counting = aiohttp.TraceConfig()
        counting.on_request_end.append(self._answered)
        counting.on_response_chunk_received.append(self._received)
        counting.freeze()
        session.trace_configs.append(counting)
        return session

    async def _answered(self, _session: object, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
        self.requests += 1
        self.header_bytes += sum(len(f"{name}: {value}\r\n") for name, value in ended.response.headers.items())

    async def _received(
        self, _session: object, _context: object, received: aiohttp.TraceResponseChunkReceivedParams
    ) -> None:
        self.bytes += len(received.chunk)


def main() -> None:
    """Watch, and print what was seen and what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    parser.add_argument("--until", type=int, required=True, help="how many tasks there are")
    parser.add_argument("--seconds", type=float, required=True, help="when to stop")
    arguments = parser.parse_args()
    told = anyio.run(watch, arguments.job, arguments.until, arguments.seconds)
    sys.stdout.write(f"{json.dumps(told)}\n")


async def watch(job: str, tasks: int, seconds: float) -> dict[str, Any]:
    """Watch for a while."""
    account = resolve({}, environ=os.environ, cwd=Path.cwd()).account
    assert account
    books, traffic = Books(tasks), Traffic()
    books.note(Submitted(tuple(submit.task for submit in books.todo)))
    with patch("fastbatch.azure.requests.session", traffic.session):
        async with connected(account, Settings(), nobody) as services:
            start, cpu = time.perf_counter(), time.process_time()
            with anyio.move_on_after(seconds):
                await Watcher(services.batch, job, books.ledger, note=books.note, observe=nobody).work()
            spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    return {**vars(traffic), **spent, "noticed": books.noticed}


if __name__ == "__main__":
    main()
