"""
What befalls a program from within, as `BREAKING` in its environment has it in JSON.

`signalled_at` is the number of the change of files below one of the folders `below` before which it gets `signal`, and
`counted_in` the file into which their number goes at its end; its clock is `seconds_off`.
"""

import atexit
import datetime as dt
import json
import os
import sys
import time
from itertools import count
from typing import Any, Self

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree", "sqlite3.connect"}


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    return event in _CHANGES or (event == "open" and bool((arguments[2] or 0) & _WRITES))


def _count(plan: dict[str, Any]) -> None:
    """Count what is changed below some folders, and get a signal before a change of some number."""
    numbers = count(1)
    below = tuple(plan["below"])

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if not _changes(event, arguments) or not isinstance(arguments[0], str | bytes):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if path.startswith(below) and next(numbers) == plan.get("signalled_at"):
            os.kill(os.getpid(), plan["signal"])

    def tell() -> None:
        with open(plan["counted_in"], "w", encoding="ascii") as file:
            file.write(str(next(numbers) - 1))

    sys.addaudithook(hear)
    if "counted_in" in plan:
        atexit.register(tell)


def _be_off(seconds: float) -> None:
    """Have a clock that is wrong; what measures durations is right, and so are the times of files."""
    right, right_ns = time.time, time.time_ns

    class Moment(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            return cls.fromtimestamp(right() + seconds, tz)

        @classmethod
        def utcnow(cls) -> Self:
            return cls.now(dt.UTC).replace(tzinfo=None)

    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + int(seconds * 1_000_000_000)
    dt.datetime = Moment  # type: ignore[misc]


_plan = json.loads(os.environ.pop("BREAKING", "{}"))
if "below" in _plan:
    _count(_plan)
if "seconds_off" in _plan:
    _be_off(_plan["seconds_off"])
