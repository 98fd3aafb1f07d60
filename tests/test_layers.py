"""Who may import what."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastbatch

ROOT = Path(__file__).parents[1]
LOCAL = "fastbatch.local"


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """Give the modules that a file imports, wherever in it."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
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


def test_only_the_store_and_its_part_know_of_the_database() -> None:
    """Everybody else sees records."""
    assert importers("fastbatch/local", "sqlite3") == {"store.py", "dependencies.py"}


def test_only_the_journal_and_the_local_services_know_of_databases() -> None:
    """Everybody else sees runs, plans and standings."""
    knowing = {name for name in importers("fastbatch", "sqlite3") if not name.startswith("local/")}
    assert knowing == {f"journal/{name}.py" for name in ("opening", "schema", "store", "troubles")}


def test_only_the_server_knows_of_http_requests() -> None:
    """Operations see calls."""
    assert within(importers("fastbatch/local", "aiohttp.web"), "server")


@pytest.mark.parametrize("module", ["asyncio", "time", "fastbatch.local.store", "fastbatch.local.clock", "os"])
def test_the_states_are_pure(module: str) -> None:
    """They read no clock, do no I/O and wait for nothing: times come as arguments."""
    assert importers("fastbatch/local/states", module) == set()


ROOMS = ("server", "faults", "operations", "views", "bodies", "service", "agent", "states")  # the highest first


@pytest.mark.parametrize(("room", "above"), [(room, above) for room in ROOMS for above in ROOMS[: ROOMS.index(room)]])
def test_no_room_of_the_service_imports_what_is_above_it(room: str, above: str) -> None:
    """What is decided depends neither on who asks, nor on how that is written, nor on what goes wrong on order."""
    assert importers(f"fastbatch/local/{room}", f"{LOCAL}.{above}") == set()


@pytest.mark.parametrize("room", ROOMS[1:])
def test_only_the_server_knows_that_it_is_of_an_instance(room: str) -> None:
    """All else is given what it needs of the folder."""
    assert importers(f"fastbatch/local/{room}", f"{LOCAL}.instance") == set()


def test_only_the_plugin_knows_of_pytest() -> None:
    """What is there for tests can be used without it, and is used by nothing else."""
    assert importers("fastbatch", "pytest") == {"local/pytest_plugin.py"}
    assert importers("fastbatch", f"{LOCAL}.testing") == {"local/pytest_plugin.py"}
    assert importers("fastbatch", f"{LOCAL}.pytest_plugin") == set()


@pytest.mark.parametrize("room", ROOMS)
def test_only_the_clock_tells_the_time(room: str) -> None:
    """So that the time of the service can be another one than the machine's."""
    assert importers(f"fastbatch/local/{room}", "time") == set()


def test_the_node_half_imports_nothing_of_fastbatch() -> None:
    """It travels alone."""
    assert importers("node", "fastbatch") == set()


SUBMITTER = "fastbatch"
ROOMS_OF_THE_SUBMITTER = (  # the highest first
    "cli",
    "tuning",
    "running",
    "stages",
    "telling",
    "pools",
    "journal",
    "books",
    "azure",
    "sending",
    "configuration",
)
VALUES = {"errors", "model", "events", "limits"}
DECISIONS = {"planning", "masking", "settings", "chunks", "bounds", "units", "tar"}
DECISIONS_IN_ROOMS = {
    *("pools/health", "sending/retry", "telling/speeds", "telling/failing"),
    *("tuning/measured", "tuning/findings", "tuning/conditions", "tuning/sampling"),
    *("tuning/timeline", "tuning/slowing", "tuning/load", "tuning/simulation"),
    *("tuning/spread", "tuning/scaling", "tuning/times", "tuning/wording", "tuning/advice", "tuning/doubts"),
    "tuning/study",
}
NOT_PURE = {"anyio", "asyncio", "os", "time", "aiohttp"}


def own(module: str) -> set[str]:
    """Give the top modules of fastbatch that one of them imports."""
    found = imported(ROOT / SUBMITTER / f"{module}.py")
    return {name.split(".")[1] for name in found if name.startswith(f"{SUBMITTER}.")}


@pytest.mark.parametrize("module", sorted(VALUES))
def test_values_import_values_alone(module: str) -> None:
    """They are at the bottom."""
    assert own(module) <= VALUES


@pytest.mark.parametrize("module", sorted(DECISIONS | DECISIONS_IN_ROOMS))
def test_decisions_import_values_and_decisions_alone(module: str) -> None:
    """They do no I/O, and wait for nothing."""
    assert own(module) <= VALUES | DECISIONS | {module.split("/", maxsplit=1)[0]}
    assert not NOT_PURE & set(imported(ROOT / SUBMITTER / f"{module}.py"))


