"""`fastbatch tune --dry-run`: what would be measured."""

import json
from collections.abc import Iterator

import click

from fastbatch.cli.tuning.asked import Prepared
from fastbatch.cli.tuning.figures import share
from fastbatch.model import Plan
from fastbatch.terminal import escaped
from fastbatch.tuning.measuring import work_of
from fastbatch.units import counted, shown_size


def show(prepared: Prepared, *, as_json: bool) -> None:
    """Show what would be measured; no service is asked, and nothing is made."""
    if as_json:
        click.echo(json.dumps(_json(prepared)))
        return
    for name, text in _lines(prepared):
        click.echo(f"{name:<9} {text}")


def _lines(prepared: Prepared) -> Iterator[tuple[str, str]]:
    each, wanted = work_of(prepared.plan), prepared.wanted
    runs = _runs(prepared)
    yield "inputs", f"{counted(each.inputs, 'file')}, {shown_size(each.bytes)}{_of(prepared)}"
    yield "tasks", f"{counted(each.bundles, 'task')} a run, {(runs + 1) * each.bundles:,} in all"
    *fewer, most = (f"{nodes:,}" for nodes in wanted.nodes)
    counts = f"{', '.join(fewer)} and {most}" if fewer else most
    yield "runs", f"{runs:,}: {wanted.repeat:,} on each of {counts} nodes, after one that only warms up"
    yield (
        "pool",
        f"{escaped(prepared.configuration.settings.pool)}, with up to {most} nodes; it is left as it was found",
    )
    yield "cost", f"node-hours of at least {runs:,} runs on one node, and of all nodes while they boot"


def _runs(prepared: Prepared) -> int:
    return len(prepared.wanted.nodes) * prepared.wanted.repeat


def _of(prepared: Prepared) -> str:
    whole = work_of(prepared.whole)
    if work_of(prepared.plan) == whole:
        return ""
    part = share(prepared.plan.bytes / whole.bytes) if whole.bytes else "a part"
    return f": {part} of {counted(whole.inputs, 'file')}, {shown_size(whole.bytes)}"


def _json(prepared: Prepared) -> dict[str, object]:
    return {
        **_amount(prepared.plan),
        "whole": _amount(prepared.whole),
        "nodes": list(prepared.wanted.nodes),
        "repeat": prepared.wanted.repeat,
        "runs": _runs(prepared),
        "pool": prepared.configuration.settings.pool,
    }


def _amount(plan: Plan) -> dict[str, object]:
    return {"inputs": len(plan.items), "bytes": plan.bytes, "tasks": len(plan.bundles)}
