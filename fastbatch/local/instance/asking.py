"""How an instance is: asked over its own wire, with its own keys."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastbatch.local.control import Control
from fastbatch.local.errors import LocalError, Unavailable
from fastbatch.local.instance.home import ACCOUNT, FAULTY_STORAGE, Home, Keys, Process

HOST = "127.0.0.1"
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a service runs and answers, and where."""

    port: int | None
    pid: int | None
    answers: bool


@dataclass(frozen=True, slots=True)
class Status:
    """How the services of an instance are, and what there is, counted by state."""

    batch: Health
    storage: Health
    counts: Mapping[str, Mapping[str, int]]


def status(home: Home) -> Status:
    """Ask both services."""
    batch, storage = home.process("batch"), home.process("storage")
    counts = _counts(home) if batch and batch.runs else None
    return Status(
        _health(batch, answers=counts is not None),
        _health(storage, answers=bool(storage and storage.runs and _storage_answers(storage))),
        counts or {},
    )


def environment(home: Home, *, faulty_storage: bool = False) -> dict[str, str]:
    """Give the variables that make clients find the services: az, the SDKs, azcopy and fastbatch itself."""
    keys, batch, storage = home.keys(), home.process("batch"), home.process("storage")
    if not (batch and storage):
        raise Unavailable(
            f"The local services in {home.path} were never started whole. Start them: {home.command('up')}"
        )
    return {
        "AZURE_BATCH_ACCOUNT": ACCOUNT,
        "AZURE_BATCH_ACCESS_KEY": keys.batch,
        "AZURE_BATCH_ENDPOINT": f"http://{HOST}:{batch.port}",
        "AZURE_STORAGE_CONNECTION_STRING": (
            storage_with_faults(home) if faulty_storage else _connection_string(keys, storage.port)
        ),
    }


def storage_with_faults(home: Home) -> str:
    """
    Give the connection string of the storage where the fault plan has a say.

    It is the same storage with the same key: what is written here is there for all, and what a plan has no rule for
    passes as it is. SAS URLs that are made with this client lead here, too.
    """
    keys, process = home.keys(), home.process(FAULTY_STORAGE)
    if process is None:
        raise Unavailable(
            f"The Batch service in {home.path} was never started, or by an older version. "
            f"Start it anew: {home.command('down')} && {home.command('up')}"
        )
    return _connection_string(keys, process.port)


def _connection_string(keys: Keys, port: int) -> str:
    blobs = f"http://{HOST}:{port}/{ACCOUNT}"
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={keys.storage};BlobEndpoint={blobs};"


def require_running(home: Home) -> None:
    """Raise Unavailable unless both services run."""
    home.keys()
    down = [name for name in ("batch", "storage") if not ((process := home.process(name)) and process.runs)]
    if down:
        raise Unavailable(f"Not running in {home.path}: {', '.join(down)}. Start it: {home.command('up')}")


def _health(process: Process | None, *, answers: bool) -> Health:
    if process is None:
        return Health(None, None, answers=False)
    return Health(process.port, process.identity.pid if process.runs else None, answers)


def control(home: Home) -> Control:
    """Give a way to ask the Batch service of an instance for what only it has."""
    batch = home.process("batch")
    if batch is None:
        raise Unavailable(f"No Batch service was ever started in {home.path}. Start it: {home.command('up')}")
    return Control(f"http://{HOST}:{batch.port}", ACCOUNT, home.keys().batch)


def _counts(home: Home) -> Mapping[str, Mapping[str, int]] | None:
    try:
        said = replace(control(home), seconds=_SECONDS).ask("GET", "/local/status")
    except LocalError:
        return None
    return {name: counts for name, counts in said.items() if isinstance(counts, dict)}


def _storage_answers(storage: Process) -> bool:
    connection = http.client.HTTPConnection(HOST, storage.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"/{ACCOUNT}?comp=list")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
