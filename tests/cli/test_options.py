"""The options of runs: what is written on the command line, and what is understood."""

from __future__ import annotations

import re
from typing import Any

import click
import pytest
from click.testing import CliRunner

from fastbatch.bounds import SETTINGS, Shape
from fastbatch.cli.options import account_options, run_options
from fastbatch.configuration.layers import from_flags

MIB = 1 << 20


def given(*argv: str) -> dict[str, Any]:
    """Give the flags that are understood, of those that are given."""
    understood: dict[str, Any] = {}

    @click.command()
    @account_options
    @run_options
    def command(**flags: Any) -> None:
        assert flags.keys() == {*SETTINGS, "profile", "local"}
        problems: list[str] = []
        layer = from_flags({name: flags[name] for name in SETTINGS}, problems)
        assert problems == []
        understood.update({name: value.value for name, value in layer.items()})
        understood.update({"profile": flags["profile"]} if flags["profile"] else {})

    ended = CliRunner().invoke(command, argv, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return understood


@click.command()
@run_options
def nothing(**_: object) -> None:
    """Do nothing."""


def helped() -> list[tuple[str, str]]:
    """Give what help says of each option, in its order."""
    context = click.Context(nothing)
    return [record for option in nothing.params if (record := option.get_help_record(context))]


@pytest.mark.parametrize(
    ("argv", "flags"),
    [
        ([], {}),
        (["--top", "3"], {"top": 3}),
        (["--ignore-case"], {"ignore_case": True}),
        (["--no-ignore-case"], {"ignore_case": False}),
        (["--include", "*.txt", "--include", "-x"], {"include": ("*.txt", "-x")}),
        (["--exclude", "a:b;c,d"], {"exclude": ("a:b;c,d",)}),
        (["--bundle-size", "1.5MiB"], {"bundle_size": 3 * MIB // 2}),
        (["--in-flight", "134217728"], {"in_flight": 128 * MIB}),
        (["--files-per-task", "1"], {"files_per_task": 1}),
        (["--pool", "p", "--nodes", "0", "--slots", "4"], {"pool": "p", "nodes": 0, "slots": 4}),
        (
            ["--vm-size", "standard_d4s_v3", "--publisher", "p", "--offer", "o", "--sku", "s"],
            {"vm_size": "standard_d4s_v3", "publisher": "p", "offer": "o", "sku": "s"},
        ),
        (["--start-command", "apt-get install -y x"], {"start_command": "apt-get install -y x"}),
        (["--name", "n", "--output", "a b", "--per-file"], {"name": "n", "output": "a b", "per_file": True}),
        (["--keep-data", "--keep-pool"], {"keep_data": True, "keep_pool": True}),
        (["--delete-pool"], {"delete_pool": True}),
        (["--timeout", "90", "--job-timeout", "1d"], {"timeout": 90.0, "job_timeout": 86400.0}),
        (["--task-timeout", "1h30m", "--task-retries", "0"], {"task_timeout": 5400.0, "task_retries": 0}),
        (["--upload-requests", "1", "--batch-requests", "2"], {"upload_requests": 1, "batch_requests": 2}),
        (["--profile", "big", "--local"], {"profile": "big"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_become_flags(argv: list[str], flags: dict[str, Any]) -> None:
    """Those that are not given are None."""
    assert given(*argv) == flags


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--bundle-size", "64MB"], "--bundle-size: '64MB' can be read in two ways. Write 64MiB, or 64000000"),
        (["--in-flight", "much"], "--in-flight: 'much' is not a size. A size is "),
        (["--timeout", "soon"], "--timeout: 'soon' is not a duration. A duration is "),
        (["--top", "x"], "--top must be a whole number, not 'x'."),
    ],
)
def test_what_can_not_be_read_is_told_with_all_else_that_is_wrong(argv: list[str], told: str) -> None:
    """With the option, and with what is accepted; so it is a text until settings are brought together."""
    problems: list[str] = []

    @click.command()
    @run_options
    def command(**flags: Any) -> None:
        from_flags(flags, problems)

    assert CliRunner().invoke(command, [*argv, "--slots", "0"], catch_exceptions=False).exit_code == 0
    assert len(problems) == 2
    assert problems[0].startswith(told) or problems[1].startswith(told)


def test_the_help_has_every_setting_in_order_with_its_default() -> None:
    """At the end of what it says."""
    assert [names.split()[0] for names, _ in helped()] == [known.option for known in SETTINGS.values()]
    assert all(re.search(r"\.  \[default: [^\]]+\]$", text) for _, text in helped())


@pytest.mark.parametrize(
    ("option", "default"),
    [
        ("--top N", "10"),
        ("--in-flight SIZE", "96MiB"),
        ("--job-timeout DURATION", "1d"),
        ("--pool ID", "fastbatch"),
        ("--timeout DURATION", "none"),
        ("--slots N", "2"),
        ("--keep-pool / --no-keep-pool", "off"),
        ("--include PATTERN", "none; may be given several times"),
    ],
)
def test_defaults_are_shown_as_people_write_them(option: str, default: str) -> None:
    """With units."""
    assert dict(helped())[option].endswith(f"[default: {default}]")


def test_flags_can_be_turned_off() -> None:
    """As a file may have turned them on."""
    for name in (name for name, known in SETTINGS.items() if known.shape is Shape.FLAG):
        assert given(f"--no-{name.replace('_', '-')}") == {name: False}
