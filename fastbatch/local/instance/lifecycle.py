"""Starting and stopping an instance."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fastbatch.local import azurite, ending
from fastbatch.local.errors import Unavailable
from fastbatch.local.instance import background
from fastbatch.local.instance.home import ACCOUNT, FAULTY_STORAGE, Home, Process
from fastbatch.local.instance.remains import end_remains
from fastbatch.local.instance.services import services, terminate
from fastbatch.local.processes import Identity, identify
from fastbatch.local.service.limits import Limits
from fastbatch.local.store import Store

_KEEPER = "keeper"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where an instance listens; 0 is the port that it had before, or any that is free."""

    batch: int = 0
    storage: int = 0


def up(home: Home, ports: Ports, limits: Limits, say: Say, owner: Identity | None = None) -> bool:
    """
    Start what does not run of an instance, and return when it answers; tell whether anything had to be started.

    With an owner, all of it and the folder are gone as soon as that process has ended. What fails or is interrupted
    leaves what ran before, and nothing else.
    """
    with home.locked(create=True):
        running = _running(home, owner)
        _complete(_end(home, spared=running))  # of an earlier start, say, that was killed
        try:
            _settle_ownership(home, owner)
            started = [_start_storage(home, ports.storage, say), _start_batch(home, ports.batch, limits)]
        except BaseException:
            _complete(_end(home, spared=running))
            if home.is_owned and not running:
                home.remove()
            raise
    return any(started)


def down(home: Home) -> bool:
    """
    Stop an instance and everything that it started; tell whether there was anything to stop.

    One that has an owner is removed, too.
    """
    with home.locked():  # if there is no folder any more, there may be services of it yet
        found = _complete(_end(home, spared=()))
        if home.is_owned:
            home.remove()
    return found


def _running(home: Home, owner: Identity | None) -> Collection[Identity]:
    """Tell what may go on: all that runs, unless it knows other keys; refuse what would be removed by mistake."""
    running = [process.identity for process in home.processes().values() if process.runs]
    if home.make_keys():
        return ()
    if owner is not None and not home.is_owned:
        raise Unavailable(f"What is in {home.path} is there to stay. Name an empty folder with --home.")
    return running


def _settle_ownership(home: Home, owner: Identity | None) -> None:
    keeper = home.process(_KEEPER)
    if keeper and keeper.runs:
        return
    if owner is None:
        home.disown()  # it belonged to a process that has ended, as has its keeper
    else:
        home.note_owner(owner)
        _start_keeper(home, owner)


def _start_keeper(home: Home, owner: Identity) -> None:
    identity, _ = background.start(home, "fastbatch.local.instance.keeper", [f"--owner={owner}"])
    home.note(_KEEPER, Process(identity, 0))


def _start_storage(home: Home, port: int, say: Say) -> bool:
    before = home.process("storage")
    if before and before.runs:
        return False
    program = azurite.program(say=say)
    port = port or (before.port if before else 0)
    server = azurite.start(program, home.path, account=ACCOUNT, key=home.keys().storage, port=port)
    identity = identify(server.pid)
    if identity is None:
        raise Unavailable(f"Azurite ended right after its start; the log in {home.path} may say why.")
    home.note("storage", Process(identity, server.port))
    return True


def _start_batch(home: Home, port: int, limits: Limits) -> bool:
    before, faulty = home.process("batch"), home.process(FAULTY_STORAGE)
    if before and before.runs:
        return False
    ports = [
        f"--port={port or (before.port if before else 0)}",
        f"--faulty-storage-port={faulty.port if faulty else 0}",
    ]
    identity, told = background.start(home, "fastbatch.local.server", [*ports, *limits.as_options()])
    home.note("batch", Process(identity, told["port"]))
    home.note(FAULTY_STORAGE, Process(identity, told["faulty_storage_port"]))
    return True


def _complete(work: Coroutine[Any, Any, bool]) -> bool:
    """Do what has to wait, in a thread: who calls us may be within an event loop, as tests often are."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


async def _end(home: Home, *, spared: Collection[Identity]) -> bool:
    """
    End the processes of an instance except some, and what they left; tell whether there were any.

    Batch goes first, as its tasks may have something to store until then; last what nobody has written down.
    """
    processes, path = _known(home), str(home.path)
    found = False
    for process in (processes.get("batch"), processes.get("storage")):
        if process and process.identity not in spared:
            found |= await terminate(process.identity)
    found |= await terminate(*services(path, spared=spared))
    while stubborn := services(path, spared=spared):
        await ending.end(*stubborn)
    batch = processes.get("batch")
    if batch is None or batch.identity not in spared:
        await _end_tasks(home)
    return found


def _known(home: Home) -> Mapping[str, Process]:
    try:
        return home.processes()
    except Unavailable:  # all of them bear the mark, too
        home.forget_processes()
        return {}


async def _end_tasks(home: Home) -> None:
    """End the tasks of a service that was killed."""
    if not home.database.exists():
        return
    try:
        store = Store(home.database)
    except Unavailable:
        await end_remains(None, home.nodes)
        return
    with contextlib.closing(store):
        await end_remains(store, home.nodes)
