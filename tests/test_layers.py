"""Who may import what."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCAL = "fastbatch.local"


def imported(path: Path) -> Iterator[str]:
    """Give the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(folder: str, module: str) -> set[str]:
    """Give the files below a folder that import a module, or something of it."""
    return {
        str(path.relative_to(ROOT / folder))
        for path in (ROOT / folder).rglob("*.py")
        if any(name == module or name.startswith(f"{module}.") for name in imported(path))
    }


def within(names: set[str], folder: str) -> bool:
    """Tell whether all files are in a folder."""
    return all(name.startswith(f"{folder}/") for name in names)


def test_the_local_services_import_nothing_else_of_fastbatch() -> None:
    """So that client and service can't share a mistake."""
    for path in (ROOT / "fastbatch" / "local").rglob("*.py"):
        strangers = [name for name in imported(path) if name.startswith("fastbatch") and not name.startswith(LOCAL)]
        assert strangers == [], path


def test_only_the_store_knows_of_the_database() -> None:
    """Everybody else sees records."""
    assert importers("fastbatch/local", "sqlite3") == {"store.py"}


def test_only_the_server_knows_of_http_requests() -> None:
    """Operations see calls."""
    assert within(importers("fastbatch/local", "aiohttp.web"), "server")


@pytest.mark.parametrize("module", ["asyncio", "time", "fastbatch.local.store", "fastbatch.local.clock", "os"])
def test_the_states_are_pure(module: str) -> None:
    """They read no clock, do no I/O and wait for nothing: times come as arguments."""
    assert importers("fastbatch/local/states", module) == set()


def test_only_the_clock_tells_the_time() -> None:
    """So that the time of the service can be another one than the machine's."""
    assert importers("fastbatch/local/service", "time") | importers("fastbatch/local/operations", "time") == set()


def test_the_node_half_imports_nothing_of_fastbatch() -> None:
    """It travels alone."""
    assert importers("node", "fastbatch") == set()
