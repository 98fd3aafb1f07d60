"""What is said of a run before it is the least that it keeps to."""

from pathlib import Path

from fastbatch import Account, limits
from fastbatch.capacity import BLOCK, IN_MEMORY
from fastbatch.model import Bundle, Item, Kind, Plan
from fastbatch.telling.forecast import forecast
from tests.counted import counted, texts, write
from tests.local.instances import Instance

_POLLING = {"list tasks", "count the tasks", "look at the pool", "count the nodes"}


def plan_of(*sizes: int, kind: Kind = Kind.WHOLE) -> Plan:
    """Plan a bundle for each size."""
    items = tuple(Item(f"/{n}", str(n), size, 0) for n, size in enumerate(sizes))
    bundles = tuple(Bundle(f"b{n:05}", kind, (item,), 0, item.size) for n, item in enumerate(items))
    return Plan(items, bundles, 1)


def test_each_bundle_is_one_upload_one_task_and_one_download() -> None:
    """A hundred tasks are one request."""
    found = forecast(plan_of(*[10] * 250), for_pool=0)
    assert (found.uploads, found.submissions, found.downloads) == (250, 3, 250)
    assert found.requests == 503 + found.others


def test_what_does_not_fit_in_memory_goes_up_in_blocks() -> None:
    """And a list of them; a tar always fits."""
    for kind in (Kind.WHOLE, Kind.SLICE):
        sizes = (0, IN_MEMORY, IN_MEMORY + 1, 10 * BLOCK, 10 * BLOCK + 1)
        uploads = [forecast(plan_of(size, kind=kind), for_pool=0).uploads for size in sizes]
        assert uploads == [1, 1, 4, 11, 12]
    assert forecast(plan_of(64 << 20, kind=Kind.TAR), for_pool=0).uploads == 1


def test_the_pools_requests_come_on_top() -> None:
    """As many as it needs."""
    plan = plan_of(1)
    assert forecast(plan, for_pool=3).requests == forecast(plan, for_pool=0).requests + 3
    assert limits.TASKS_PER_COLLECTION == 100


def test_no_run_needs_more_than_was_said(services: Instance, account: Account, tmp_path: Path) -> None:
    """With nothing there but the pool, and nothing going wrong; polling comes on top."""
    counted(account, write(tmp_path / "warm", texts(1)), tmp_path / "first")
    for name in ("fastbatch-input", "fastbatch-app"):
        services.blobs().delete_container(name)
    summary, _ = counted(account, write(tmp_path / "in", texts(8)), tmp_path / "out", files_per_task=2)
    said = forecast(plan_of(*[10] * summary.bundles), for_pool=0)

    sent = {**summary.requests["storage"], **summary.requests["batch"], "add tasks": said.submissions}
    needed = {what: count for what, count in sent.items() if what not in _POLLING}
    assert sum(needed.values()) <= said.requests, needed