def test_the_books_are_made_of_values_alone() -> None:
    """What happened is told to them, and they say what is to be done; nothing in them waits or does I/O."""
    for path in (ROOT / SUBMITTER / "books").glob("*.py"):
        assert own(f"books/{path.stem}") <= VALUES | {"books"}, path
        assert not NOT_PURE & set(imported(path)), path


@pytest.mark.parametrize(
    ("room", "above"),
    [
        (room, above)
        for number, room in enumerate(ROOMS_OF_THE_SUBMITTER)
        for above in ("api", *ROOMS_OF_THE_SUBMITTER[:number])
        if room != "cli"
    ],
)
def test_no_room_of_the_submitter_imports_what_is_above_it(room: str, above: str) -> None:
    """It is a library, and a command line over it; stages know nothing of what drives them."""
    assert importers(f"{SUBMITTER}/{room}", f"{SUBMITTER}.{above}") == set()


def test_what_is_in_no_room_imports_none() -> None:
    """All rooms use it; only what a program calls stands above them."""
    rooms = {*ROOMS_OF_THE_SUBMITTER, "local"}
    strangers = {path.stem for path in (ROOT / SUBMITTER).glob("*.py") if own(path.stem) & rooms}
    assert strangers == {"__main__", "api"}


def test_a_report_is_made_of_values_and_records_alone() -> None:
    """It asks nobody: what the journal and the services know is given to it."""
    found = imported(ROOT / SUBMITTER / "telling" / "reporting.py")
    known = {".".join(name.split(".")[:3]) for name in found if name.startswith(f"{SUBMITTER}.journal")}
    assert own("telling/reporting") <= VALUES | DECISIONS | {"books", "journal", "telling"}
    assert known == {f"{SUBMITTER}.journal.records", f"{SUBMITTER}.journal.wording"}
    assert not NOT_PURE & set(found)


@pytest.mark.parametrize("vendor", ["azure", "aiohttp"])
def test_only_the_seam_knows_the_vendors(vendor: str) -> None:
    """Everybody else sees our own errors and values; the local services are another program."""
    strangers = {name for name in importers(SUBMITTER, vendor) if not name.startswith(("azure/", "local/"))}
    assert strangers == set()


def test_only_the_command_line_knows_the_local_services() -> None:
    """Nothing in a run is specific to them."""
    above = importers(SUBMITTER, LOCAL)
    assert {name for name in above if not name.startswith(("cli/", "local/"))} == set()


def test_the_journal_knows_values_decisions_and_where_it_is() -> None:
    """It holds what others decide, and asks nobody."""
    for path in (ROOT / SUBMITTER / "journal").glob("*.py"):
        known = own(f"journal/{path.stem}")
        assert known <= VALUES | DECISIONS | {"books", "journal", "names", "place", "state", "terminal"}, path


def test_who_drives_a_run_is_told_by_the_state_folder_alone() -> None:
    """Neither the journal nor a service is asked."""
    assert own("running/holding") <= VALUES | {"state"}


def test_task_groups_are_opened_in_few_places() -> None:
    """Every lifetime has one owner."""
    openers = {
        str(path.relative_to(ROOT / SUBMITTER))
        for path in (ROOT / SUBMITTER).rglob("*.py")
        if "create_task_group" in path.read_text() and not path.is_relative_to(ROOT / SUBMITTER / "local")
    }
    assert openers == {"running/pipeline.py", "groups.py", "cli/signalled.py"}


def test_the_client_needs_no_module_that_only_posix_has() -> None:
    """It is imported on Windows too; what is not there must not be missed before it is used."""
    posix = ["fcntl", "grp", "posix", "pwd", "resource", "termios", "tty"]
    modules = [
        "fastbatch.api",
        "fastbatch.running.cancelling",
        "fastbatch.running.clearing",
        "fastbatch.cli.conducting",
        "fastbatch.cli.display.live",
        "fastbatch.cli.display.passages",
        "fastbatch.cli.display.standing",
        "fastbatch.cli.dry_run",
        "fastbatch.cli.ls",
        "fastbatch.cli.tuning.conducting",
        "fastbatch.tuning.picture",
        "fastbatch.running.holding",
        "fastbatch.journal.store",
        "fastbatch.cli.main",
        "fastbatch.cli.speaking",
        "fastbatch.pools.state",
        "fastbatch.pools.readiness",
        "fastbatch.tuning.measuring",
    ]
    program = f"""
import sys
import anyio, asyncio, rich.console, tempfile, subprocess, azure.identity.aio, aiohttp
for name in {posix}: sys.modules[name] = None
import {", ".join(modules)}
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_names_of_the_library_are_all_there() -> None:
    """What `__all__` promises can be imported, and is not a module of the same name."""
    assert sorted(fastbatch.__all__) == fastbatch.__all__
    for name in fastbatch.__all__:
        assert getattr(fastbatch, name) is not None
    assert callable(fastbatch.plan)
    assert callable(fastbatch.run)
