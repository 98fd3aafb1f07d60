"""Bundles of files, and what is in them."""

import hashlib
import io
import tarfile
from pathlib import Path

from fastbatch.model import Blob, Bundle, Item, Kind
from fastbatch.stages.bundle import BuiltBundle, Extent, block

MIB = 1 << 20


def item(path: Path, name: str | None = None) -> Item:
    """Take a file as it is now."""
    status = path.stat()
    return Item(str(path), name or path.name, status.st_size, status.st_mtime_ns)


def written(path: Path, content: bytes) -> Item:
    """Write a file, and take it as it is then."""
    path.write_bytes(content)
    return item(path)


def tarred(*items: Item) -> Bundle:
    """Put files together."""
    return Bundle("b00001", Kind.TAR, items)


def whole(item: Item) -> Bundle:
    """Take a file alone."""
    return Bundle("b00001", Kind.WHOLE, (item,))


def content_of(built: BuiltBundle) -> bytes:
    """Return what will be uploaded, having made sure that it is what the blob is named by."""
    content = built.content
    if isinstance(content, Extent):
        blocks = [block(content, offset, MIB) for offset in range(0, content.length, MIB)]
        assert {len(part) for part in blocks[:-1]} <= {MIB}
        assert built.md5 is None
        content = b"".join(blocks)
    else:
        assert built.md5 == hashlib.md5(content, usedforsecurity=False).digest()
    assert built.blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
    return content


def unpacked(built: BuiltBundle) -> dict[str, bytes]:
    """Return the files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(content_of(built))) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]  # all are files
