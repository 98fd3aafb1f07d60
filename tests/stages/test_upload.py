"""Bundles go up once, whoever else is at it, and nothing of them is lost without a word."""

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from azure.storage.blob import BlobClient, ContainerClient

from fastbatch import Account
from fastbatch.azure import storage as storage_module
from fastbatch.azure.services import Services
from fastbatch.books.facts import Built
from fastbatch.events import RequestRetried
from fastbatch.model import Bundle
from fastbatch.stages import bundle as bundling
from fastbatch.stages import upload as uploading
from tests.counted import account_of
from tests.local.instances import Instance
from tests.proxy import Rule, proxy
from tests.seam import using
from tests.stages.uploads import content, files, name, upload


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything over a kibibyte go up in blocks of four."""
    for module in (bundling, uploading):
        monkeypatch.setattr(module, "IN_MEMORY", 1 << 10)
    monkeypatch.setattr(uploading, "BLOCK", 1 << 12)


def test_bundles_go_up_once(account: Account, container: ContainerClient, tmp_path: Path) -> None:
    """The second time one request shows that all are there."""
    bundles = files(tmp_path, 5)
    first = upload(account, name(container), bundles)
    assert set(first.stored.values()) == {False}
    assert first.requests == {"list blobs": 1, "make a container": 1, "put a blob": 5}
    for bundle in bundles:
        digest = first.digests[bundle.id]
        assert hashlib.sha256(content(container, digest)).hexdigest() == digest

    again = upload(account, name(container), bundles)
    assert set(again.stored.values()) == {True}
    assert again.requests == {"list blobs": 1}


def test_what_one_listing_does_not_show_is_looked_at(
    account: Account, container: ContainerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One small request for each bundle, and no upload of what is there."""
    bundles = files(tmp_path, 5)
    upload(account, name(container), bundles[:4])
    monkeypatch.setattr(storage_module, "_PAGE", 2)
    again = upload(account, name(container), bundles)
    assert sorted(again.stored.values()) == [False, True, True, True, True]
    assert again.requests == {"list blobs": 1, "look at a blob": 3, "put a blob": 1}


@pytest.mark.parametrize("page", [2, 5000], ids=["looked at", "listed"])
def test_a_blob_of_the_wrong_length_is_replaced(
    account: Account, container: ContainerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """It is not what its name says, so the node would only find the same."""
    (bundle,) = files(tmp_path, 1)
    digest = hashlib.sha256((tmp_path / "1.txt").read_bytes()).hexdigest()
    container.create_container()
    for other in ("0", "00"):
        container.upload_blob(other, b"x")
    container.upload_blob(digest, b"too short")
    monkeypatch.setattr(storage_module, "_PAGE", page)

    assert upload(account, name(container), [bundle]).stored == {"b00001": False}
    assert content(container, digest) == (tmp_path / "1.txt").read_bytes()


def test_what_is_to_be_replaced_is_replaced(account: Account, container: ContainerClient, tmp_path: Path) -> None:
    """Also if it looks as it should."""
    (bundle,) = files(tmp_path, 1)
    digest = upload(account, name(container), [bundle]).digests["b00001"]
    container.upload_blob(digest, b"x" * 100, overwrite=True)
    assert upload(account, name(container), [bundle], replace=True).stored == {"b00001": False}
    assert content(container, digest) == (tmp_path / "1.txt").read_bytes()


def two_days_later(services: Services) -> None:
    """Let the service's clock be two days ahead."""
    clock = services.storage.line.clock
    now = clock.now
    clock.now = lambda: now() + timedelta(days=2)  # type: ignore[method-assign]  # a clock that is ahead


def unchanged(_blob: BlobClient) -> None:
    """Do nothing to a blob."""


@pytest.mark.parametrize(
    ("meanwhile", "reused"),
    [
        (unchanged, True),
        (lambda blob: blob.set_blob_metadata({"by": "another"}), True),
        (lambda blob: blob.delete_blob(), False),
    ],
    ids=["nothing", "renewed by another", "cleaned away"],
)
def test_an_old_blob_is_renewed_if_it_is_still_the_same(
    services: Instance,
    container: ContainerClient,
    tmp_path: Path,
    meanwhile: Callable[[BlobClient], object],
    *,
    reused: bool,
) -> None:
    """Whoever cleans by age does not take it away then; what is gone is put again."""
    (bundle,) = files(tmp_path, 1)
    digest = upload(account_of(services), name(container), [bundle]).digests["b00001"]
    blob = container.get_blob_client(digest)
    before = blob.get_blob_properties()

    def happens() -> None:
        meanwhile(blob)

    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("PUT", "comp=metadata", then=happens))
        account = account_of(services, storage_endpoint=storage.url)
        renewed = upload(account, name(container), [bundle], before=two_days_later)

    assert renewed.stored == {"b00001": reused}
    assert renewed.requests["renew a blob"] == 1
    after = blob.get_blob_properties()
    assert after.etag != before.etag
    assert after.size == before.size
    expected = {} if not reused else {"fastbatch": "bundle"} if meanwhile is unchanged else {"by": "another"}
    assert after.metadata == expected


@pytest.mark.usefixtures("small_blocks")
def test_large_bundles_go_up_in_blocks(account: Account, container: ContainerClient, tmp_path: Path) -> None:
    """Read from where they are, a block at a time."""
    bundles = files(tmp_path, 2, size=10_000)
    uploads = upload(account, name(container), bundles, budget=10_000)
    assert set(uploads.stored.values()) == {False}
    assert uploads.requests["put a block"] == 6
    assert uploads.requests["put a list of blocks"] == 2
    assert content(container, uploads.digests["b00001"]) == (tmp_path / "1.txt").read_bytes()
    assert 0 < uploads.budget.peak <= 10_000


