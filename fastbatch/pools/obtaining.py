"""The pool: found, made, resized."""

import dataclasses
from dataclasses import dataclass

from fastbatch.azure.batch import Batch
from fastbatch.azure.requests import Json
from fastbatch.errors import NotOurs, PoolUnusable, Refused
from fastbatch.events import Noticed, Observer, PoolFound
from fastbatch.names import MARK
from fastbatch.patience import Patience
from fastbatch.pools.health import target
from fastbatch.pools.startup import start_command
from fastbatch.settings import Settings

NODES, SLOTS = 2, 2

# Metadata by which a pool is known to be made by fastbatch.
_MADE_BY_US = {"name": MARK, "value": "pool"}
_BEING_RESIZED = frozenset({"AllocationStateNotSteady", "PoolBeingResized"})

_DEFAULTS = Settings()
_OF_NEW_POOLS = ("slots", "vm_size", "publisher", "offer", "sku", "start_command")


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool that a run uses."""

    id: str
    nodes: int  # that it is to have
    slots: int  # of each node
    made: bool  # by this run


@dataclass(frozen=True, slots=True)
class Intent:
    """What would be done about the pool."""

    words: str
    requests: int


def intent(found: Json | None, settings: Settings) -> Intent:
    """Say what a run would do about its pool."""
    if found is None:
        nodes = NODES if settings.nodes is None else settings.nodes
        slots = settings.slots or SLOTS
        return Intent(f"would be made: {nodes} nodes of {settings.vm_size}, {slots} slots each", 3)
    if found["state"] == "deleting":
        return Intent("is being deleted; would be waited for, then made anew", 4)
    if _resizes(found, settings):
        return Intent(f"is there; would be resized from {target(found)} to {settings.nodes} nodes", 2)
    return Intent(f"is there and would be used as it is: {target(found)} nodes", 1)


async def ensure(batch: Batch, settings: Settings, observe: Observer, *, purpose: str | None = None) -> Pool:
    """Find the pool or make it, for a purpose that is noted on it; and resize it if that was asked for."""
    found, made = await obtain(batch, settings, observe, purpose=purpose)
    resized = not made and _resizes(found, settings)
    if resized and settings.nodes is not None:
        await resize(batch, settings.pool, settings.nodes, observe)
        nodes = settings.nodes
    else:
        nodes = target(found)
    pool = Pool(settings.pool, nodes, found.get("taskSlotsPerNode", 1), made)
    observe(PoolFound(pool.id, made, pool.nodes, pool.slots, resized))
    if not made and (unused := _only_for_new_pools(settings)):
        observe(Noticed(f"Pool {pool.id} is used as it is; {', '.join(unused)} would hold for a new one only."))
    return pool


def as_it_is(settings: Settings) -> Settings:
    """Give the settings for a pool that is there and is to stay as it is: what holds for new ones only is not set."""
    return dataclasses.replace(settings, nodes=None, **{name: getattr(_DEFAULTS, name) for name in _OF_NEW_POOLS})


def _only_for_new_pools(settings: Settings) -> list[str]:
    """Name the settings that are not as they are by default, and of no use for a pool that is there."""
    return [name for name in _OF_NEW_POOLS if getattr(settings, name) != getattr(_DEFAULTS, name)]


def _resizes(found: Json, settings: Settings) -> bool:
    return settings.nodes is not None and int(found.get("targetDedicatedNodes") or 0) != settings.nodes


async def obtain(
    batch: Batch, settings: Settings, observe: Observer, *, purpose: str | None = None
) -> tuple[Json, bool]:
    """Give the pool, and whether it was made, as it was not there; one that is being deleted is waited for."""
    found = await _not_being_deleted(batch, settings.pool, observe)
    return (found, False) if found is not None else await _make(batch, settings, purpose)


async def _not_being_deleted(batch: Batch, pool_id: str, observe: Observer) -> Json | None:
    waiting = Noticed(f"Pool {pool_id} is being deleted; waiting until it is gone, to make it anew.")
    patience = Patience(lambda: observe(waiting))
    while (found := await batch.pool(pool_id)) is not None and found["state"] == "deleting":
        await patience.wait()
    return found


async def _make(batch: Batch, settings: Settings, purpose: str | None) -> tuple[Json, bool]:
    image = choose_image(await batch.images(), settings)
    body = describe(settings, image, purpose)
    made = True
    try:
        await batch.make_pool(body)
    except Refused as refused:
        if refused.code != "PoolExists":  # someone else was faster, or our first request did arrive
            raise
        made = False
    found = await batch.pool(settings.pool)
    if found is None:
        raise NotOurs(
            f"Pool {settings.pool} was deleted by someone else as soon as it was made. "
            "Go on when that has stopped: fastbatch resume last"
        )
    return found, made


async def resize(batch: Batch, pool_id: str, nodes: int, observe: Observer) -> None:
    """Begin to give a pool so many nodes, as soon as it is not being resized already."""
    waiting = Noticed(f"Pool {pool_id} is being resized already; waiting until that is done.")
    patience = Patience(lambda: observe(waiting))
    while not await begins_resize(batch, pool_id, nodes):
        await patience.wait()


async def begins_resize(batch: Batch, pool_id: str, nodes: int) -> bool:
    """Begin to give a pool so many nodes, unless it is being resized already; tell whether that was done."""
    try:
        await batch.resize_pool(pool_id, nodes)
    except Refused as refused:
        if refused.code in _BEING_RESIZED:
            return False
        raise
    return True


def made_by_us(found: Json) -> bool:
    """Tell whether a pool was made by fastbatch."""
    return _MADE_BY_US in (found.get("metadata") or ())


def made_for(found: Json, purpose: str) -> bool:
    """Tell whether a pool was made for a purpose."""
    return _purpose(purpose) in (found.get("metadata") or ())


def _purpose(purpose: str) -> Json:
    return {"name": f"{MARK}-for", "value": purpose}


def choose_image(images: list[Json], settings: Settings) -> Json:
    """Choose the latest verified image of a publisher, offer and SKU, with the agent that goes with it."""
    wanted = (settings.publisher.lower(), settings.offer.lower(), settings.sku.lower())
    found = [image for image in images if _identity(image) == wanted]
    if not found:
        there = sorted({" ".join(_identity(image)) for image in images if image.get("osType") == "linux"})
        raise PoolUnusable(
            f"Batch has no verified image {' '.join(wanted)}. Name one of these with --publisher, --offer and --sku: "
            + "; ".join(there)
        )
    return found[0]  # the service lists the latest first


def _identity(image: Json) -> tuple[str, str, str]:
    reference = image["imageReference"]
    return reference["publisher"].lower(), reference["offer"].lower(), reference["sku"].lower()


def describe(settings: Settings, image: Json, purpose: str | None = None) -> Json:
    """Describe a new pool."""
    return {
        "id": settings.pool,
        "vmSize": settings.vm_size,
        "virtualMachineConfiguration": {
            "imageReference": image["imageReference"],
            "nodeAgentSKUId": image["nodeAgentSKUId"],
        },
        "targetDedicatedNodes": NODES if settings.nodes is None else settings.nodes,
        "taskSlotsPerNode": settings.slots or SLOTS,
        "taskSchedulingPolicy": {"nodeFillType": "spread"},
        "startTask": {
            "commandLine": start_command(settings.start_command),
            "waitForSuccess": True,
            "maxTaskRetryCount": 1,
            "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
        },
        "metadata": [_MADE_BY_US, *([_purpose(purpose)] if purpose else [])],
    }
