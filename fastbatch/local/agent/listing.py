"""The names of a container's blobs."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import NoReturn
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from fastbatch.local.agent.blobs import Storage, with_query


class Unreadable(ValueError):
    """Raised when the storage's answer is no list of blobs."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: names, and the mark of the next part if there is one."""

    names: tuple[str, ...]
    marker: str


async def names(storage: Storage, container_url: str, prefix: str) -> AsyncGenerator[str, None]:
    """List the blobs of a container whose names begin with a prefix, a page at a time."""
    url = with_query(container_url, restype="container", comp="list", prefix=prefix)
    page = await storage.persist(partial(_page, storage, url))
    while True:
        for name in page.names:
            yield name
        if not page.marker:
            return
        page = await storage.persist(partial(_page, storage, with_query(url, marker=page.marker)))


def read(xml: bytes) -> Page:
    """Read a page; Unreadable if it is none, or one that declares anything."""
    parser = XMLParser(target=_Plain())  # noqa: S314 -- what is dangerous in XML needs a declaration: _Plain has none
    try:
        parser.feed(xml)
        root: Element = parser.close()
    except ParseError as error:
        raise Unreadable(f"the list of blobs is not XML: {error}") from None
    return Page(tuple(map(_name, root.iterfind("Blobs/Blob/Name"))), root.findtext("NextMarker") or "")


async def _page(storage: Storage, url: str) -> Page:
    async with storage.ask("GET", url) as response:
        return read(await response.read())


def _name(element: Element) -> str:
    """Return a name; those that XML can't hold come percent-encoded, and say so."""
    text = element.text or ""
    return unquote(text) if element.get("Encoded") == "true" else text


class _Plain(TreeBuilder):
    """A tree without a document type, which is what declares entities."""

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> NoReturn:
        raise Unreadable("the list of blobs has a document type")