_BLOCKS_ARE_GONE: tuple[int, dict[str, str], bytes] = (400, {"x-ms-error-code": "InvalidBlockList"}, b"")


def committed(blob: BlobClient, body: bytes) -> None:
    """Let another client put the whole blob; blocks that wait to be one are gone then."""
    blob.upload_blob(body, overwrite=True)


def taken_away(blob: BlobClient, body: bytes) -> None:
    """Let another client put it, and a third delete it."""
    committed(blob, body)
    blob.delete_blob()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("meanwhile", [committed, taken_away])
def test_a_clash_over_blocks_ends_well(
    services: Instance,
    container: ContainerClient,
    tmp_path: Path,
    meanwhile: Callable[[BlobClient, bytes], None],
    *,
    replace: bool,
) -> None:
    """Whoever comes first, the blob is there and whole."""
    (bundle,) = files(tmp_path, 1, size=10_000)
    body = (tmp_path / "1.txt").read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    # Storage forgets blocks when another commits; Azurite keeps them.
    rule = Rule("PUT", "comp=blocklist", then=lambda: meanwhile(container.get_blob_client(digest), body))
    rule.refuse = _BLOCKS_ARE_GONE
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(rule)
        account = account_of(services, storage_endpoint=storage.url)
        uploads = upload(account, name(container), [bundle], replace=replace)

    assert uploads.stored == {"b00001": meanwhile is committed}
    assert content(container, digest) == body


@pytest.mark.usefixtures("small_blocks")
def test_a_clash_that_never_ends_is_given_up(services: Instance, container: ContainerClient, tmp_path: Path) -> None:
    """It is one bundle that is not stored."""
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("PUT", "comp=blocklist", times=99, refuse=_BLOCKS_ARE_GONE))
        account = account_of(services, storage_endpoint=storage.url)
        uploads = upload(account, name(container), files(tmp_path, 1, size=10_000))
        assert storage.count("PUT", "comp=blocklist") == 3
    assert "over and over" in uploads.not_stored["b00001"]


@pytest.mark.usefixtures("small_blocks")
def test_the_same_file_twice_is_one_blob(account: Account, container: ContainerClient, tmp_path: Path) -> None:
    """Though both go up in blocks at once."""
    (bundle,) = files(tmp_path, 1, size=20_000)
    others = [Bundle(f"b{n:05}", bundle.kind, bundle.items) for n in range(2, 6)]
    uploads = upload(account, name(container), [bundle, *others])
    assert len(uploads.stored) == 5
    assert uploads.not_stored == {}
    assert list(container.list_blob_names()) == [uploads.digests["b00001"]]
    assert content(container, uploads.digests["b00001"]) == (tmp_path / "1.txt").read_bytes()


@pytest.mark.usefixtures("small_blocks")
def test_a_file_that_changes_while_it_goes_up_is_not_stored(
    services: Instance, container: ContainerClient, tmp_path: Path
) -> None:
    """And is not there."""
    (bundle,) = files(tmp_path, 1, size=100_000)
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("PUT", "comp=block&", then=lambda: os.utime(tmp_path / "1.txt", (1, 1))))
        account = account_of(services, storage_endpoint=storage.url)
        uploads = upload(account, name(container), [bundle], budget=10_000)
    assert list(uploads.not_stored) == ["b00001"]
    assert "changed while it was uploaded" in uploads.not_stored["b00001"]
    assert not uploads.passing
    assert list(container.list_blob_names()) == []


def test_a_bundle_that_storage_refuses_takes_no_other_with_it(
    services: Instance, container: ContainerClient, tmp_path: Path
) -> None:
    """It is told with what storage said, and may go well another time."""
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("PUT", "sig=", refuse=(400, {"x-ms-error-code": "InvalidInput"}, b"")))
        account = account_of(services, storage_endpoint=storage.url)
        uploads = upload(account, name(container), files(tmp_path, 4))
    assert len(uploads.stored) == 3
    (reason,) = uploads.not_stored.values()
    assert "InvalidInput" in reason
    assert "sig=" not in reason
    assert uploads.passing


def test_a_bundle_without_inputs_is_not_sent(account: Account, container: ContainerClient, tmp_path: Path) -> None:
    """That it came to nothing is told once."""
    (bundle,) = files(tmp_path, 1)
    (tmp_path / "1.txt").unlink()
    uploads = upload(account, name(container), [bundle])
    assert [(type(fact), fact.blob) for fact in uploads.facts if isinstance(fact, Built)] == [(Built, None)]
    assert len(uploads.facts) == 1
    assert uploads.requests["put a blob"] == 0


def test_no_more_bytes_are_held_than_there_may_be(account: Account, container: ContainerClient, tmp_path: Path) -> None:
    """Though one bundle alone is larger."""
    uploads = upload(account, name(container), files(tmp_path, 20, size=3000), budget=8192)
    assert len(uploads.stored) == 20
    assert 6000 <= uploads.budget.peak <= 8192


def test_what_was_damaged_on_its_way_is_refused(account: Account, container: ContainerClient) -> None:
    """As it is not what its MD5 says; nothing of it is stored."""
    container.create_container()

    async def scene(services: Services) -> None:
        with anyio.move_on_after(1):  # it is sent again, as damage may pass
            await services.storage.blobs.put(name(container), "blob", b"content", md5=b"0" * 16)
        assert "Md5Mismatch" in retried[0].reason

    retried: list[RequestRetried] = []
    using(account, scene, observe=lambda event: retried.append(event) if isinstance(event, RequestRetried) else None)
    assert list(container.list_blob_names()) == []
