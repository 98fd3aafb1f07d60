"""`fastbatch run --dry-run`: what would be done."""

import json
from collections.abc import Iterator
from typing import Any

import anyio
import click

from fastbatch.azure.services import connected
from fastbatch.configuration import Configuration
from fastbatch.events import nobody
from fastbatch.groups import unwrapped
from fastbatch.model import Plan
from fastbatch.pools.obtaining import Intent, intent
from fastbatch.settings import Account, Settings
from fastbatch.telling.forecast import Forecast, forecast
from fastbatch.terminal import escaped
from fastbatch.units import shown_size


def show(plan: Plan, configuration: Configuration, *, as_json: bool) -> None:
    """Show what a run would do. The pool is looked at; nothing is made."""
    account = configuration.account or _local()
    settings = configuration.settings
    pool = anyio.run(_look, account, settings) if account else intent(None, settings)
    needed = forecast(plan, for_pool=pool.requests)
    if as_json:
        click.echo(json.dumps(_json(plan, needed, pool, settings)))
        return
    for name, text in _lines(plan, needed, pool, settings):
        click.echo(f"{name:<9} {text}")


async def _look(account: Account, settings: Settings) -> Intent:
    with unwrapped():
        async with connected(account, settings, nobody) as services:
            return intent(await services.batch.pool(settings.pool), settings)


def _local() -> Account | None:
    """Give the account of the local services, if they run."""
    from fastbatch.cli.account import running_local_account

    return running_local_account()


def _lines(plan: Plan, needed: Forecast, pool: Intent, settings: Settings) -> Iterator[tuple[str, str]]:
    largest = max(bundle.size for bundle in plan.bundles)
    yield "inputs", f"{len(plan.items):,} files, {shown_size(plan.bytes)}"
    yield "bundles", f"{len(plan.bundles):,}, the largest of {shown_size(largest)}; each is one blob and one task"
    parts = [
        f"{needed.uploads:,} to upload",
        f"{needed.submissions:,} to submit",
        f"{needed.downloads:,} to fetch results",
        f"{needed.others:,} others",
    ]
    yield "requests", f"about {needed.requests:,} beside polling: {', '.join(parts)}"
    yield "pool", f"{escaped(settings.pool)} {pool.words}"
    yield "output", escaped(settings.output) if settings.output is not None else "none; the result is only shown"


def _json(plan: Plan, needed: Forecast, pool: Intent, settings: Settings) -> dict[str, Any]:
    return {
        "inputs": len(plan.items),
        "bytes": plan.bytes,
        "bundles": len(plan.bundles),
        "tasks": len(plan.bundles),
        "requests": {
            "upload": needed.uploads,
            "submit": needed.submissions,
            "fetch": needed.downloads,
            "other": needed.others,
        },
        "pool": {"id": settings.pool, "intent": pool.words},
    }
