"""A file becomes a blob: in one request if it is small, in blocks if it is not."""

import base64
import hashlib
from collections.abc import Mapping
from functools import partial

import aiohttp

from fastbatch.local.agent.blobs import Storage, with_query
from fastbatch.local.agent.sources import Body, Part, Source, opened

MIB = 1024 * 1024
LARGEST_SINGLE = 32 * MIB
BLOCK = 8 * MIB

# What is said of a body must be said of the blob, as a blob of blocks comes in many bodies.
_OF_BLOBS = {
    "cache-control": "x-ms-blob-cache-control",
    "content-disposition": "x-ms-blob-content-disposition",
    "content-encoding": "x-ms-blob-content-encoding",
    "content-language": "x-ms-blob-content-language",
    "content-md5": "x-ms-blob-content-md5",
    "content-type": "x-ms-blob-content-type",
}


async def put(storage: Storage, path: str, url: str, headers: Mapping[str, str]) -> int:
    """
    Make a file a blob, in place of the one that may be there, and return how long it is.

    Nothing is made of a file that changes meanwhile.

    Raises:
        Changed: the file did.
        OSError: the file can't be read.
        Answered, aiohttp.ClientError, TimeoutError: the storage can't take it.

    """
    properties = _properties(headers)
    with opened(path) as source:
        if source.size <= LARGEST_SINGLE:
            await _send(storage, Part(source, 0, source.size), url, {"x-ms-blob-type": "BlockBlob", **properties})
        else:
            await _send_in_blocks(storage, source, url, properties)
        return source.size


async def _send_in_blocks(storage: Storage, source: Source, url: str, properties: Mapping[str, str]) -> None:
    identifiers = []
    for offset in range(0, source.size, BLOCK):
        identifiers.append(base64.b64encode(f"{offset // BLOCK:08}".encode()).decode())
        part = Part(source, offset, min(BLOCK, source.size - offset))
        await _send(storage, part, with_query(url, comp="block", blockid=identifiers[-1]), {})
    source.check()
    await storage.persist(partial(_commit, storage, with_query(url, comp="blocklist"), identifiers, properties))


async def _send(storage: Storage, part: Part, url: str, headers: Mapping[str, str]) -> None:
    digest = await part.md5()
    await storage.persist(partial(_send_once, storage, part, url, {**headers, "Content-MD5": digest}))


async def _send_once(storage: Storage, part: Part, url: str, headers: Mapping[str, str]) -> None:
    try:
        async with storage.ask("PUT", url, headers=headers, data=Body(part)):
            pass
    except aiohttp.ClientError:
        part.source.check()  # it may have been the file, not the connection
        raise


async def _commit(storage: Storage, url: str, identifiers: list[str], properties: Mapping[str, str]) -> None:
    blocks = "".join(f"<Latest>{identifier}</Latest>" for identifier in identifiers)
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'.encode()
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    async with storage.ask("PUT", url, headers={**properties, "Content-MD5": digest}, data=body):
        pass


def _properties(headers: Mapping[str, str]) -> dict[str, str]:
    named = {name.lower(): value for name, value in headers.items()}
    return {"x-ms-blob-content-type": "application/octet-stream"} | {
        _OF_BLOBS.get(name, name): value for name, value in named.items()
    }
