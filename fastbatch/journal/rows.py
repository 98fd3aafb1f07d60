"""The rows of a run's inputs, bundles, standings and attempts."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastbatch.books.standing import Cause, Standing, State
from fastbatch.journal.codecs import name_in, name_out, path_in, path_out, text_in, text_out
from fastbatch.journal.records import Attempt, Outcome
from fastbatch.model import Blob, Bundle, Item, Kind, Plan, Task, bundle_id, bundle_number

Row = tuple[Any, ...]

# What the numbers in the file stand for: none of them is ever given to another.
_KINDS = {Kind.TAR: 0, Kind.WHOLE: 1, Kind.SLICE: 2}
_STATES = {
    State.PREPARING: 0,
    State.SUBMITTING: 1,
    State.WAITING: 2,
    State.FETCHING: 3,
    State.DONE: 4,
    State.FAILED: 5,
}
_OUTCOMES = {Outcome.OPEN: 0, Outcome.SUCCEEDED: 1, Outcome.FAILED: 2, Outcome.REJECTED: 3}
_KIND_OF = {number: kind for kind, number in _KINDS.items()}
_STATE_OF = {number: state for state, number in _STATES.items()}
_OUTCOME_OF = {number: outcome for outcome, number in _OUTCOMES.items()}

INSERT_ITEM = "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)"
SELECT_ITEMS = "SELECT bundle, path, name, size, mtime_ns FROM items WHERE run = ? ORDER BY number"

INSERT_BUNDLE = (
    "INSERT INTO bundles (run, number, kind, item, start, stop, state, checks, attempt) "
    "VALUES (?, ?, ?, ?, ?, ?, 0, x'', 0)"
)
SELECT_BUNDLES = "SELECT number, kind, item, start, stop FROM bundles WHERE run = ? ORDER BY number"

UPDATE_STANDING = (
    "UPDATE bundles SET state = ?, digest = ?, length = ?, checks = ?, uploaded = ?, attempt = ?, done_by = ?, "
    "cause = ?, cause_attempt = ?, passing = ? WHERE run = ? AND number = ?"
)
SELECT_STANDINGS = (
    "SELECT number, state, digest, length, checks, uploaded, attempt, done_by, cause, cause_attempt, passing "
    "FROM bundles WHERE run = ? ORDER BY number"
)
DELETE_LOST = "DELETE FROM lost WHERE run = ? AND bundle = ?"
INSERT_LOST = "INSERT INTO lost VALUES (?, ?, ?, ?)"
SELECT_LOST = "SELECT bundle, name, reason FROM lost WHERE run = ?"

INSERT_NODE = "INSERT OR IGNORE INTO nodes (name) VALUES (?)"
UPSERT_ATTEMPT = "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT key FROM nodes WHERE name = ?))"
SELECT_ATTEMPTS = (
    "SELECT bundle, attempt, job, outcome, exit_code, reason, name FROM tasks LEFT JOIN nodes ON node = key "
    "WHERE run = ? ORDER BY bundle, attempt"
)


def items_out(key: int, plan: Plan) -> Iterator[Row]:
    """Give a row for each input."""
    bundles = {
        item.name: bundle_number(bundle.id)
        for bundle in plan.bundles
        if bundle.kind is not Kind.SLICE
        for item in bundle.items
    }
    here = os.getcwd()
    for number, item in enumerate(plan.items):
        path = path_out(item.path, here)
        yield key, number, bundles.get(item.name), path, name_out(item.raw_name, path), item.size, item.mtime_ns


def bundles_out(key: int, plan: Plan) -> Iterator[Row]:
    """Give a row for each bundle. Raises ValueError if their ids are not in order; a part of a plan lacks some."""
    numbers = {item.name: number for number, item in enumerate(plan.items)}
    before = 0
    for bundle in plan.bundles:
        number = bundle_number(bundle.id)
        if number <= before:
            raise ValueError(f"bundle {bundle.id!r} comes after {bundle_id(before)!r} in the plan")
        item = numbers[bundle.items[0].name] if bundle.kind is Kind.SLICE else None
        yield key, number, _KINDS[bundle.kind], item, bundle.start, bundle.end
        before = number


def plan_in(items: Iterable[Row], bundles: Iterable[Row], bundle_size: int | None) -> Plan:
    """Read a plan."""
    every: list[Item] = []
    members: dict[int | None, list[Item]] = {}
    for bundle, path, name, size, mtime_ns in items:
        every.append(Item(path_in(path), name_in(name, path), size, mtime_ns))
        members.setdefault(bundle, []).append(every[-1])
    return Plan(
        tuple(every),
        tuple(
            Bundle(
                bundle_id(number),
                _KIND_OF[kind],
                tuple(members[number]) if item is None else (every[item],),
                start,
                stop,
            )
            for number, kind, item, start, stop in bundles
        ),
        bundle_size,
    )


def standings_out(key: int, standings: Mapping[str, Standing]) -> Iterator[Row]:
    """Give a row for each standing."""
    for bundle, standing in standings.items():
        blob, cause = standing.blob, standing.cause
        yield (
            _STATES[standing.state],
            blob and bytes.fromhex(blob.digest),
            blob and blob.length,
            standing.checks,
            standing.uploaded,
            standing.attempt,
            standing.done_by and standing.done_by.attempt,
            cause and text_out(cause.reason),
            cause.task.attempt if cause and cause.task else None,
            cause and cause.passing,
            key,
            bundle_number(bundle),
        )


def keys_out(key: int, standings: Mapping[str, Standing]) -> Iterator[Row]:
    """Give the key of each standing's row."""
    return ((key, bundle_number(bundle)) for bundle in standings)


