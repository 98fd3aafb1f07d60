"""`fastbatch pool show`: one pool."""

import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import account_options
from fastbatch.cli.pool.account import no_such_pool, reached

if TYPE_CHECKING:
    from fastbatch.pools.state import PoolDetails

_SECONDS = len("2026-01-01T00:00:00")  # what follows is of no interest


@click.command(short_help="One pool, with what is wrong with it.")
@click.argument("pool_id", metavar="ID")
@account_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(*, pool_id: str, profile: str | None, local: bool, as_json: bool) -> None:
    """
    Show a pool: its nodes by state, why it did not get them or why they failed to start, and the jobs on it.

    \b
    Examples:
      fastbatch pool show big
      fastbatch pool show big --json | jq .start_failures
    """
    with boundary():
        from fastbatch.pools.state import look_at

        at = reached({}, profile=profile, local=local)
        found = at.with_services(lambda services: look_at(services.batch, pool_id))
        if found is None:
            raise no_such_pool(pool_id)
        click.echo(json.dumps(_json(found)) if as_json else "\n".join(_lines(found)))


def _lines(found: "PoolDetails") -> Iterator[str]:
    for name, text in _facts(found):
        yield f"{name:<9} {text}"


def _facts(found: "PoolDetails") -> Iterator[tuple[str, str]]:
    from fastbatch.cli.display.sentences import brief
    from fastbatch.cli.pool import wording
    from fastbatch.terminal import escaped

    pool = found.pool
    yield "pool", escaped(pool.id)
    yield "state", escaped(pool.state)
    yield "nodes", wording.nodes_text(pool)
    yield "vm size", escaped(pool.vm_size)
    yield "slots", f"{pool.slots:,} each"
    yield "made", f"by {wording.made_by(pool)}, {escaped(pool.created[:_SECONDS])}"
    yield "jobs", ", ".join(map(escaped, found.active_jobs)) or "none is active"
    if pool.resize_errors:
        yield "lacking", brief(pool.resize_errors)
    if found.start_failures:
        yield "failed", brief(found.start_failures)


def _json(found: "PoolDetails") -> dict[str, object]:
    return {
        **dataclasses.asdict(found.pool),
        "start_failures": found.start_failures,
        "active_jobs": list(found.active_jobs),
    }
