"""The pieces of an account from tables and the environment, put together; no secret is in any message."""

import base64
import binascii
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping

from fastbatch.configuration.connection import parse_connection
from fastbatch.configuration.endpoints import DOMAINS, blobs_of, endpoint, takes_tokens
from fastbatch.configuration.given import Given, Layer, in_environment, in_table, meant
from fastbatch.settings import Account

CONNECTION = "storage_connection_string"
VARIABLES = {
    "batch_account": "AZURE_BATCH_ACCOUNT",
    "batch_endpoint": "AZURE_BATCH_ENDPOINT",
    "batch_key": "AZURE_BATCH_ACCESS_KEY",
    "storage_account": "AZURE_STORAGE_ACCOUNT",
    "storage_key": "AZURE_STORAGE_KEY",
    CONNECTION: "AZURE_STORAGE_CONNECTION_STRING",
}
PIECES = ("batch_account", "batch_endpoint", "batch_key", "storage_account", "storage_endpoint", "storage_key")
KEYS = (*PIECES, CONNECTION)
SECRETS = frozenset({"batch_key", "storage_key", CONNECTION})
SERVICES = {"batch": "Batch", "storage": "storage"}

_NAME = re.compile(r"[a-z0-9]{3,24}", re.ASCII)
_NEEDED = {
    "batch_account": "The Batch account",
    "batch_endpoint": "The endpoint of the Batch account",
    "storage_account": "The storage account",
}


def from_table(table: object, where: str, problems: list[str]) -> Layer:
    """Read the pieces in a table of a file; it may hold nothing else."""
    if not isinstance(table, dict):
        problems.append(f"{where} must be a table.")
        return {}
    problems.extend(
        f"{where}: {reprlib.repr(key)} is not a piece of an account.{meant(key, KEYS)}"
        for key in table
        if key not in KEYS
    )
    return _layer({key: in_table(key, value, where) for key, value in table.items() if key in KEYS}, problems)


def from_environment(environ: Mapping[str, str], problems: list[str]) -> Layer:
    """Read the variables that the az CLI has; an empty one is as good as none."""
    return _layer(
        {key: in_environment(name, environ[name]) for key, name in VARIABLES.items() if environ.get(name)}, problems
    )


def merged(layers: Iterable[Layer]) -> Layer:
    """Lay layers one over another, the strongest last; who names another account takes nothing of the one before."""
    result: dict[str, Given] = {}
    for layer in layers:
        for service in SERVICES:
            name = f"{service}_account"
            if name in layer and name in result and layer[name].value != result[name].value:
                result = {key: given for key, given in result.items() if not key.startswith(service)}
        result.update(layer)
    return result


def completed(pieces: Layer) -> Layer:
    """Add the endpoint that follows from the storage account's name, if no other is given."""
    account = pieces.get("storage_account")
    if account is None or account.value is None or "storage_endpoint" in pieces:
        return pieces
    batch = pieces.get("batch_endpoint")
    at = blobs_of(account.value, batch.value if batch else None)
    return {**pieces, "storage_endpoint": Given(at, account.origin, account.label)}


def assembled(pieces: Layer, file: str, problems: list[str]) -> Account | None:
    """Make an account of its pieces, or add to the problems what is missing and what may not be."""
    found = [*_missing(pieces, file), *_untrusted(pieces)]
    problems.extend(found)
    if found or any(given.value is None for given in pieces.values()):
        return None
    return Account(**{name: given.value for name, given in pieces.items()})


def _layer(raw: Mapping[str, Given], problems: list[str]) -> Layer:
    pieces = {}
    for name, given in raw.items():
        if name != CONNECTION:
            pieces[name] = _checked(name, given, problems)
    if CONNECTION in raw:
        pieces.update(_connected(raw[CONNECTION], pieces.get("storage_account"), problems))
    return pieces


def _connected(given: Given, beside: Given | None, problems: list[str]) -> Layer:
    """Give the pieces of a connection string; it may not name another account than is named beside it."""
    try:
        parsed = parse_connection(_text(given.value))
    except ValueError as error:
        problems.append(f"{given.label} {error}.")
        return {"storage_account": Given(None, given.origin, given.label)}
    if beside and beside.value not in {None, parsed["storage_account"]}:
        problems.append(f"{given.label} and {beside.label} name two accounts. Take one of them away.")
    labels = {"storage_key": f"The key in {given.label}", "storage_endpoint": f"The endpoint in {given.label}"}
    return {
        name: _checked(name, Given(value, given.origin, labels.get(name, given.label)), problems)
        for name, value in parsed.items()
    }


def _checked(name: str, given: Given, problems: list[str]) -> Given:
    """Give a piece in its one form, or without a value if it can't be used."""
    try:
        value = _piece(name, _text(given.value))
    except ValueError as error:
        problems.append(f"{given.label} {error}.")
        value = None
    return Given(value, given.origin, given.label)


def _piece(name: str, text: str) -> str:
    if name in SECRETS:
        return _key(text.strip())
    if name.endswith("_endpoint"):
        return endpoint(text)
    if not _NAME.fullmatch(text):
        raise ValueError("must be the name of an account: 3 to 24 small letters and digits")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004, it is one more thing that a value may not be
    return value


def _key(text: str) -> str:
    try:
        sound = bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        sound = False
    if not sound:
        raise ValueError("must be a key as the portal shows it, in base64")
    return text


def _missing(pieces: Layer, file: str) -> Iterator[str]:
    if not pieces:
        yield "No account is given; only --local needs none."
    for name, called in _NEEDED.items():
        if name not in pieces:
            yield f"{called} is not known. Set {_variables(name)}, or {name} under [account] in {file}."


def _variables(name: str) -> str:
    also = f" or {VARIABLES[CONNECTION]}" if name == "storage_account" else ""
    return f"{VARIABLES[name]}{also}"


def _untrusted(pieces: Layer) -> Iterator[str]:
    """Tell of endpoints outside Azure that would be sent a token, as there is no key."""
    for service, called in SERVICES.items():
        at = pieces.get(f"{service}_endpoint")
        if at is None or at.value is None or f"{service}_key" in pieces or takes_tokens(service, at.value):
            continue
        domains = ", ".join(f".{domain}" for domain in DOMAINS[service])
        yield (
            f"{at.label} is not one of Azure's ({domains}), and no other is sent a token of Entra ID. "
            f"Give the {called} account's key: set {VARIABLES[f'{service}_key']}."
        )
