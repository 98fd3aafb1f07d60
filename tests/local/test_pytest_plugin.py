"""The fixtures for other people's tests, in a pytest of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

USING = """
    import urllib.request

    def test_first(local_batch):
        local_batch.set_limits(pool_quota=0)
        local_batch.clock.freeze()
        local_batch.faults.add("*", "drop_before", count=3)

    def test_second(local_batch):
        before = local_batch.clock.now()
        while local_batch.clock.now() == before:
            pass
        print(local_batch)
        assert local_batch.faults.rules() == []
        assert "AZURE_BATCH_ENDPOINT" in local_batch.environment
"""


def tested(folder: Path, module: str, *options: str) -> str:
    """Give what a pytest says of a module that passes."""
    lines = [line.removeprefix("    ") for line in module.splitlines()]
    (folder / "test_it.py").write_text("\n".join(lines))
    alone = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=.", "-rA"]
    done = subprocess.run([*alone, *options], cwd=folder, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_tests_have_the_services(tmp_path: Path) -> None:
    """Each as if it were the first; and where one is shown, no key is."""
    said = tested(tmp_path, USING)

    assert "2 passed" in said
    assert "LocalBatch(endpoint='http://127.0.0.1:" in said
    assert "key" not in said.lower()


@pytest.mark.parametrize(
    ("options", "more"),
    [
        (["-p", "fastbatch.local.pytest_plugin"], ""),
        ([], '    pytest_plugins = ["fastbatch.local.pytest_plugin"]\n'),
    ],
)
def test_the_plugin_can_be_asked_for_by_name(tmp_path: Path, options: list[str], more: str) -> None:
    """Though it is there already."""
    module = """
    def test_it(local_batch):
        pass
"""
    assert "SETUP    F local_batch" in tested(tmp_path, more + module, "--setup-plan", *options)


@pytest.mark.slow
def test_an_event_loop_may_run_already(tmp_path: Path) -> None:
    """Where a test is a coroutine, say."""
    module = """
    import asyncio
    from fastbatch.local.testing import running

    async def use():
        with running() as services:
            services.clock.freeze()

    def test_within_a_loop():
        asyncio.run(use())
"""
    assert "1 passed" in tested(tmp_path, module)


@pytest.mark.parametrize("options", [pytest.param([], marks=pytest.mark.slow), ["-p", "no:capture"]])
def test_what_is_to_be_known_of_the_start_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """Not kept for tests that fail: the first start installs Azurite, and takes long."""
    old = tmp_path / "bin" / "azurite-blob"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 1.0.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")

    said = tested(tmp_path, "def test_it(local_batch): pass", *options)

    assert f"{old} is passed over" in said
    assert "Captured" not in said


def test_who_asks_for_nothing_gets_nothing(tmp_path: Path) -> None:
    """No service is started, and not even imported, for tests that have nothing to do with Batch."""
    module = """
    import sys

    def test_nothing():
        assert [name for name in sys.modules if name.startswith(("fastbatch.local.", "azure", "aiohttp"))] == [
            "fastbatch.local.pytest_plugin"
        ]
"""
    assert "1 passed" in tested(tmp_path, module)
