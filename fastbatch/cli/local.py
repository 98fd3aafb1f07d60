"""`fastbatch local`: Azure Batch and Blob Storage on this machine."""

import dataclasses
import json
import math
import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastbatch.cli.exits import ServiceFailed, boundary
from fastbatch.cli.local_control import clock, faults, reset
from fastbatch.cli.local_home import home_option, instance

if TYPE_CHECKING:
    from fastbatch.local.instance.asking import Health, Status
    from fastbatch.local.instance.home import Home
    from fastbatch.local.processes import Identity

_PORTS = click.IntRange(0, 65535)


class _Seconds(click.FloatRange):
    """A time in seconds; `nan` is none, though it is in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail("nan is not a time.", param, ctx)
        return seconds


@click.group(short_help="Azure Batch and Blob Storage on this machine.")
def local() -> None:
    """
    Azure Batch and Blob Storage on this machine, for runs and tests without Azure.

    Batch is a service of our own that speaks the Batch REST API and runs tasks as processes; storage is Azurite.
    Both listen on this machine only, and know only their own keys.

    \b
    Examples:
      fastbatch local up                    start both, or say that they run
      eval "$(fastbatch local env)"         let az, the SDKs and azcopy find them
      fastbatch local status                what runs, and what there is
      fastbatch local down                  stop both, and all that they started

    clock, faults and reset are for tests: they turn its clock, let it misbehave, and let it forget.
    """


for _command in (clock, faults, reset):
    local.add_command(_command)


@local.command()
@home_option
@click.option("--ephemeral", is_flag=True, help="Remove all of it as soon as the owner ends; for tests.")
@click.option(
    "--owner", type=click.IntRange(1), metavar="PID", help="With --ephemeral: the owner.  [default: who calls this]"
)
@click.option("--batch-port", type=_PORTS, default=0, help="[default: the one from before, or any free one]")
@click.option("--storage-port", type=_PORTS, default=0, help="[default: the one from before, or any free one]")
@click.option(
    "--node-boot-seconds",
    type=_Seconds(0, 86400),
    default=0.0,
    show_default=True,
    help="How long a new node takes to boot.",
)
@click.option("--node-quota", type=click.IntRange(0), default=100, show_default=True, help="Nodes that there may be.")
@click.option("--pool-quota", type=click.IntRange(0), default=100, show_default=True, help="Pools that there may be.")
@click.option(
    "--active-job-quota",
    type=click.IntRange(0),
    default=300,
    show_default=True,
    help="Jobs that may be active at once.",
)
def up(
    *, home: Path | None, ephemeral: bool, owner: int | None, batch_port: int, storage_port: int, **limits: Any
) -> None:
    """
    Start both services in the background, and wait until they answer.

    What was there before is there again: pools, jobs, tasks, blobs. Options hold until the services are stopped.

    \b
    Examples:
      fastbatch local up
      fastbatch local up --node-boot-seconds 90         as slow as the cloud
      fastbatch local up --ephemeral --owner $$         gone when this shell ends
    """
    from fastbatch.local.instance import asking, lifecycle
    from fastbatch.local.service.limits import Limits

    if owner is not None and not ephemeral:
        raise click.UsageError("--owner goes with --ephemeral.")
    with boundary():
        keeper = _identity(os.getppid() if owner is None else owner) if ephemeral else None
        at = _new_home(home) if ephemeral else instance(home)
        started = lifecycle.up(at, lifecycle.Ports(batch_port, storage_port), Limits(**limits), _say, keeper)
        where = asking.environment(at)
        _require_answers(at, asking.status(at))
    if not started:
        _say("The local services run already, with the options that they were started with.")
    click.echo(_where(at, where))


@local.command()
@home_option
def down(home: Path | None) -> None:
    """
    Stop both services and everything that they started.

    Pools, jobs, tasks and blobs are there again after the next `up`; tasks that run now will run anew.

    \b
    Examples:
      fastbatch local down
      fastbatch local down --home /tmp/mine
    """
    from fastbatch.local.instance import lifecycle

    with boundary():
        at = instance(home)
        stopped = lifecycle.down(at)
    _say("Stopped." if stopped else f"No local services run in {_shown(at)}.")


@local.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(home: Path | None, *, as_json: bool) -> None:
    """
    Tell whether the services run and answer, where, and what there is. Exit code 3 if one does not answer.

    \b
    Examples:
      fastbatch local status
      fastbatch local status --json | jq .counts.tasks
    """
    from fastbatch.local.instance import asking

    with boundary():
        at = instance(home)
        found = asking.status(at)
    click.echo(_status_json(at, found) if as_json else _status_text(at, found))
    _require_answers(at, found)


@local.command()
@home_option
@click.option("--faulty-storage", is_flag=True, help="Name the storage where it obeys `fastbatch local faults`.")
def env(home: Path | None, *, faulty_storage: bool) -> None:
    """
    Print `export` lines that make az, the SDKs, azcopy and fastbatch find the services. They hold keys.

    \b
    Examples:
      eval "$(fastbatch local env)"
      eval "$(fastbatch local env --faulty-storage)"    for tests of what goes wrong
    """
    from fastbatch.local.instance import asking

    with boundary():
        at = instance(home)
        asking.require_running(at)
        variables = asking.environment(at, faulty_storage=faulty_storage)
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _new_home(home: Path | None) -> "Home":
    """Give a folder that may be removed in the end, as there is nothing in it yet."""
    if home is None:
        return instance(Path(tempfile.mkdtemp(prefix="fastbatch-local-")))
    if home.exists() and any(home.iterdir()):
        raise click.UsageError(
            f"{click.format_filename(home)} is not empty, and with --ephemeral it would be removed in the end. "
            "Name a new or an empty folder with --home."
        )
    return instance(home)


def _identity(pid: int) -> "Identity":
    from fastbatch.local.processes import identify

    identity = identify(pid)
    if identity is None:
        raise click.UsageError(f"There is no process {pid} to be the owner. Name one with --owner.")
    return identity


def _say(text: str) -> None:
    click.echo(text, err=True)


def _shown(home: "Home") -> str:
    return click.format_filename(home.path)


def _where(home: "Home", variables: dict[str, str]) -> str:
    storage = dict(part.split("=", 1) for part in variables["AZURE_STORAGE_CONNECTION_STRING"].split(";") if part)
    return "\n".join(
        [
            f"batch    {variables['AZURE_BATCH_ENDPOINT']}",
            f"storage  {storage['BlobEndpoint']}",
            f"home     {_shown(home)}",
        ]
    )


def _status_json(home: "Home", found: "Status") -> str:
    return json.dumps({"home": str(home.path), **dataclasses.asdict(found)})


def _status_text(home: "Home", found: "Status") -> str:
    lines = [
        f"batch    {_health(found.batch)}",
        f"storage  {_health(found.storage)}",
        f"home     {_shown(home)}",
    ]
    for name, counts in found.counts.items():
        by_state = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        lines.append(f"{name:<8} {by_state or 'none'}")
    return "\n".join(lines)


def _health(health: "Health") -> str:
    if health.pid is None:
        return "stopped"
    answers = "answers" if health.answers else "does not answer"
    return f"{answers} on port {health.port} (process {health.pid})"


def _require_answers(home: "Home", found: "Status") -> None:
    if not (found.batch.answers and found.storage.answers):
        raise ServiceFailed(f"Not all services answer. {_advice(home, found)}")


def _advice(home: "Home", found: "Status") -> str:
    if found.batch.pid is None or found.storage.pid is None:
        return f"Start what is stopped: {home.command('up')}"
    return f"Start them anew: {home.command('down')} && {home.command('up')}"
