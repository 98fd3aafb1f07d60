"""How values are written in columns, and read from them."""

import dataclasses
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastbatch.place import Place
from fastbatch.settings import Settings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Unknown(Exception):
    """Raised when something has a part that this version does not know."""


def moment_out(moment: datetime) -> int:
    """Write a moment."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_in(number: int) -> datetime:
    """Read a moment."""
    return _EPOCH + number * _MICROSECOND


def text_out(text: str) -> str | bytes:
    """Write a text; one that stands for bytes that are not UTF-8 is a blob, as SQLite takes no surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_in(value: str | bytes) -> str:
    """Read a text."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def name_out(raw_name: bytes, path: bytes) -> bytes | int:
    """Write a name; one that its path ends with takes no room."""
    return len(raw_name) if path.endswith(raw_name) else raw_name


def name_in(value: bytes | int, path: bytes) -> str:
    """Read a name."""
    raw_name = value if isinstance(value, bytes) else path[len(path) - value :]
    return raw_name.decode("utf-8", "surrogateescape")


def path_out(path: str, folder: str) -> bytes:
    """Write a path, from the root on, that is relative to a folder or absolute."""
    return os.fsencode(os.path.join(folder, path))


path_in = os.fsdecode


def json_out(value: Mapping[str, object]) -> str:
    """Write what JSON has. What is no UTF-8 becomes an escape."""
    return json.dumps(value, separators=(",", ":"))


def settings_out(settings: Settings) -> str:
    """Write settings. There is nothing secret among them."""
    return json_out(dataclasses.asdict(settings))


def settings_in(text: str) -> Settings:
    """Read settings; those that there were not yet are the defaults. Raises Unknown."""
    fields = _known(Settings, json.loads(text))
    texts = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}  # JSON has no tuples
    return Settings(**fields | texts)


def place_out(place: Place) -> str:
    """Write a place."""
    return json_out(dataclasses.asdict(place))


def place_in(text: str) -> Place:
    """Read a place. Raises Unknown."""
    return Place(**_known(Place, json.loads(text)))


def storage_of(place: Place) -> str:
    """Give what tells the storage account of a place from others; local services listen elsewhere each time."""
    return f"local {place.storage_account}" if place.local else place.storage_endpoint


def _known(kind: type[Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Give fields unless there are some that a kind does not have. Raises Unknown."""
    if strange := sorted(fields.keys() - {field.name for field in dataclasses.fields(kind)}):
        raise Unknown(", ".join(strange))
    return fields
