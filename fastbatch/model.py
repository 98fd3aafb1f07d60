"""The values that a run is made of."""

import base64
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Item:
    """An input: a file as it was when the run was planned."""

    path: str  # where it is
    name: str  # what it is called, from the folder that was named on; bytes that are not UTF-8 as surrogate escapes
    size: int
    mtime_ns: int

    @property
    def raw_name(self) -> bytes:
        """Return the name as it is on disk."""
        return self.name.encode("utf-8", "surrogateescape")


def shown(name: str) -> str:
    """Return a name as text that can be encoded, for people and JSON."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def name_fields(name: str) -> dict[str, str]:
    """Return the fields by which JSON tells a name: for people, and without loss."""
    raw = name.encode("utf-8", "surrogateescape")
    return {"name": shown(name), "name_b64": base64.b64encode(raw).decode()}


class Kind(enum.Enum):
    """What a bundle is."""

    TAR = "tar"  # many files
    WHOLE = "whole"  # one file
    SLICE = "slice"  # a part of one file


def bundle_id(number: int) -> str:
    """Return the id of the bundle that has a number, counted from one, in its plan."""
    return f"b{number:05}"


def bundle_number(bundle: str) -> int:
    """Return the number of the bundle that has an id. Raises ValueError if no bundle of a plan has it."""
    number = int(bundle[1:])
    if bundle_id(number) != bundle:
        raise ValueError(f"{bundle!r} is not the id of a bundle")
    return number


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one task works on, and what one blob holds."""

    id: str
    kind: Kind
    items: tuple[Item, ...]
    start: int = 0  # of a slice: where it nominally starts and ends; it is really cut at the next whitespace
    end: int = 0

    @property
    def size(self) -> int:
        """Return how many bytes of input there are in it, nominally for a slice."""
        return self.end - self.start if self.kind is Kind.SLICE else sum(item.size for item in self.items)


@dataclass(frozen=True)
class Plan:
    """What a run will do, fixed before its first request."""

    items: tuple[Item, ...]
    bundles: tuple[Bundle, ...]
    bundle_size: int | None  # about; None where files were counted

    @cached_property
    def bytes(self) -> int:
        """Return how many bytes of input there are."""
        return sum(item.size for item in self.items)


@dataclass(frozen=True, slots=True)
class Blob:
    """The content of a built bundle, by which its blob is named."""

    digest: str
    length: int


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt at a bundle."""

    bundle: str
    attempt: int = 0

    @property
    def id(self) -> str:
        """Return what the service knows it by."""
        return f"{self.bundle}-r{self.attempt}" if self.attempt else self.bundle

    @classmethod
    def of(cls, task_id: str) -> Self:
        """Return the task of an id."""
        bundle, _, attempt = task_id.rpartition("-r")
        return cls(bundle, int(attempt)) if attempt.isdecimal() and bundle else cls(task_id)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task ended, as the service tells it."""

    task: Task
    succeeded: bool
    exit_code: int | None = None
    code: str | None = None  # of the failure, if it is not the program's
    message: str = ""
    node: str | None = None
    job: int = 0  # the number of its job


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that has no result, and why."""

    name: str
    reason: str
    task: str | None = None
    passing: bool = False  # another attempt may go well

    @classmethod
    def of(cls, json: Mapping[str, Any]) -> Self:
        """Return the failure that has this JSON."""
        name = base64.b64decode(json["name_b64"]).decode("utf-8", "surrogateescape")
        return cls(name, json["reason"], json["task"], json["passing"])

    def json(self) -> dict[str, object]:
        """Return it for JSON."""
        return {**name_fields(self.name), "reason": self.reason, "task": self.task, "passing": self.passing}


@dataclass(frozen=True, slots=True)
class Books:
    """Where every input is: planned = done + failed + open, at every moment."""

    planned: int
    done: int
    failed: int

    @property
    def open(self) -> int:
        """Return how many inputs are not yet done."""
        return self.planned - self.done - self.failed


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted, over all inputs that are done."""

    bytes: int = 0
    words: int = 0
    distinct: int = 0
    top: tuple[tuple[str, int], ...] = ()


_PLAIN_FIELDS = (
    *("bundles", "tasks", "uploaded", "uploaded_bytes", "reused"),
    *("seconds", "requests", "pool", "output", "left"),
)


@dataclass(frozen=True)
class Summary:
    """What a run came to; all of it from recorded outcomes."""

    run: str
    books: Books
    totals: Totals
    bundles: int
    tasks: int
    uploaded: int  # bundles
    uploaded_bytes: int
    reused: int  # bundles that were there
    failures: Sequence[Failure]
    seconds: Mapping[str, float]  # by stage, from its first to its last action; stages overlap
    requests: Mapping[str, Mapping[str, int]]  # by service and operation
    pool: str
    output: str | None = None
    left: Sequence[str] = field(default=())  # what was left on the services, named

    @property
    def complete(self) -> bool:
        """Tell whether every input is done."""
        return self.books.done == self.books.planned

    @classmethod
    def of(cls, json: Mapping[str, Any]) -> Self:
        """Return the summary that has this JSON."""
        inputs = json["inputs"]
        top = tuple((entry["word"], entry["count"]) for entry in json["top"])
        return cls(
            run=json["run"],
            books=Books(inputs["planned"], inputs["done"], inputs["failed"]),
            totals=Totals(json["bytes"], json["words"], json["distinct"], top),
            failures=[Failure.of(failure) for failure in json["failures"]],
            **{name: json[name] for name in _PLAIN_FIELDS},
        )

    def json(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "run": self.run,
            "complete": self.complete,
            "inputs": {
                "planned": self.books.planned,
                "done": self.books.done,
                "failed": self.books.failed,
                "open": self.books.open,
            },
            "bytes": self.totals.bytes,
            "words": self.totals.words,
            "distinct": self.totals.distinct,
            "top": [{"word": word, "count": count} for word, count in self.totals.top],
            "bundles": self.bundles,
            "tasks": self.tasks,
            "uploaded": self.uploaded,
            "uploaded_bytes": self.uploaded_bytes,
            "reused": self.reused,
            "failures": [failure.json() for failure in self.failures],
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "requests": {service: dict(counts) for service, counts in self.requests.items()},
            "pool": self.pool,
            "output": None if self.output is None else shown(self.output),
            "left": list(self.left),
        }