def lost_out(key: int, standings: Mapping[str, Standing]) -> Iterator[Row]:
    """Give a row for each input that is lost."""
    for bundle, standing in standings.items():
        for name, reason in standing.lost.items():
            yield key, bundle_number(bundle), name.encode("utf-8", "surrogateescape"), text_out(reason)


def standings_in(rows: Iterable[Row], lost: Iterable[Row]) -> dict[str, Standing]:
    """Read standings, by bundle."""
    found = {bundle_id(row[0]): _standing(*row) for row in rows}
    for bundle, name, reason in lost:
        found[bundle_id(bundle)].lost[name.decode("utf-8", "surrogateescape")] = text_in(reason)
    return found


def _standing(number: int, *row: Any) -> Standing:
    state, digest, length, checks, uploaded, attempt, done_by, cause, cause_attempt, passing = row
    bundle = bundle_id(number)
    return Standing(
        state=_STATE_OF[state],
        blob=None if digest is None else Blob(digest.hex(), length),
        checks=checks,
        uploaded=None if uploaded is None else bool(uploaded),
        attempt=attempt,
        done_by=None if done_by is None else Task(bundle, done_by),
        cause=None
        if cause is None
        else Cause(text_in(cause), None if cause_attempt is None else Task(bundle, cause_attempt), bool(passing)),
    )


def attempts_out(key: int, attempts: Iterable[Attempt]) -> Iterator[Row]:
    """Give a row for each attempt."""
    for tried in attempts:
        task = tried.task
        yield (
            key,
            bundle_number(task.bundle),
            task.attempt,
            tried.job,
            _OUTCOMES[tried.outcome],
            tried.exit_code,
            text_out(tried.reason),
            tried.node,
        )


def attempts_in(rows: Iterable[Row]) -> list[Attempt]:
    """Read attempts, in the order of bundles and attempts."""
    return [
        Attempt(Task(bundle_id(bundle), attempt), job, _OUTCOME_OF[outcome], exit_code, text_in(reason), node)
        for bundle, attempt, job, outcome, exit_code, reason, node in rows
    ]
