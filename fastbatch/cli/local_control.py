"""`fastbatch local clock`, `faults` and `reset`: the local Batch service, turned as a test needs it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import click

from fastbatch.cli.exits import Unusable, boundary
from fastbatch.cli.local_home import home_option, instance


@click.command(short_help="Show the service's time, or turn its clock.")
@home_option
@click.option("--freeze/--resume", "frozen", default=None, help="Let the clock stand still, or go on.")
@click.option("--advance", metavar="DURATION", help="Put it forward: 90s, 2h, 7d.")
def clock(home: Path | None, *, frozen: bool | None, advance: str | None) -> None:
    """
    Show the service's time, or turn its clock.

    Boot times, time limits, retention and retries go by it. What is due on the way begins before this returns.

    \b
    Examples:
      fastbatch local clock
      fastbatch local clock --freeze
      fastbatch local clock --advance 2h
    """
    turn: dict[str, Any] = {} if frozen is None else {"frozen": frozen}
    if advance is not None:
        turn["advance"] = f"PT{_seconds(advance):.6f}S"
    shown = _ask(home, "POST" if turn else "GET", "/local/clock", turn or None)
    click.echo(f"{shown['now']}{'  frozen' if shown['frozen'] else ''}")


@click.command()
@home_option
@click.option(
    "--set", "plan", type=click.File(), metavar="FILE", help="Replace the plan by that of a file; - is stdin."
)
@click.option("--clear", is_flag=True, help="Let everything go right.")
def faults(home: Path | None, *, plan: IO[str] | None, clear: bool) -> None:
    """
    Show what the services are to do wrong, as JSON, with how often each was done; or set or clear it.

    \b
    Examples:
      fastbatch local faults
      echo '{"rules": [{"operation": "create_task_collection", "fault": "refuse",
                        "status": 503, "count": 3}]}' | fastbatch local faults --set -
      fastbatch local faults --clear
    """
    if plan is not None and clear:
        raise click.UsageError("Give either --set or --clear.")
    if clear:
        _ask(home, "DELETE", "/local/faults")
        return
    body = None if plan is None else _plan(plan)
    shown = _ask(home, "GET" if body is None else "PUT", "/local/faults", body)
    click.echo(json.dumps({name: shown[name] for name in ("seed", "rules")}, indent=2))


@click.command(short_help="Forget all pools, jobs and tasks.")
@home_option
def reset(home: Path | None) -> None:
    """
    Forget all pools, jobs and tasks, end what runs, set the clock right and clear all faults; blobs stay.

    \b
    Example:
      fastbatch local reset
    """
    _ask(home, "POST", "/local/reset")


def _ask(home: Path | None, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    from fastbatch.local.control import ControlRefused
    from fastbatch.local.instance import asking

    with boundary():
        at = instance(home)
        asking.require_running(at)
        try:
            return asking.control(at).ask(method, path, body)
        except ControlRefused as error:
            raise Unusable([str(error)]) from error


def _seconds(text: str) -> float:
    from fastbatch.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--advance") from None


def _plan(file: IO[str]) -> Mapping[str, Any]:
    from fastbatch.local import strictjson

    try:
        plan = strictjson.read(file.read())
    except ValueError as error:
        raise Unusable([f"{file.name} is not JSON: {error}"]) from None
    if not isinstance(plan, dict):
        raise Unusable([f'{file.name} must hold an object: {{"rules": [...]}}.'])
    return plan
