"""Events for programs: one JSON object a line."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from fastbatch.cli.display.streams import Stream
from fastbatch.errors import UsageError
from fastbatch.events import Event
from fastbatch.terminal import escaped

Now = Callable[[], datetime]


class JsonLines:
    """Writes every event as a line of JSON, at once."""

    def __init__(self, stream: Stream, now: Now) -> None:
        self._stream = stream
        self._now = now

    def take(self, event: Event) -> None:
        """Write it."""
        self._stream.line(record(event, self._now()))


def record(event: Event, time: datetime) -> str:
    """
    Give an event as JSON, on one line.

    What does not show, or changes how others show, is escaped: nothing a terminal obeys, no line end of any kind.
    """
    fields = {"event": event.kind, "time": _stamp(time), **event.json()}
    line = json.dumps(fields, ensure_ascii=False, default=_as_dict)
    return line if line.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in line)


def open_log(path: str) -> TextIO:
    """Open a file that events are appended to; a new one is for its owner's eyes only."""
    try:
        return open(path, "a", encoding="utf-8", newline="\n", opener=_privately)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"The log file {escaped(path)} can't be opened: {why}. Name another with --log-file."
        ) from error


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_dict(value: object) -> dict[object, object]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _escape(character: str) -> str:
    is_half = "\ud800" <= character <= "\udfff"  # JSON may not have it; a name's bytes are in name_b64
    return "\\ufffd" if is_half else json.dumps(character)[1:-1]
