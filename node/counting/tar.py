"""
The regular files of a tar, front to back.

The standard library's reader takes a damaged header after the first one for the end of the archive,
which would lose members without a word; this one accepts nothing but whole, sound archives (ustar, pax and GNU).
Nothing is unpacked, and a name is only data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from .errors import TarCorrupt

if TYPE_CHECKING:
    from .source import Reader

RECORD = 512
_END = bytes(RECORD)

_FILES = b"0\0" + b"7"
_OTHERS = b"123456"  # links, devices, folders, pipes: nothing to count in them
_PAX_HEADER, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK = b"x", b"g", b"L", b"K"

_BINARY_NUMBER = b"\x80"

# A name longer than this is not a name but a damaged header, or an attempt to fill the memory.
_LONGEST_EXTENSION = 1 << 20


class Header(NamedTuple):
    """One header block: what follows it, and how much."""

    name: bytes
    size: int
    kind: bytes


class Member:
    """A file of a tar; to be read, as far as it is wanted, before the next one is asked for."""

    def __init__(self, source: Reader, name: bytes, size: int, header_at: int) -> None:
        self.name = name
        self.size = size
        self.header_at = header_at
        self._source = source
        self._left = size

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes; none at the end."""
        if not self._left:
            return b""
        data = self._source.read(min(size, self._left))
        if not data:
            raise _cut_off(self._source)
        self._left -= len(data)
        return data

    def pass_over(self) -> None:
        """Go to where the next header is."""
        self._source.skip(self._left + -self.size % RECORD)
        self._left = 0


def members(source: Reader) -> Iterator[Member]:
    """Yield the files of a tar."""
    extensions: dict[bytes, bytes] = {}
    global_extensions: dict[bytes, bytes] = {}
    first_header: int | None = None
    while True:
        at = source.position
        block = _read_whole(source, RECORD)
        if block == _END:
            _check_end(source)
            return
        header = _parse(block, at)
        first_header = at if first_header is None else first_header
        if header.kind in (_PAX_HEADER, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK):
            data = _read_extension(source, header, at)
            if header.kind == _GNU_LONG_NAME:
                extensions[b"path"] = data.split(b"\0", 1)[0]
            elif header.kind == _PAX_HEADER:
                extensions.update(_pax_records(data, at))
            elif header.kind == _PAX_GLOBAL:
                global_extensions.update(_pax_records(data, at))
            continue
        member = _member(source, header, {**global_extensions, **extensions}, first_header)
        if header.kind in _FILES:
            yield member
        elif header.kind not in _OTHERS:
            raise TarCorrupt(f"the tar has a member of an unknown kind {header.kind!r} at byte {at}")
        member.pass_over()
        extensions, first_header = {}, None


def _member(source: Reader, header: Header, extensions: dict[bytes, bytes], at: int) -> Member:
    if any(key.startswith(b"GNU.sparse.") for key in extensions):
        raise TarCorrupt(f"the tar has a sparse file at byte {at}; sparse files are not supported")
    size = header.size if header.kind in _FILES else 0
    if b"size" in extensions and header.kind in _FILES:
        size = _number(extensions[b"size"], 10, at)
    return Member(source, extensions.get(b"path", header.name), size, at)


def _read_whole(source: Reader, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = source.read(size - len(data))
        if not more:
            raise _cut_off(source)
        data += more
    return data


def _cut_off(source: Reader) -> TarCorrupt:
    return TarCorrupt(f"the tar is cut off: more was to come at byte {source.position}")


def _check_end(source: Reader) -> None:
    """Raise if anything but zeros follows the end mark, such as a second archive: it would go uncounted."""
    for chunk in iter(lambda: source.read(1 << 16), b""):
        if chunk.strip(b"\0"):
            raise TarCorrupt(f"the tar goes on after its end mark, before byte {source.position}")


def _parse(block: bytes, at: int) -> Header:
    # The checksum is the sum of all bytes, its own field taken as spaces.
    if _number(block[148:156], 8, at) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise TarCorrupt(f"the tar is damaged: the header at byte {at} does not match its checksum")
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0]
    if prefix and block[257:263] == b"ustar\0":
        name = prefix + b"/" + name
    kind = block[156:157]
    # The first tars marked a folder by the end of its name.
    if kind == b"\0" and name.endswith(b"/"):
        kind = b"5"
    return Header(name, _size(block[124:136], at), kind)


def _size(field: bytes, at: int) -> int:
    if field[:1] == _BINARY_NUMBER:  # too large for octal digits
        return int.from_bytes(field[1:], "big")
    return _number(field, 8, at)


def _number(field: bytes, base: int, at: int) -> int:
    digits = field.strip(b" \0")
    # isdigit() first: int() would take signs, underscores and spaces too.
    if not digits:
        return 0
    try:
        if digits.isdigit():
            return int(digits, base)
    except ValueError:
        pass
    raise TarCorrupt(f"the tar is damaged: the header at byte {at} has {field!r} for a number")


def _read_extension(source: Reader, header: Header, at: int) -> bytes:
    if header.size > _LONGEST_EXTENSION:
        raise TarCorrupt(f"the tar is damaged: the header at byte {at} announces {header.size} bytes of names")
    data = _read_whole(source, header.size)
    source.skip(-header.size % RECORD)
    return data


def _pax_records(data: bytes, at: int) -> dict[bytes, bytes]:
    """Read records of the form "LENGTH KEY=VALUE" and a newline, where LENGTH counts all of the record."""
    found: dict[bytes, bytes] = {}
    while data.strip(b"\0"):
        digits, space, _ = data[:20].partition(b" ")
        length = _number(digits, 10, at) if space else 0
        key, equals, value = data[len(digits) + 1 : length - 1].partition(b"=")
        if not equals or length > len(data) or data[length - 1 : length] != b"\n":
            raise TarCorrupt(f"the tar is damaged: the extended header at byte {at} is malformed")
        found[key] = value
        data = data[length:]
    return found
