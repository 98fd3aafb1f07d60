"""What a bundle was uploaded as is final: it is found again, or made again, and nothing else goes on under its name."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from fastbatch import Account
from fastbatch.azure import storage as storage_module
from fastbatch.books.facts import Built, Fact, Prepare, Stored
from fastbatch.model import Bundle, Failure, Kind
from tests.stages.bundles import tarred, written
from tests.stages.uploads import Uploads, content, name, upload, whole


def in_one(folder: Path) -> Bundle:
    """Give a bundle of three files that nobody else has."""
    return tarred(*(written(folder / each, os.urandom(100)) for each in "abc"))


def rewrite(path: Path) -> None:
    """Change a file's content, and nothing else that can be seen of it."""
    status = path.stat()
    path.write_bytes(os.urandom(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def built(uploads: Uploads) -> Built:
    """Give what the only bundle was built as."""
    (fact,) = (fact for fact in uploads.facts if isinstance(fact, Built))
    return fact


def again(bundle: Bundle, fact: Built, *, replace: bool = False) -> Prepare:
    """Ask for a bundle that was built before."""
    return Prepare(bundle, replace, fact.blob, fact.checks)


PAGES = pytest.mark.parametrize("page", [2, 5000], ids=["looked at", "listed"])


@PAGES
def test_what_is_there_is_not_read_again(
    account: Account, container: ContainerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Though its files are gone since."""
    bundle = in_one(tmp_path)
    fact = built(upload(account, name(container), [bundle]))
    for other in ("0", "00"):
        container.upload_blob(other, b"x")
    for item in bundle.items:
        Path(item.path).unlink()
    monkeypatch.setattr(storage_module, "_PAGE", page)
    second = upload(account, name(container), [again(bundle, fact)])

    assert second.facts == [Stored(bundle.id, reused=True)]
    assert second.requests == {"list blobs": 1, **({"look at a blob": 1} if page == 2 else {})}


def delete(container: ContainerClient, digest: str) -> None:
    """Take a blob away."""
    container.delete_blob(digest)


def shorten(container: ContainerClient, digest: str) -> None:
    """Put something shorter in a blob's place."""
    container.upload_blob(digest, b"short", overwrite=True)


def damage(container: ContainerClient, digest: str) -> None:
    """Put something else of the same length in a blob's place."""
    container.upload_blob(digest, b"x" * len(content(container, digest)), overwrite=True)


LOSSES = pytest.mark.parametrize(
    ("lose", "replace"), [(delete, False), (shorten, False), (damage, True), (delete, True)]
)


@LOSSES
def test_what_is_gone_or_bad_is_made_again(
    account: Account,
    container: ContainerClient,
    tmp_path: Path,
    lose: Callable[[ContainerClient, str], None],
    *,
    replace: bool,
) -> None:
    """The same blob, of the same files."""
    bundle = in_one(tmp_path)
    fact = built(upload(account, name(container), [bundle]))
    assert fact.blob
    before = content(container, fact.blob.digest)
    lose(container, fact.blob.digest)
    second = upload(account, name(container), [again(bundle, fact, replace=replace)])

    assert second.facts == [fact, Stored(bundle.id, reused=False)]
    assert content(container, fact.blob.digest) == before


@LOSSES
def test_what_changed_meanwhile_fails_and_the_rest_is_a_new_blob(
    account: Account,
    container: ContainerClient,
    tmp_path: Path,
    lose: Callable[[ContainerClient, str], None],
    *,
    replace: bool,
) -> None:
    """One by its stat and one by its content; nothing is put under the old name."""
    bundle = in_one(tmp_path)
    fact = built(upload(account, name(container), [bundle]))
    assert fact.blob
    lose(container, fact.blob.digest)
    (tmp_path / "a").unlink()
    rewrite(tmp_path / "c")
    second = upload(account, name(container), [again(bundle, fact, replace=replace)])

    new = built(second)
    assert new.blob
    assert new.failures == (
        Failure("a", "it is gone since the run was planned"),
        Failure("c", "its content changed after it was first read; run again to take it as it is now"),
    )
    assert second.facts == [new, Stored(bundle.id, reused=False)]
    assert (tmp_path / "b").read_bytes() in content(container, new.blob.digest)
    assert new.checks == fact.checks[4:8]
    assert len(list(container.list_blob_names())) == (1 if lose is delete else 2)


def test_what_is_left_may_be_there_already(account: Account, container: ContainerClient, tmp_path: Path) -> None:
    """Then it is used as it is, even if what it was before is to be replaced."""
    bundle = in_one(tmp_path)
    fact = built(upload(account, name(container), [bundle]))
    upload(account, name(container), [tarred(*bundle.items[:2])])
    rewrite(tmp_path / "c")
    second = upload(account, name(container), [again(bundle, fact, replace=True)])

    assert second.stored == {bundle.id: True}
    assert second.requests == {"list blobs": 1}


@pytest.mark.parametrize("kind", [Kind.TAR, Kind.WHOLE, Kind.SLICE])
def test_a_bundle_all_of_which_changed_comes_to_nothing(
    account: Account, container: ContainerClient, tmp_path: Path, kind: Kind
) -> None:
    """Of whatever kind; what storage has is left as it is."""
    file = written(tmp_path / "file", os.urandom(100))
    bundle = Bundle("b00001", kind, (file,), 0, 100)
    fact = built(upload(account, name(container), [bundle]))
    rewrite(tmp_path / "file")
    second = upload(account, name(container), [again(bundle, fact, replace=True)])

    assert [failure.name for failure in built(second).failures] == ["file"]
    assert built(second).blob is None
    assert second.facts == [built(second)]


def test_no_blob_is_put_before_its_digest_will_be_remembered(
    account: Account, container: ContainerClient, tmp_path: Path
) -> None:
    """What was noted is settled first; for what is there already, nothing waits."""
    (tmp_path / "small").write_bytes(os.urandom(100))
    seen: list[tuple[list[Fact], list[str]]] = []

    async def settled(noted: list[Fact]) -> None:
        seen.append((list(noted), list(container.list_blob_names())))

    first = upload(account, name(container), [whole(tmp_path / "small")], settled=settled)
    second = upload(account, name(container), [whole(tmp_path / "small")], settled=settled)

    assert seen == [([built(first)], [])]
    assert second.stored == {"b00001": True}
