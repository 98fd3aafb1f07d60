"""How an instance is: asked over its own wire, with its own keys."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastbatch.local import signature, wire
from fastbatch.local.clock import SystemClock
from fastbatch.local.errors import Unavailable
from fastbatch.local.instance.home import ACCOUNT, Home, Process

HOST = "127.0.0.1"
_API_VERSION = "2025-06-01"
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
    counts = _counts(home, batch) if batch and batch.runs else None
    return Status(
        _health(batch, answers=counts is not None),
        _health(storage, answers=bool(storage and storage.runs and _storage_answers(storage))),
        counts or {},
    )


def environment(home: Home) -> dict[str, str]:
    """Give the variables that make clients find the services: az, the SDKs, azcopy and fastbatch itself."""
    keys, batch, storage = home.keys(), home.process("batch"), home.process("storage")
    if not (batch and storage):
        raise Unavailable(
            f"The local services in {home.path} were never started whole. Start them: {home.command('up')}"
        )
    blobs = f"http://{HOST}:{storage.port}/{ACCOUNT}"
    return {
        "AZURE_BATCH_ACCOUNT": ACCOUNT,
        "AZURE_BATCH_ACCESS_KEY": keys.batch,
        "AZURE_BATCH_ENDPOINT": f"http://{HOST}:{batch.port}",
        "AZURE_STORAGE_CONNECTION_STRING": (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={keys.storage};BlobEndpoint={blobs};"
        ),
    }


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


def _counts(home: Home, batch: Process) -> Mapping[str, Mapping[str, int]] | None:
    path, query = "/local/status", (("api-version", _API_VERSION),)
    headers = {"ocp-date": wire.http_date(SystemClock().now())}
    request = signature.Request("GET", path, query, headers)
    headers["Authorization"] = signature.sign(request, ACCOUNT, home.keys().batch_bytes)
    said = _get(batch.port, f"{path}?api-version={_API_VERSION}", headers)
    if said is None or said[0] != http.client.OK:
        return None
    body: dict[str, Any] = json.loads(said[1])
    return {name: counts for name, counts in body.items() if isinstance(counts, dict)}


def _storage_answers(storage: Process) -> bool:
    return _get(storage.port, f"/{ACCOUNT}?comp=list", {}) is not None


def _get(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, bytes] | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
