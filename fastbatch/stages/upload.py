"""
Bundles, built off the event loop and put into storage, unless they are there.

What a bundle was built as is final. One that was built before is not read again if its blob is there; if that is gone
or bad, it is built of what is still the same.
"""

import base64
import enum
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from anyio import to_thread
from anyio.abc import ObjectReceiveStream

from fastbatch.azure.blobs import StoredBlob
from fastbatch.azure.storage import Inventory, Storage
from fastbatch.books.facts import Built, Fact, NotStored, Prepare, Stored
from fastbatch.capacity import BLOCK, IN_MEMORY, Capacity
from fastbatch.errors import InputChanged, Refused
from fastbatch.groups import together
from fastbatch.model import Blob, Bundle, Kind
from fastbatch.stages import bundle as bundling
from fastbatch.stages.bundle import BuiltBundle, Extent
from fastbatch.tar import footprint

# A blob that is used is marked as used, so that cleaning by age finds only what nobody uses. Once a day is enough.
MARKED_EVERY = timedelta(days=1)
_RESTARTS = 3
_OF_ONE_BLOB = frozenset({400, 409, 412, 413})


class _Found(enum.Enum):
    """What storage has of a blob."""

    NOTHING = "nothing"
    BAD = "bad"
    SOUND = "sound"


async def nothing() -> None:
    """Have nothing to wait for."""


class Uploader:
    """Puts bundles into a container."""

    def __init__(
        self,
        storage: Storage,
        container: str,
        capacity: Capacity,
        note: Callable[[Fact], None],
        settled: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        """Take `settled` for what ends when all that was noted will be remembered, whatever happens."""
        self._storage = storage
        self._container = container
        self._capacity = capacity
        self._note = note
        self._settled = settled
        self._inventory = Inventory({}, whole=False)

    async def look_around(self) -> None:
        """Learn what is there, by a single request if there is not much; make the container if it is not there."""
        inventory = await self._storage.inventory(self._container)
        if inventory is None:
            await self._storage.make_container(self._container)
            inventory = Inventory({}, whole=True)
        self._inventory = inventory

    async def work(self, todo: ObjectReceiveStream[Prepare]) -> None:
        """Build and upload, one bundle after the other."""
        async for action in todo:
            await self._prepare(action)

    async def _prepare(self, action: Prepare) -> None:
        """Bring a bundle into storage, and tell what came of it."""
        try:
            reused = await self._bring(action)
        except InputChanged as error:
            self._note(NotStored(action.bundle.id, str(error)))
        except Refused as refused:
            if not _is_of_one_blob(refused):
                raise
            self._note(NotStored(action.bundle.id, str(refused), passing=True))
        else:
            if reused is not None:
                self._note(Stored(action.bundle.id, reused))

    async def _bring(self, action: Prepare) -> bool | None:
        """Bring a bundle into storage; tell whether it was there before, or None if no input is left to bring."""
        found = await self._before(action)
        if found is _Found.SOUND:
            return True
        async with self._capacity.budget.hold(_memory(action.bundle)):
            built = await to_thread.run_sync(
                bundling.build, action.bundle, action.blob, action.checks, limiter=self._capacity.threads
            )
            self._note(Built(action.bundle.id, built.blob, built.failures, built.checks))
            if built.blob is None:
                return None
            if action.blob not in (None, built.blob):
                found = None  # that was of another blob
            if not isinstance(built.content, Extent):
                return await self._upload(built.blob, built, found)
        return await self._upload(built.blob, built, found)

    async def _before(self, action: Prepare) -> _Found | None:
        """Tell what storage has of a bundle before it is built, if that is known."""
        if action.replace:
            return _Found.BAD
        return None if action.blob is None else await self._find(action.blob)

    async def _upload(self, blob: Blob, built: BuiltBundle, found: _Found | None) -> bool:
        """Upload a bundle unless it is there; tell whether it was."""
        found = found or await self._find(blob)
        if found is _Found.SOUND:
            return True
        await self._settled()  # or nobody might ever know what the blob is
        return not await self._store(blob, built, replace=found is _Found.BAD)

    async def _find(self, blob: Blob) -> _Found:
        there = await self._look(blob)
        if there is None:
            return _Found.NOTHING
        if there.length != blob.length:
            return _Found.BAD
        return _Found.SOUND if await self._in_use(blob, there) else _Found.NOTHING

    async def _look(self, blob: Blob) -> StoredBlob | None:
        found = self._inventory.blobs.get(blob.digest)
        if found is None and not self._inventory.whole:
            found = await self._storage.blobs.look(self._container, blob.digest)
        return found

    async def _in_use(self, blob: Blob, stored: StoredBlob) -> bool:
        """Mark a blob as used, if that was long ago; tell whether it is still there."""
        if self._storage.line.clock.now() - stored.touched < MARKED_EVERY:
            return True
        if await self._storage.blobs.renew(self._container, blob.digest, stored.etag):
            return True
        # Who renewed it meanwhile uses it too; or it is gone.
        return await self._storage.blobs.look(self._container, blob.digest) is not None

    async def _store(self, blob: Blob, built: BuiltBundle, *, replace: bool) -> bool:
        """Store a bundle; tell whether it was not there."""
        if isinstance(built.content, Extent):
            return await self._store_in_blocks(blob, built.content, replace=replace)
        return await self._storage.blobs.put(
            self._container, blob.digest, built.content, md5=built.md5, replace=replace
        )

    async def _store_in_blocks(self, blob: Blob, extent: Extent, *, replace: bool) -> bool:
        offsets = range(0, extent.length, BLOCK)
        for _ in range(_RESTARTS):
            await together([partial(self._send_block, blob, extent, offset) for offset in offsets])
            ids = [_block_id(offset) for offset in offsets]
            try:
                return await self._storage.blobs.put_block_list(self._container, blob.digest, ids, replace=replace)
            except Refused as refused:
                # Who commits a blob of this name takes our blocks away with it; its content is the same as ours.
                if refused.code != "InvalidBlockList":
                    raise
                stored = await self._storage.blobs.look(self._container, blob.digest)
                if stored is not None and stored.length == blob.length:
                    return False
        raise Refused(
            "Storage", "put a list of blocks", 400, "InvalidBlockList", "others write the same blob over and over"
        )

    async def _send_block(self, blob: Blob, extent: Extent, offset: int) -> None:
        async with self._capacity.budget.hold(BLOCK):
            content = await to_thread.run_sync(bundling.block, extent, offset, BLOCK, limiter=self._capacity.threads)
            await self._storage.blobs.put_block(self._container, blob.digest, _block_id(offset), content)


def _is_of_one_blob(refused: Refused) -> bool:
    """Tell whether another blob may do better: neither the container nor the account is what was refused."""
    return refused.status in _OF_ONE_BLOB and not refused.code.startswith(("Container", "Account"))


def _block_id(offset: int) -> str:
    return base64.b64encode(b"%016d" % offset).decode()


def _memory(bundle: Bundle) -> int:
    """Tell how many bytes a bundle takes at most while it is built, and while it is sent unless that is in blocks."""
    if bundle.kind is Kind.TAR:
        return sum(footprint(len(item.raw_name), item.size) for item in bundle.items)
    return min(bundle.size, IN_MEMORY)
