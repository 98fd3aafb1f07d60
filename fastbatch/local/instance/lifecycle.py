"""Starting and stopping an instance."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass

from fastbatch.local import azurite, ending
from fastbatch.local.errors import Unavailable
from fastbatch.local.instance import background
from fastbatch.local.instance.home import ACCOUNT, Home, Process
from fastbatch.local.instance.marking import INSTANCE_MARK
from fastbatch.local.instance.remains import end_remains
from fastbatch.local.processes import Identity, Mark, gone, identify, send
from fastbatch.local.store import Store

_STOP_SECONDS = 20
_KEEPER = "keeper"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How an instance is started; a port of 0 is the one that it had before, or any that is free."""

    batch_port: int = 0
    storage_port: int = 0
    node_boot_seconds: float = 0.0
    node_quota: int = 100
    pool_quota: int = 100
    active_job_quota: int = 300


def up(home: Home, options: Options, say: Say, owner: Identity | None = None) -> bool:
    """
    Start what does not run of an instance, and return when it answers; tell whether anything had to be started.

    With an owner, all of it and the folder are gone as soon as that process has ended.
    """
    home.create()
    with home.locked():
        if owner is not None:
            _start_keeper(home, owner)
        started = [_start_storage(home, options, say), _start_batch(home, options)]
    return any(started)


def down(home: Home) -> bool:
    """
    Stop an instance and everything that it started; tell whether there was anything to stop.

    One that has an owner is removed, too.
    """
    if not home.exists:
        return False
    with home.locked():
        running = [_stop(home, name) for name in ("batch", "storage")]
        asyncio.run(_end_what_is_left(home))
        if home.process(_KEEPER):
            shutil.rmtree(home.path, ignore_errors=True)
    return any(running)


def _start_storage(home: Home, options: Options, say: Say) -> bool:
    before = home.process("storage")
    if before and before.runs:
        return False
    program = azurite.program(say=say)
    port = options.storage_port or (before.port if before else 0)
    server = azurite.start(program, home.path, account=ACCOUNT, key=home.keys().storage, port=port)
    identity = identify(server.pid)
    if identity is None:
        raise Unavailable(f"Azurite ended right after its start; the log in {home.path} may say why.")
    home.note("storage", Process(identity, server.port))
    return True


def _start_batch(home: Home, options: Options) -> bool:
    before = home.process("batch")
    if before and before.runs:
        return False
    port = options.batch_port or (before.port if before else 0)
    identity, told = background.start(home, "fastbatch.local.server", _service_options(options, port))
    home.note("batch", Process(identity, told["port"]))
    return True


def _service_options(options: Options, port: int) -> list[str]:
    return [
        f"--port={port}",
        f"--node-boot-seconds={options.node_boot_seconds}",
        f"--node-quota={options.node_quota}",
        f"--pool-quota={options.pool_quota}",
        f"--active-job-quota={options.active_job_quota}",
    ]


def _start_keeper(home: Home, owner: Identity) -> None:
    identity, _ = background.start(home, "fastbatch.local.instance.keeper", [f"--owner={owner}"])
    home.note(_KEEPER, Process(identity, 0))


def _stop(home: Home, name: str) -> bool:
    process = home.process(name)
    if process is None or not send(process.identity, signal.SIGTERM):
        return False
    asyncio.run(_gone_in_time(process.identity))
    return True


async def _gone_in_time(identity: Identity) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            await gone(identity)


async def _end_what_is_left(home: Home) -> None:
    """End what did not end by itself: services, and tasks of a service that was killed."""
    await ending.end_leftovers(Mark(INSTANCE_MARK, str(home.path)))
    if home.database.exists():
        with contextlib.closing(Store(home.database)) as store:
            await end_remains(store, home.nodes)
