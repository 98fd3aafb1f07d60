"""The services of an instance as processes: found by their mark, and asked to end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection

from fastbatch.local.marking import INSTANCE_MARK
from fastbatch.local.processes import Identity, Mark, Process, gone, leftovers, look, send

_STOP_SECONDS = 20


class ServiceMark(Mark):
    """The mark of exactly one home: whoever only works in that folder, or has a home inside it, does not bear it."""

    def on(self, process: Process) -> bool:
        """Tell whether a process bears the mark."""
        try:
            with open(f"/proc/{process.identity.pid}/environ", "rb", buffering=0) as file:
                settings = file.read().split(b"\0")
        except OSError:  # it has ended, or is another user's
            return False
        return os.fsencode(f"{self.variable}={self.folder}") in settings


def services(home: str, *, spared: Collection[Identity] = ()) -> list[Identity]:
    """Find the services of a home, written down or not, but none that is to be spared, nor what belongs to that."""
    pids = {identity.pid for identity in spared}
    marked = leftovers(ServiceMark(INSTANCE_MARK, home))
    found = [process for identity in marked if (process := look(identity.pid)) and process.identity == identity]
    return [it.identity for it in found if pids.isdisjoint({it.identity.pid, it.session, it.parent})]


async def terminate(*identities: Identity) -> bool:
    """Ask processes to end, and give them time for that, though not for ever; tell whether there were any."""
    found = [identity for identity in identities if send(identity, signal.SIGTERM)]
    for identity in found:
        send(identity, signal.SIGCONT)  # one that is stopped hears nothing
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            for identity in found:
                await gone(identity)
    return bool(found)
